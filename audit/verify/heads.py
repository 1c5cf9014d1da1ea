"""The first fields of a journal record, read without the events behind them: what most comparisons need."""

from typing import NamedTuple

from schemas import avro_plain
from schemas.avro_code import Functions
from schemas.avro_form import schema_of
from schemas.codec import HEADER_BYTES, MARKER, decode, encode
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.fields import Record


class JournalHead(Record, frozen=True, kw_only=True):
    """The fields in front of the events, in their order."""

    run_id: str
    playbook: str
    seq: int
    cause_topic: str
    cause_partition: int
    cause_offset: int
    at_ms: int


_HEADER = MARKER + avro_plain.fingerprint(schema_of(JournalRecord))
_read = Functions().of(JournalHead)[1]


class Head(NamedTuple):
    """A journal record: what stands in front, its bytes in today's form, and the record if it was needed."""

    head: JournalHead | JournalRecord
    data: bytes
    record: JournalRecord | None


def journal_head(value: bytes | None) -> Head:
    """What a message of the journal says. Raises MalformedMessage; damage behind the head is not seen."""
    if value is not None and value[:HEADER_BYTES] == _HEADER:
        try:
            return Head(_read(value, HEADER_BYTES)[0], value, None)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise MalformedMessage(f"the record is cut off or damaged: {type(error).__name__}") from None
    record = decode(value)
    if not isinstance(record, JournalRecord):
        raise MalformedMessage(f"a {type(record).__name__} on run-journal")
    return Head(record, encode(record), record)
