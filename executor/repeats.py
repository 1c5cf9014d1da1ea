"""Whether a journal record that comes again says the same as before. Another content is an alarm (law 3).

Kept is a checksum of each run's latest record, for so many runs; the record itself is dropped by its seq, in
`executor.open_steps`.
"""

from collections import OrderedDict
from zlib import crc32

RUNS_REMEMBERED = 20_000


class Repeats:
    """The latest record of each run, as seq and checksum."""

    def __init__(self, runs_max: int = RUNS_REMEMBERED) -> None:
        self._runs_max = runs_max
        self._latest: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def contradicts(self, run_id: str, seq: int, value: bytes) -> bool:
        """Take in a record; whether there was one of that run and seq with other bytes."""
        latest = self._latest.get(run_id)
        checksum = crc32(value)
        if latest is not None and latest[0] >= seq:
            return latest[0] == seq and latest[1] != checksum
        self._latest[run_id] = (seq, checksum)
        self._latest.move_to_end(run_id)
        if len(self._latest) > self._runs_max:
            self._latest.popitem(last=False)
        return False
