"""Fold: what an event makes of a run. Total and silent; whether an event was wise is not asked here.

Legal moves are the tables of `engine.run.moves`; an event without a move leaves the run as it was.
"""

from collections.abc import Iterable
from typing import Any, assert_never

from msgspec.structs import replace

from engine.run.moves import BLOCK_MOVES, MAY_BE_UNKNOWN, RUN_MOVES, STEP_MOVES
from engine.run.state import Grant, Phase, Run, Stamp, StepState, Verdict
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
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepClaimRefused,
    StepFailed,
    StepGranted,
    StepLate,
    StepRequested,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)

_StepEvent = (
    StepRequested
    | StepGranted
    | StepClaimRefused
    | StepSucceeded
    | StepFailed
    | StepRetryScheduled
    | StepSkipped
    | StepCancelled
    | StepAsked
    | StepAnswered
    | VarsSet
    | Reported
)


def refold(journal: Iterable[JournalRecord]) -> Run | None:
    """The row that a run's journal leads to. Repeats by seq are dropped. None: no run yet, or forgotten."""
    run: Run | None = None
    seq = 0
    for record in journal:
        if record.seq > seq:
            seq = record.seq
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
        return replace(run, seq=stamp.seq, applied=stamp.offset, at_ms=stamp.at_ms)
    return run


def born(event: RunStarted, stamp: Stamp) -> Run:
    """The row of a run that just started."""
    return Run(
        run_id=stamp.run_id,
        playbook=event.playbook,
        status="running",
        seq=stamp.seq,
        applied=stamp.offset,
        at_ms=stamp.at_ms,
        started_at_ms=stamp.at_ms,
        started=event,
        timers={"timeout": event.due_ms},
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


def _stepped(run: Run, event: _StepEvent, stamp: Stamp) -> Run:
    """Move a step, if its phase and attempt allow it, and set its timer."""
    old = run.steps.get(event.step)
    phase = STEP_MOVES[old.phase if old else None].get(type(event))
    if phase is None or not _fits(old, event):
        return run
    new, timer, due_ms = _step_after(old, phase, event, stamp)
    timers = {kept: due for kept, due in run.timers.items() if "/" not in kept}
    if due_ms:
        timers[f"{timer}/{event.step}/{new.attempt}"] = due_ms
    changes: dict[str, Any] = {"steps": {**run.steps, event.step: new}, "timers": timers}
    status = RUN_MOVES[run.status][type(event)]
    if status is not None and status != run.status:
        changes["status"] = status
    if isinstance(event, StepCancelled) and old is not None and old.phase in ("requested", "granted"):
        changes["unanswered"] = (*run.unanswered, (event.step, event.attempt))
    if isinstance(event, VarsSet):
        changes["variables"] = {**run.variables, **event.values}
    return replace(run, **changes)


def _fits(old: StepState | None, event: _StepEvent) -> bool:
    """Whether the event is about the attempt that the step is at."""
    made = old.attempt if old else 0
    match event:
        case StepRequested():
            return event.attempt == made + 1
        case StepSkipped() | VarsSet() | Reported() | StepAnswered():
            return True
        case _:
            return event.attempt == made


def _step_after(
    old: StepState | None, phase: Phase, event: _StepEvent, stamp: Stamp
) -> tuple[StepState, str, int]:
    """The step's new state, and the kind and due time of its timer (0: none)."""
    if isinstance(event, StepRequested):
        return _requested(old, event, stamp), "deadline", event.deadline_ms
    made = old.attempt if old else 0
    match event:
        case StepSucceeded():
            return StepState(phase=phase, attempt=made, output=event.output), "", 0
        case StepFailed():
            failed = StepState(
                phase=event.status if old is not None and old.phase in MAY_BE_UNKNOWN else phase,
                attempt=made,
                kind=event.kind,
                message=event.message,
                continued=event.continued,
            )
            return failed, "", 0
        case StepSkipped() | VarsSet() | Reported():
            return StepState(phase=phase, attempt=made), "", 0
        case _:
            if old is None:
                raise AssertionError(f"{type(event).__name__} begins no step")
            return _attempt_after(old, phase, event)


def _requested(old: StepState | None, event: StepRequested, stamp: Stamp) -> StepState:
    return StepState(
        phase="requested",
        attempt=event.attempt,
        repeatable=event.repeatable,
        requested_seq=stamp.seq,
        first_at_ms=old.first_at_ms if old else stamp.at_ms,
        start_by_ms=event.start_by_ms,
        timeout_ms=event.timeout_ms,
        deadline_ms=event.deadline_ms,
    )


def _attempt_after(
    old: StepState,
    phase: Phase,
    event: StepGranted | StepClaimRefused | StepRetryScheduled | StepCancelled | StepAsked | StepAnswered,
) -> tuple[StepState, str, int]:
    match event:
        case StepGranted():
            grant = Grant(
                instance=event.instance,
                boot=event.boot,
                booted_at_ms=event.booted_at_ms,
                until_ms=event.until_ms,
            )
            return replace(old, phase=phase, grant=grant), "deadline", event.until_ms
        case StepClaimRefused():
            until_ms = old.grant.until_ms if old.grant else old.deadline_ms
            return replace(old, refused=(*old.refused, (event.instance, event.boot))), "deadline", until_ms
        case StepRetryScheduled():
            waiting = StepState(
                phase=phase,
                attempt=old.attempt,
                kind=event.kind,
                message=event.message,
                first_at_ms=old.first_at_ms,
            )
            return waiting, "retry", event.due_ms
        case StepAsked():
            asking = StepState(
                phase=phase,
                attempt=old.attempt,
                message=event.question,
                first_at_ms=old.first_at_ms,
                choices=event.choices,
                on_timeout=event.on_timeout,
            )
            return asking, "ask", event.due_ms
        case StepAnswered():
            return replace(old, phase=phase, answer=event.choice), "", 0
        case StepCancelled():
            return replace(old, phase=phase), "", 0
        case _:
            assert_never(event)
