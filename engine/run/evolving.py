"""Fold: what an event makes of a run. Total and silent; whether an event was wise is not asked here.

Legal moves are the tables of `engine.run.moves`; an event without a move leaves the run as it was. What an
event makes of one step is in `engine.run.stepping`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from engine.journal import without_repeats
from engine.run.moves import BLOCK_MOVES, RUN_MOVES, STEP_MOVES
from engine.run.state import Run, Stamp, Status, StepState, Verdict
from engine.run.stepping import StepEvent, fits, step_after
from schemas.events import (
    BlockEntered,
    CancelSeen,
    JournalRecord,
    RecoverySeen,
    Reported,
    RunEvent,
    RunFinished,
    RunForgotten,
    RunStarted,
    StepCancelled,
    StepLate,
    VarsSet,
)
from schemas.events_flow import IterationEnded, RunPaused
from schemas.relations import KeptStep

PAUSE = "pause"
"""The timer of a run that broke off (RunPaused)."""


def refold(journal: Iterable[JournalRecord]) -> Run | None:
    """The row that a run's journal leads to. Repeats by seq are dropped. None: no run yet, or forgotten."""
    run: Run | None = None
    for record in without_repeats(journal):
        run = fold(run, record)
    return run


def fold(run: Run | None, record: JournalRecord) -> Run | None:
    """The row after one journal record."""
    stamp = Stamp(record.run_id, record.seq, record.cause_offset, record.at_ms)
    for event in record.events:
        run = evolve(run, event, stamp)
    return run


def evolve(run: Run | None, event: RunEvent, stamp: Stamp) -> Run | None:
    """Fold one event. The row's seq, applied and at_ms follow the stamp whenever there is a row."""
    if run is None:
        return born(event, stamp) if isinstance(event, RunStarted) else None
    run = _moved(run, event, stamp)
    if run is not None and run.seq != stamp.seq:
        timers = run.timers
        if PAUSE in timers:  # any next record goes on where the last one broke off
            timers = {timer: due_ms for timer, due_ms in timers.items() if timer != PAUSE}
        return replace(run, seq=stamp.seq, applied=stamp.offset, at_ms=stamp.at_ms, timers=timers)
    return run


def born(event: RunStarted, stamp: Stamp) -> Run:
    """The row of a run that just started; a rerun begins with what the earlier run had come to."""
    rerun = event.rerun
    return Run(
        run_id=stamp.run_id,
        playbook=event.playbook,
        status="running",
        seq=stamp.seq,
        applied=stamp.offset,
        at_ms=stamp.at_ms,
        started_at_ms=stamp.at_ms,
        started=event if rerun is None else replace(event, rerun=replace(rerun, kept=(), variables={})),
        timers={"timeout": event.due_ms},
        steps={} if rerun is None else {kept.step: _kept(kept) for kept in rerun.kept},
        variables=rerun.variables if rerun is not None and isinstance(rerun.variables, dict) else {},
    )


def _kept(kept: KeptStep) -> StepState:
    """A step of an earlier run, as if it had been done in this one."""
    return StepState(
        phase=kept.status,
        attempt=kept.attempt,
        output=kept.output,
        kind=kept.kind,
        message=kept.message,
        continued=kept.status in ("failed", "unknown"),
    )


def _moved(run: Run, event: RunEvent, stamp: Stamp) -> Run | None:
    if type(event) not in RUN_MOVES[run.status]:
        return run
    match event:
        case RunStarted():
            return run
        case BlockEntered():
            return _entered(run, event)
        case RunFinished():
            return _ended(run, event)
        case RunForgotten():
            return None
        case StepLate():
            left = tuple(one for one in run.unanswered if one != (event.step, event.attempt))
            return replace(run, unanswered=left)
        case RecoverySeen():
            return replace(run, recovered=True)
        case CancelSeen():
            return replace(run, cancel_seen=True)
        case Reported():
            return _stepped(run, event, stamp) if event.step else run
        case RunPaused():
            return replace(run, timers={**run.timers, PAUSE: event.due_ms})
        case _:
            return _stepped(run, event, stamp)


def _entered(run: Run, event: BlockEntered) -> Run:
    if event.block not in BLOCK_MOVES[run.block]:
        return run
    verdict = Verdict(status=event.status, kind=event.kind, step=event.step, message=event.message)
    timers = {event.block: event.due_ms}
    return replace(run, status="running", block=event.block, verdict=verdict, timers=timers)


def _ended(run: Run, event: RunFinished) -> Run:
    """Only what may still matter is kept: a day of ended rows is most of the table."""
    return Run(
        run_id=run.run_id,
        playbook=run.playbook,
        status=event.status,
        seq=run.seq,
        applied=run.applied,
        at_ms=run.at_ms,
        started_at_ms=run.started_at_ms,
        unanswered=run.unanswered,
        timers={"forget": event.forget_ms},
    )


def _stepped(run: Run, event: StepEvent, stamp: Stamp) -> Run:
    """Move a step, if its phase and attempt allow it, and set its timer."""
    old = run.steps.get(event.step)
    phase = STEP_MOVES[old.phase if old else None].get(type(event))
    if phase is None or not fits(old, event):
        return run
    new, timer, due_ms = step_after(old, phase, event, stamp)
    steps = {**run.steps, event.step: new}
    if isinstance(event, IterationEnded):
        inside = f"{event.step}[{event.index}]."
        steps = {path: state for path, state in steps.items() if not path.startswith(inside)}
    timers = {kept: due for kept, due in run.timers.items() if timed(kept) != event.step}
    if due_ms:
        timers[f"{timer}/{event.step}/{new.loop.begun if new.loop else new.attempt}"] = due_ms
    changes: dict[str, Any] = {"steps": steps, "timers": timers}
    status = _status(steps)
    if status != run.status:
        changes["status"] = status
    if isinstance(event, StepCancelled) and old is not None and old.phase in ("requested", "granted"):
        changes["unanswered"] = (*run.unanswered, (event.step, event.attempt))
    if isinstance(event, VarsSet):
        changes["variables"] = {**run.variables, **event.values}
    return replace(run, **changes)


def _status(steps: Mapping[str, StepState]) -> Status:
    """A run waits where something waits and nothing is with the executor."""
    waits = False
    for state in steps.values():
        if state.phase in ("requested", "granted"):
            return "running"
        if state.phase in ("retrying", "asking", "waiting", "child") or (state.loop and state.loop.next_ms):
            waits = True
    return "waiting" if waits else "running"


def timed(timer: str) -> str:
    """The path of the step that a timer is about; empty for those of the run itself."""
    return timer.partition("/")[2].rpartition("/")[0]
