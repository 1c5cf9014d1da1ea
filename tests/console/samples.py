"""Records with boring defaults: a test gives what it is about."""

from typing import Any

import msgspec

from schemas.alerts import Alert, AlertSummary
from schemas.dead_letters import DeadLetter
from schemas.decisions import AdmissionDecided, AlertMatched, Looked
from schemas.events import (
    JournalRecord,
    Reported,
    RunEvent,
    RunFinished,
    RunStarted,
    StepRequested,
    StepSucceeded,
)
from schemas.fields import Record
from schemas.publications import Published

RUN = "r-aaaaaaaaaaaaaaaaaaaaaaaa"
ALERT = "a-bbbbbbbbbbbbbbbbbbbbbbbb"


def with_fields(record: Record, **fields: Any) -> Any:
    """The record with these fields instead."""
    return msgspec.structs.replace(record, **fields)


def journal(seq: int, *events: RunEvent, run_id: str = RUN, **fields: Any) -> JournalRecord:
    """A journal record of the run."""
    made = JournalRecord(
        run_id=run_id,
        playbook="restart",
        seq=seq,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=seq,
        at_ms=1_000 * seq,
        events=events,
    )
    return with_fields(made, **fields)  # type: ignore[no-any-return]  # of the type it was given


STARTED = RunStarted(
    playbook="restart",
    revision="d" * 64,
    engine=1,
    request_id=ALERT,
    via="alert",
    alert=Alert(id=ALERT, title="p95 is high"),
    inputs={"replicas": 3},
    due_ms=3_600_000,
)
REQUESTED = StepRequested(
    step="look",
    attempt=1,
    action="http.request",
    arguments={"url": "https://example.com"},
    repeatable=True,
    timeout_ms=1_000,
    start_by_ms=2_000,
    deadline_ms=3_000,
    idempotency_key=f"{RUN}/look/1",
)
LOOKED = StepSucceeded(step="look", attempt=1, output={"status": 200}, started_at_ms=1_100, duration_ms=250)
REPORTED = Reported(kind="succeeded", title="mitigated", text="all is well", alert_type="success")
FINISHED = RunFinished(status="succeeded", outputs={"p95": 4.2}, forget_ms=90_000_000)

WHOLE_RUN = (journal(1, STARTED, REQUESTED), journal(2, LOOKED, REPORTED, FINISHED))


def matched(alert_id: str = ALERT, **fields: Any) -> AlertMatched:
    """An alert that one playbook matched and another did not."""
    made = AlertMatched(
        alert_id=alert_id,
        at_ms=900,
        summary=AlertSummary(endpoint="demo", source="webhook", title="p95 is high", received_at_ms=800),
        partition=2,
        offset=7,
        catalog_offset=4,
        looked=(
            Looked(playbook="restart", revision="d" * 64, matched=True),
            Looked(
                playbook="page",
                revision="e" * 64,
                matched=False,
                clause="tags",
                detail="wanted env:prod, the alert has env:dev",
            ),
        ),
    )
    return with_fields(made, **fields)  # type: ignore[no-any-return]  # of the type it was given


def decided(decision: Any, offset: int = 5, **fields: Any) -> AdmissionDecided:
    """What admission decided about the run."""
    made = AdmissionDecided(
        request_id=ALERT,
        playbook="restart",
        run_id=RUN,
        alert_id=ALERT,
        decision=decision,
        at_ms=950,
        partition=1,
        offset=offset,
        key="12/env:prod",
    )
    return with_fields(made, **fields)  # type: ignore[no-any-return]  # of the type it was given


PUBLISHED = Published(run_id=RUN, seq=2, index=1, event_id="777", sent={"title": "mitigated"}, at_ms=2_500)
LETTER = DeadLetter(
    topic="alerts",
    partition=3,
    offset=11,
    at_ms=700,
    key=b"k",
    value=b"\xffgarbage",
    headers={"endpoint": b"demo"},
    stage="match",
    reason="no JSON",
    detail="schemas.json",
)
