"""Runs as the API shows them: in lists, whole, and their journal record by record."""

import sqlite3
from typing import Any

import msgspec
from msgspec.structs import replace

from console.decoding import decoded
from console.nesting import nested
from console.published_view import PublicationView, publication, publication_view
from console.read_model.model import ReadModel
from console.read_model.runs import run_decisions, run_publications, run_records, run_row
from console.step_view import StepView, step_view
from engine.catalog import Catalog
from engine.timeline import ReportLine, Timeline, timeline
from schemas.decisions import AdmissionDecided
from schemas.events import JournalRecord, RunFinished

RECORDS_MAX = 10_000
"""Journal records looked at for one view."""


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list. `at_ms`: when it was first heard of; `message`: why it failed, waits or never ran."""

    run_id: str
    playbook: str
    status: str
    at_ms: int
    started_at_ms: int | None
    ended_at_ms: int | None
    duration_ms: int | None
    revision: str
    via: str
    actor: str
    request_id: str
    alert_id: str
    title: str
    kind: str
    step: str
    message: str


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """What admission decided about a candidate, and by which rule."""

    playbook: str
    run_id: str
    decision: str
    rule: str
    reason: str
    at_ms: int
    until_ms: int | None
    key: str
    revision: str


class RunView(RunSummary, frozen=True, kw_only=True):
    """A run with all the journal tells of it."""

    run_url: str
    parent_run_id: str
    """The run that waits for this one."""
    due_ms: int | None
    """When the run, or the block it is in, times out."""
    block: str
    """steps, on_failure or finally."""
    recovered: bool
    """The alert has recovered since."""
    cancelled_by: str
    inputs: Any
    outputs: Any
    variables: dict[str, Any]
    steps: list[StepView]
    reports: list[ReportLine]
    """Texts for Datadog, and what became of them."""
    decisions: list[DecisionView]
    publications: list[PublicationView]


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """One journal record: all that one input did. `cause`: topic/partition/offset of that input."""

    run_id: str
    seq: int
    at_ms: int
    cause: str
    events: list[dict[str, Any]]


class EventsView(msgspec.Struct, frozen=True, kw_only=True):
    """Journal records in order. `next_seq`: hand it back as `after_seq`; null when these were the last so
    far.
    """

    items: list[RecordView]
    next_seq: int | None


def run_summary(row: Any) -> RunSummary:
    """From a row of `runs`."""
    return RunSummary(**_summary(row))


async def run_view(model: ReadModel, run_id: str, catalog: Catalog) -> RunView | None:
    """A run; None where it is not known. Raises ReadModelUnavailable.

    The journal names the action of a step that was requested; of others (skipped, or failed before that) the
    run's revision does, and it tells which step holds which.
    """
    found = await model.query(lambda connection: _run_view(connection, run_id))
    if found is None or not found.steps:
        return found
    return replace(found, steps=nested(found.steps, catalog.compiled(found.revision)))


async def events_view(model: ReadModel, run_id: str, after_seq: int, limit: int) -> EventsView | None:
    """A page of its journal; None where the run is not known. Raises ReadModelUnavailable."""
    return await model.query(lambda connection: _events_view(connection, run_id, after_seq, limit))


async def outputs_of(model: ReadModel, run_id: str) -> Any:
    """The outputs of an ended run; null where it has none. Raises ReadModelUnavailable."""
    records = await model.query(lambda connection: _records(connection, run_id))
    ends = [event for record in records for event in record.events if isinstance(event, RunFinished)]
    return ends[-1].outputs if ends else None


async def journal_of(model: ReadModel, run_id: str) -> list[JournalRecord]:
    """All of a run's journal that is known; empty where nothing is. Raises ReadModelUnavailable."""
    return await model.query(lambda connection: _records(connection, run_id))


def record_view(raw: bytes) -> RecordView:
    """From the encoded journal record."""
    record = decoded(raw, JournalRecord)
    return RecordView(
        run_id=record.run_id,
        seq=record.seq,
        at_ms=record.at_ms,
        cause=f"{record.cause_topic}/{record.cause_partition}/{record.cause_offset}",
        events=[{"type": type(event).__name__, **msgspec.to_builtins(event)} for event in record.events],
    )


def decision_view(raw: bytes) -> DecisionView:
    """From the encoded decision."""
    decided = decoded(raw, AdmissionDecided)
    return DecisionView(
        playbook=decided.playbook,
        run_id=decided.run_id,
        decision=decided.decision,
        rule=decided.rule,
        reason=decided.reason,
        at_ms=decided.at_ms,
        until_ms=decided.until_ms,
        key=decided.key,
        revision=decided.revision,
    )


def _summary(row: Any) -> dict[str, Any]:
    started, ended = row["started_at_ms"], row["ended_at_ms"]
    same = (
        "run_id",
        "playbook",
        "status",
        "at_ms",
        "revision",
        "via",
        "actor",
        "request_id",
        "alert_id",
        "title",
    )
    return {
        **{name: row[name] for name in (*same, "kind", "step", "message")},
        "started_at_ms": started,
        "ended_at_ms": ended,
        "duration_ms": ended - started if started and ended else None,
    }


def _run_view(connection: sqlite3.Connection, run_id: str) -> RunView | None:
    row = run_row(connection, run_id)
    if row is None:
        return None
    publications = [publication(raw) for raw in run_publications(connection, run_id)]
    told = timeline(_records(connection, run_id), publications) or Timeline(
        run_id=run_id, playbook=row["playbook"]
    )
    return RunView(
        **_summary(row),
        run_url=told.run_url,
        parent_run_id=told.parent_run_id,
        due_ms=told.due_ms or None,
        block=told.block,
        recovered=told.recovered,
        cancelled_by=told.cancelled_by,
        inputs=told.inputs,
        outputs=told.outputs,
        variables=told.variables,
        steps=[step_view(line) for line in told.steps],
        reports=told.reports,
        decisions=[decision_view(raw) for raw in run_decisions(connection, run_id)],
        publications=[publication_view(each) for each in publications],
    )


def _events_view(
    connection: sqlite3.Connection, run_id: str, after_seq: int, limit: int
) -> EventsView | None:
    if run_row(connection, run_id) is None:
        return None
    raws = run_records(connection, run_id, after_seq, limit + 1)
    items = [record_view(raw) for raw in raws[:limit]]
    return EventsView(items=items, next_seq=items[-1].seq if len(raws) > limit else None)


def _records(connection: sqlite3.Connection, run_id: str) -> list[JournalRecord]:
    return [decoded(raw, JournalRecord) for raw in run_records(connection, run_id, 0, RECORDS_MAX)]
