"""A publication as the API shows it: what Datadog was sent and what it said."""

from typing import Any

import msgspec

from schemas import codec
from schemas.publications import Published, Refused


class PublicationView(msgspec.Struct, frozen=True, kw_only=True):
    """One event for the Datadog event stream. `event_id`: null where Datadog refused it."""

    run_id: str
    seq: int
    index: int
    at_ms: int
    event_id: str | None
    url: str
    sent: Any
    attempts: int | None
    may_repeat: bool
    status: int
    """HTTP status of Datadog's answer."""
    reason: str
    """Why it was refused."""


def publication(raw: bytes) -> Published | Refused:
    """The record. Raises TypeError for one of another kind."""
    record = codec.decode(raw)
    if not isinstance(record, Published | Refused):
        raise TypeError(f"a {type(record).__name__} where a publication belongs")
    return record


def publication_view(record: Published | Refused) -> PublicationView:
    """From the record."""
    if isinstance(record, Published):
        return PublicationView(
            run_id=record.run_id,
            seq=record.seq,
            index=record.index,
            at_ms=record.at_ms,
            event_id=record.event_id,
            url=record.url,
            sent=record.sent,
            attempts=record.attempts,
            may_repeat=record.may_repeat,
            status=202,
            reason="",
        )
    return PublicationView(
        run_id=record.run_id,
        seq=record.seq,
        index=record.index,
        at_ms=record.at_ms,
        event_id=None,
        url="",
        sent=record.sent,
        attempts=None,
        may_repeat=False,
        status=record.status,
        reason=record.reason,
    )
