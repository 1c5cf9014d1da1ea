"""What an event makes of one step: its new state and timer. Which moves are legal: `engine.run.moves`."""

from typing import Any, assert_never

from msgspec.structs import replace

from engine.run.moves import MAY_BE_UNKNOWN
from engine.run.state import Grant, Loop, Phase, Stamp, StepState
from schemas.events import (
    Reported,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepClaimRefused,
    StepFailed,
    StepGranted,
    StepRequested,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)
from schemas.events_flow import (
    ChildRequested,
    IterationEnded,
    IterationStarted,
    LoopEntered,
    ParallelEntered,
    SwitchEntered,
    WaitStarted,
)

_Begins = LoopEntered | ParallelEntered | SwitchEntered | WaitStarted | ChildRequested
_Iterates = IterationStarted | IterationEnded
_Attempts = StepGranted | StepClaimRefused | StepRetryScheduled | StepCancelled | StepAsked | StepAnswered
StepEvent = (
    StepRequested
    | StepSucceeded
    | StepFailed
    | StepSkipped
    | VarsSet
    | Reported
    | _Begins
    | _Iterates
    | _Attempts
)
Timed = tuple[StepState, str, int]
"""A step's state, and the kind and due time of its timer (0: none)."""


def fits(old: StepState | None, event: StepEvent) -> bool:
    """Whether the event is about the attempt, or the iteration, that the step is at."""
    made = old.attempt if old else 0
    match event:
        case StepRequested():
            return event.attempt == made + 1
        case IterationStarted():
            return old is not None and old.loop is not None and event.index == old.loop.begun
        case IterationEnded():
            return old is not None and old.loop is not None and str(event.index) in old.loop.live
        case (
            StepGranted()
            | StepClaimRefused()
            | StepSucceeded()
            | StepFailed()
            | StepRetryScheduled()
            | StepCancelled()
            | StepAsked()
        ):
            return event.attempt == made
        case _:
            return True


def step_after(old: StepState | None, phase: Phase, event: StepEvent, stamp: Stamp) -> Timed:
    """The step's new state, and the kind and due time of its timer (0: none)."""
    if isinstance(event, StepRequested):
        return _requested(old, event, stamp), "deadline", event.deadline_ms
    made = old.attempt if old else 0
    match event:
        case StepSucceeded():
            return StepState(phase=phase, attempt=made, output=_output(old, event.output)), "", 0
        case StepFailed():
            failed = StepState(
                phase=event.status if old is not None and old.phase in MAY_BE_UNKNOWN else phase,
                attempt=made,
                output=_output(old, None),
                kind=event.kind,
                message=event.message,
                origin=event.origin,
                continued=event.continued,
            )
            return failed, "", 0
        case StepSkipped():
            return StepState(phase=phase, attempt=made, output=event.output), "", 0
        case VarsSet() | Reported():
            return StepState(phase=phase, attempt=made), "", 0
        case LoopEntered() | ParallelEntered() | SwitchEntered() | WaitStarted() | ChildRequested():
            return _begun(phase, event)
    if old is None:
        return _asked(StepState(phase=phase), phase, event)
    match event:
        case IterationStarted() | IterationEnded():
            return _iterated(old, event, stamp)
        case _:
            return _attempt_after(old, phase, event)


def _output(old: StepState | None, output: Any) -> Any:
    """Of a loop: the outputs of its iterations that ended, in their order."""
    if old is None or old.loop is None:
        return output
    return [old.loop.outputs[index] for index in sorted(old.loop.outputs, key=int)]


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


def _begun(phase: Phase, event: _Begins) -> Timed:
    match event:
        case LoopEntered():
            return StepState(phase=phase, loop=Loop(items=event.items, total=event.total)), "", 0
        case ParallelEntered():
            return StepState(phase=phase), "", 0
        case SwitchEntered():
            return StepState(phase=phase, case=event.case), "", 0
        case WaitStarted():
            return StepState(phase=phase, until=event.until), "wait", event.due_ms
        case ChildRequested():
            child = StepState(phase=phase, child_playbook=event.playbook, child_run_id=event.child_run_id)
            return child, "", 0
        case _:
            assert_never(event)


def _iterated(old: StepState, event: _Iterates, stamp: Stamp) -> Timed:
    loop = old.loop
    if loop is None:
        raise AssertionError(f"{event.step} is no loop")
    if isinstance(event, IterationStarted):
        live = {**loop.live, str(event.index): stamp.at_ms}
        return replace(old, loop=replace(loop, begun=event.index + 1, live=live, next_ms=0)), "", 0
    ended = replace(
        loop,
        live={index: at_ms for index, at_ms in loop.live.items() if index != str(event.index)},
        outputs={**loop.outputs, str(event.index): event.outputs},
        stop=loop.stop or event.stop,
        failed=loop.failed or bool(event.kind),
        next_ms=event.next_ms,
    )
    if event.kind and not loop.failed:
        old = replace(old, kind=event.kind, message=event.message, origin=event.origin)
    return replace(old, loop=ended), "next", event.next_ms


def _asked(old: StepState, phase: Phase, event: StepEvent) -> Timed:
    if not isinstance(event, StepAsked):
        raise AssertionError(f"{type(event).__name__} begins no step")
    asking = StepState(
        phase=phase,
        attempt=old.attempt,
        message=event.question,
        first_at_ms=old.first_at_ms,
        choices=event.choices,
        on_timeout=event.on_timeout,
    )
    return asking, "ask", event.due_ms


def _attempt_after(old: StepState, phase: Phase, event: _Attempts) -> Timed:
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
            return _asked(old, phase, event)
        case StepAnswered():
            return replace(old, phase=phase, answer=event.choice), "", 0
        case StepCancelled():
            # What is inside a loop is given up by events of its own.
            return replace(old, phase=phase, output=_output(old, old.output), loop=None), "", 0
        case _:
            assert_never(event)
