"""Topic `publications`: what Datadog was sent and what it said. Keyed by run id."""

from typing import Annotated

from schemas.fields import Json, Record, doc


class Published(Record, frozen=True, kw_only=True):
    """Datadog accepted an event."""

    run_id: Annotated[str, doc("Run id.")]
    seq: Annotated[int, doc("Journal seq of the record that holds the report.")]
    index: Annotated[int, doc("Which event of that record.")]
    event_id: Annotated[str, doc("Datadog's id of the event (`id_str`).")]
    url: Annotated[str, doc("Datadog's URL of the event.")] = ""
    sent: Annotated[Json, doc("What was sent (JSON object).")]
    attempts: Annotated[int, doc("How many posts it took.")] = 1
    may_repeat: Annotated[bool, doc("An earlier try may have reached Datadog too.")] = False
    at_ms: Annotated[int, doc("When it was accepted (sink's clock).")]


class Refused(Record, frozen=True, kw_only=True):
    """Datadog will never accept an event (400, 413)."""

    run_id: Annotated[str, doc("Run id.")]
    seq: Annotated[int, doc("Journal seq.")]
    index: Annotated[int, doc("Which event of that record.")]
    status: Annotated[int, doc("HTTP status.")]
    reason: Annotated[str, doc("What Datadog said, masked.")]
    sent: Annotated[Json, doc("What was sent (JSON object).")]
    at_ms: Annotated[int, doc("When it was refused (sink's clock).")]
