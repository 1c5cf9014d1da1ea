"""Records to bytes and back: Avro single-object encoding (C3 01, the schema's fingerprint, the body).

No registry is needed: the fingerprint says which schema; old ones are read through `schemas.upcast`.
How a body is made is `schemas.avro_code`; what else may stand on `alerts` is `schemas.alerts_wire`.
"""

from schemas import avro_plain
from schemas.avro_code import Functions, Read, Write
from schemas.avro_form import schema_of, top_level
from schemas.diagnosis import what_is_wrong
from schemas.errors import MalformedMessage, UnknownSchema
from schemas.fields import Record
from schemas.upcast import OldVersions

MARKER = b"\xc3\x01"
HEADER_BYTES = 10
"""Marker and fingerprint: the body starts here."""

_WRONG_BYTES = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)
_WRONG_VALUE = (*_WRONG_BYTES, AttributeError, MalformedMessage)

_writers: dict[type[Record], tuple[bytes, Write]] = {}
_readers: dict[bytes, Read] = {}
_old = OldVersions()


def _learn() -> None:
    functions = Functions()
    for record in top_level():
        header = MARKER + avro_plain.fingerprint(schema_of(record))
        write, read = functions.of(record)
        _writers[record] = header, write
        _readers[header] = read


_learn()


def encode(record: Record) -> bytes:
    """A record of any topic as bytes; equal records give equal bytes.

    Raises MalformedMessage, naming the field, for a value that has no written form: a wrong type, a number
    that is not finite, text that is not Unicode, a value that JSON cannot say.
    """
    try:
        header, write = _writers[record.__class__]
    except KeyError:
        raise MalformedMessage(f"{type(record).__name__} is not a record of any topic") from None
    parts = [header]
    try:
        write(record, parts.append)
        return b"".join(parts)
    except _WRONG_VALUE as error:
        # Without the cause: its text holds the value, which may be anything a user sent.
        raise MalformedMessage(what_is_wrong(record) or type(error).__name__) from None


def decode(data: bytes | None) -> Record:
    """The record of a message's value, upcast to today's type.

    Raises UnknownSchema for a fingerprint that this version does not know, MalformedMessage for anything else
    that is no record: no value at all, other framing, truncated, left-over or impossible bytes.
    """
    if data is None:
        raise MalformedMessage("no value")
    read = _readers.get(data[:HEADER_BYTES])
    if read is None:
        return _decode_other(bytes(data))
    try:
        record, end = read(data, HEADER_BYTES)
    except MalformedMessage as error:
        raise MalformedMessage(f"the record is cut off or damaged: {error}") from None
    except _WRONG_BYTES as error:
        raise MalformedMessage(f"the record is cut off or damaged: {type(error).__name__}") from None
    if end != len(data):
        raise MalformedMessage("the record is cut off or damaged: it ends too early or too late")
    found: Record = record
    return found


def _decode_other(data: bytes) -> Record:
    fingerprint = data[len(MARKER) : HEADER_BYTES]
    if not data.startswith(MARKER) or len(data) < HEADER_BYTES:
        raise MalformedMessage("not in Avro single-object encoding (C3 01 and a fingerprint)")
    if fingerprint in _old:
        return _old.read(fingerprint, data[HEADER_BYTES:])
    name = fingerprint[::-1].hex()
    raise UnknownSchema(
        f"unknown schema with the fingerprint {name}; a newer version may have written it", name
    )


def fingerprint_of(record: type[Record]) -> str:
    """The fingerprint of a record's schema: 16 hex digits, most significant first."""
    return _writers[record][0][len(MARKER) :][::-1].hex()
