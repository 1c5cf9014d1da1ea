"""What the audit keeps of a record: 63 bytes that say what it is about, what it says (as a hash), and where
it lies, or what it follows from.

Two traces of the same subject, kind and content are a record that follows from an input and lies where it
should. Traces sort by subject, so that all about one run or alert stand together.
"""

from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from audit.verify.kinds import OF_ALERTS, About, Kind

SUBJECT_BYTES, CONTENT_BYTES = 10, 16
_STRUCT = Struct(">10sBQBB16sHQqQ")
SIZE = _STRUCT.size
_GROUPS = {kind: b"a" if kind in OF_ALERTS else b"l" if kind is Kind.LETTER else b"r" for kind in Kind}
_MASK_64 = (1 << 64) - 1

OPTIONAL = 1
"""Expected, but nobody may have come to it yet; or it may have been deleted since."""
BEHIND = 2
"""Found behind a record of a later cause."""
QUIET = 4
"""Found with the header by which the sink passes over it; expected: it may have that header."""
TAKEN = 8
"""Expected as it was found: what it depends on is nowhere recorded."""
STARTED = 16
"""A decision that starts a run."""
UNKNOWN = 32
"""Expected, but nobody knows what it would say."""
EXPIRED = 64
"""Expected, but its place may have been deleted by retention."""


ADOPTED = 128
"""Expected as it was found, because what went before is gone."""


class Side(IntEnum):
    """Where a trace comes from."""

    EXPECTED = 0
    FOUND = 1
    EXCUSE = 2
    """Whatever is missing or too much about this subject cannot be judged; `number` says why."""


class Trace(NamedTuple):
    """`partition` and `offset`: where it was found, or of the input that it follows from. `at_ms`: the
    broker's time of that input, as far as the record tells. `extra`: offset of the cause (a journal record),
    or of the catalog (what follows from an alert)."""

    subject: bytes
    kind: int
    number: int
    side: int
    flags: int
    content: bytes
    partition: int
    offset: int
    at_ms: int
    extra: int


def subject_hash(about: About) -> bytes:
    """The subject as bytes; what is about an alert never meets what is about a run of the same name."""
    return _hashed(_GROUPS[about.kind], about.subject)


def subject_of(kind: Kind, subject: str) -> bytes:
    """The same of the parts."""
    return _hashed(_GROUPS[kind], subject)


@lru_cache(maxsize=20_000)
def _hashed(group: bytes, subject: str) -> bytes:
    return blake2b(group + subject.encode("utf-8", "surrogatepass"), digest_size=SUBJECT_BYTES).digest()


def content_hash(data: bytes) -> bytes:
    """What a record says, in 16 bytes."""
    return blake2b(data, digest_size=CONTENT_BYTES).digest()


def packed(trace: Trace) -> bytes:
    """As bytes that sort by subject, kind, number and side."""
    return pack(*trace)


def pack(
    subject: bytes,
    kind: int,
    number: int,
    side: int,
    flags: int,
    content: bytes,
    partition: int,
    offset: int,
    at_ms: int,
    extra: int,
) -> bytes:
    """The same of the parts: made for every record, so without an object in between."""
    return _STRUCT.pack(
        subject, kind, number & _MASK_64, side, flags, content, partition, offset, at_ms, extra & _MASK_64
    )


def unpacked(data: bytes) -> Trace:
    """The inverse of `packed`."""
    return Trace._make(_STRUCT.unpack(data))
