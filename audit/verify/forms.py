"""A record of an entry, and its bytes in the form of today: as they lie there, unless another wrote them."""

from audit.log import Entry
from schemas import avro_plain
from schemas.avro_form import schema_of, top_level
from schemas.codec import HEADER_BYTES, MARKER, decode, encode
from schemas.errors import MalformedMessage
from schemas.fields import Record

HEADERS = {record: MARKER + avro_plain.fingerprint(schema_of(record)) for record in top_level()}


def record_of(entry: Entry) -> Record | MalformedMessage:
    """The record of an entry, or why it is none. Each is looked at once: nothing keeps it."""
    try:
        return decode(entry.value)
    except MalformedMessage as wrong:
        return wrong


def todays(value: bytes, record: Record) -> bytes:
    """`value`, where it is in today's form, which has one way to say a thing; else the record anew."""
    return value if value[:HEADER_BYTES] == HEADERS[type(record)] else encode(record)
