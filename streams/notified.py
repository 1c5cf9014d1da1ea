"""The row of the sink's table: which reports of a run Datadog was told, and which one may have reached it.

A row is written before a post (`trying`) and after it, so that a worker that takes over knows what may
repeat.
"""

import msgspec


class Notified(msgspec.Struct, frozen=True, array_like=True):
    """Of the run's latest journal record with reports: `done` of them are settled; `trying`: one more
    may be.
    """

    seq: int
    done: int
    trying: bool = False

    def start(self, seq: int) -> tuple[int, bool]:
        """Where to go on with the reports of record `seq`: the first that is open, and whether it may
        repeat.
        """
        return (self.done, self.trying) if self.seq == seq else (0, False)

    def covers(self, seq: int, reports: int) -> bool:
        """Whether all reports of record `seq` are settled: the record is a repeat."""
        return self.seq > seq or (self.seq == seq and self.done >= reports)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Notified)


def encode_row(row: Notified) -> bytes:
    """The row as bytes."""
    return _encoder.encode(row)


def decode_row(data: bytes) -> Notified:
    """The inverse of `encode_row`. Raises msgspec.DecodeError for anything else."""
    return _decoder.decode(data)
