"""The hash chain of an exported file: how a row is made, and how its hashes are read again.

A row's hash is the SHA-256 of its Avro binary up to its last field, which holds that hash as 64 hex digits;
the field before it holds the hash of the row before. So whatever stands in a row is under its hash, and the
last hash, the head, stands for the whole file. What a break of the chain means is
`audit.export.chain_checking`.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from audit.log import Entry, Place
from schemas.avro_code import Functions
from schemas.errors import MalformedMessage
from schemas.exported import ExportedHeader, ExportedRecord
from schemas.readable import Readable, readable

DIGITS = 64
OWN_BYTES = 2 + DIGITS
"""The last field of a row: the length of its text in two bytes, and the text."""

_LENGTH = b"\x80\x01"
_write, _read = Functions().of(ExportedRecord)
_WRONG_BYTES = (ArithmeticError, LookupError, TypeError, ValueError, MalformedMessage)


class Link(NamedTuple):
    """What the chain has of a row. `own` and `previous` as they stand there, `computed`: what `own` must
    be.
    """

    number: int
    place: Place
    offset: int
    previous: str
    own: str
    computed: str

    @property
    def is_whole(self) -> bool:
        """The row says what it said when its hash was made."""
        return self.own == self.computed


class BrokenRow(Exception):
    """The bytes at `at` are no row; whatever follows in the block cannot be read either."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def beginning(description: bytes) -> str:
    """What the first row has for its predecessor: SHA-256 of the file's description of itself."""
    return hashlib.sha256(description).hexdigest()


def row(number: int, previous: str, entry: Entry) -> tuple[bytes, str, Readable]:
    """The bytes of a message's row, its hash, and what of the message can be read."""
    said = readable(entry.value)
    exported = ExportedRecord(
        number=number,
        topic=entry.topic,
        partition=entry.partition,
        offset=entry.offset,
        at_ms=entry.at_ms,
        type=said.type,
        record=said.text,
        key=entry.key,
        value=entry.value,
        headers=tuple(ExportedHeader(name=name, value=value) for name, value in entry.headers),
        previous_sha256=previous,
        sha256="",
    )
    data, own = sealed(exported)
    return data, own, said


def sealed(exported: ExportedRecord) -> tuple[bytes, str]:
    """The bytes of a row with its hash, whatever it has for one, and that hash."""
    parts: list[bytes] = []
    _write(exported, parts.append)
    hashed = b"".join(parts[:-2])
    digits = hashlib.sha256(hashed).hexdigest()
    return b"".join((hashed, _LENGTH, digits.encode())), digits


def rows(block: bytes) -> Iterator[tuple[Link, ExportedRecord]]:
    """The rows of a block. Raises BrokenRow."""
    at = 0
    while at < len(block):
        try:
            exported, end = _read(block, at)
        except _WRONG_BYTES:
            raise BrokenRow(at) from None
        yield _link(exported, block[at : end - OWN_BYTES]), exported
        at = end


def _link(exported: ExportedRecord, hashed: bytes) -> Link:
    return Link(
        exported.number,
        (exported.topic, exported.partition),
        exported.offset,
        exported.previous_sha256,
        exported.sha256,
        hashlib.sha256(hashed).hexdigest(),
    )
