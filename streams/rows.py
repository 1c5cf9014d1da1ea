"""How a row lies in RocksDB and in its changelog: the offset of the input it comes from, then its content.

Also the watermark row, of which each partition of a table has one (law 7). What is inside a row is the
engine's.
"""

import struct
from collections.abc import Collection

import msgspec

WATERMARK = b"\x00watermark"
"""Key of the watermark row. No row of the engine begins with a zero byte."""

SUSPECTS = b"\x00suspects"
"""Key under which a partition's store names the rows that may be stale, until they are made again."""

REBUILT = b"\x00rebuilt"
"""Key of the mark that says which rebuild a partition's rows come from (`streams.rebuild`)."""

APART = frozenset((WATERMARK, SUSPECTS, REBUILT))
"""Keys that are no rows of the engine."""

HEADER = "row"
"""Header of a changelog record that is a deletion, or one of several that one input wrote."""

HEADER_REBUILT = "rebuilt"
"""Header of a changelog record that a rebuild wrote: which one. Its mark comes after all of them."""

BEGUN, DONE = b"begun", b"done"

_APPLIED = struct.Struct(">Q")
_HEADER = struct.Struct(">QH")


def packed(applied: int, payload: bytes) -> bytes:
    """A row as it is kept. `applied`: offset of the last input that changed it."""
    return _APPLIED.pack(applied) + payload


def applied_of(row: bytes) -> int:
    """The offset of the last input that changed the row."""
    return int(_APPLIED.unpack_from(row)[0])


def payload_of(row: bytes) -> bytes:
    """The row's content."""
    return row[_APPLIED.size :]


def header(applied: int, members: int) -> list[tuple[str, bytes]]:
    """The header of one of `members` changelog records that the input at offset `applied` writes."""
    return [(HEADER, _HEADER.pack(applied, members))]


def header_of(value: bytes) -> tuple[int, int]:
    """`applied` and `members` of `header`. Raises struct.error for what is not one."""
    applied, members = _HEADER.unpack(value)
    return applied, members


def header_made_again(rebuild: int, applied: int, gone: bool) -> list[tuple[str, bytes]]:
    """The headers of a row that the rebuild of that number made again, or of its deletion."""
    made = [(HEADER_REBUILT, _APPLIED.pack(rebuild))]
    return [*made, *header(applied, 1)] if gone else made


def rebuild_of(value: bytes) -> int:
    """The number of the rebuild, from the header. Raises struct.error for what is none."""
    return int(_APPLIED.unpack(value)[0])


def rebuild_mark(rebuild: int, done: bool) -> bytes:
    """The mark of a partition whose rows the rebuild of that number makes again, or has made."""
    return packed(rebuild, DONE if done else BEGUN)


def rebuilt_by(mark: bytes | None) -> int:
    """The number of the rebuild that the rows come from; -1: of none, or of one that did not come to its
    end.
    """
    return applied_of(mark) if mark is not None and payload_of(mark) == DONE else -1


def mark_of(keys: Collection[bytes]) -> bytes | None:
    """Keys as they lie under `SUSPECTS`; None where there are none."""
    return msgspec.msgpack.encode(sorted(keys)) if keys else None


def keys_of(mark: bytes | None) -> list[bytes]:
    """The inverse of `mark_of`."""
    return [] if mark is None else msgspec.msgpack.decode(mark, type=list[bytes])
