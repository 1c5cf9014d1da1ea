"""The runs in an alert's trace: how each of them went, its steps in short."""

import sqlite3
from collections.abc import Iterable

import msgspec

from console.decoding import decoded
from console.nesting import nested
from console.read_model.recoveries import heard_by
from console.read_model.runs import run_records, run_row
from console.run_view import RunSummary, run_summary
from console.step_view import StepView, step_view
from engine.catalog import Catalog
from engine.timeline import timeline
from schemas.events import JournalRecord

STEPS_MAX = 50
"""Steps shown of a run; the others are counted."""
RECORDS_MAX = 5_000
"""Journal records read for one trace. The steps of runs beyond them are not shown."""


class TracedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step in short; its arguments and outputs are the run's to show."""

    step: str
    depth: int
    kind_of: str
    action: str
    status: str
    attempts: int
    begun_at_ms: int
    over_at_ms: int | None
    took_ms: int | None
    why: str
    """Why it failed, was skipped or cancelled, or who answered it."""


class HeardRecovery(msgspec.Struct, frozen=True, kw_only=True):
    """A run heard that its alert had recovered, from this alert."""

    alert_id: str
    run_id: str
    at_ms: int


class TracedRun(RunSummary, frozen=True, kw_only=True):
    """A run of the alert."""

    steps: list[TracedStep] | None
    """Those that have begun; null: there is more to read than a trace does, ask for the run."""
    steps_left_out: int
    """How many more there are."""
    recoveries: list[HeardRecovery]
    """What it heard of its alert's recovery."""
    cancelled_by: str


class FoundRun(msgspec.Struct, frozen=True):
    """A run as the read model has it: before its revision tells how its steps hold each other."""

    summary: RunSummary
    steps: list[StepView] | None
    recoveries: list[HeardRecovery]
    cancelled_by: str


def found_runs(connection: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, FoundRun]:
    """Those of them that the journal knows."""
    left = RECORDS_MAX
    found = {}
    for run_id in run_ids:
        row = run_row(connection, run_id)
        if row is None or not row["journaled"]:
            continue
        raws = run_records(connection, run_id, 0, left + 1)
        told = timeline(decoded(raw, JournalRecord) for raw in raws[:left])
        whole = told is not None and len(raws) <= left
        left = max(0, left - len(raws))
        found[run_id] = FoundRun(
            run_summary(row),
            [step_view(line) for line in told.steps] if told and whole else None,
            [HeardRecovery(**one) for one in heard_by(connection, run_id)],
            told.cancelled_by if told else "",
        )
    return found


def traced_run(found: FoundRun, catalog: Catalog) -> TracedRun:
    """As it is shown."""
    steps, more = None, 0
    if found.steps is not None:
        steps = [_short(step) for step in nested(found.steps, catalog.compiled(found.summary.revision))]
        more = len(steps[STEPS_MAX:])
    return TracedRun(
        **msgspec.structs.asdict(found.summary),
        steps=None if steps is None else steps[:STEPS_MAX],
        steps_left_out=more,
        recoveries=found.recoveries,
        cancelled_by=found.cancelled_by,
    )


def _short(step: StepView) -> TracedStep:
    error = f"{step.error.kind}: {step.error.message}" if step.error else ""
    answered = f"{step.answered_by or 'nobody in time'}: {step.answer}" if step.answer else ""
    return TracedStep(
        step=step.step,
        depth=step.depth,
        kind_of=step.kind_of,
        action=step.action,
        status=step.status,
        attempts=step.attempts,
        begun_at_ms=step.begun_at_ms,
        over_at_ms=step.over_at_ms,
        took_ms=step.took_ms,
        why=error or answered or step.reason,
    )
