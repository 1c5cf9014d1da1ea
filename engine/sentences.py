"""What happened to a run, said in one sentence per event: for `run watch`, pages and logs. No values that
may be secret or long: outputs and arguments are in the timeline.
"""

from typing import assert_never

from engine.alert.scope import timestamp
from engine.retry import seconds
from schemas.events import (
    BlockEntered,
    CancelSeen,
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
from schemas.events_flow import (
    ChildRequested,
    IterationEnded,
    IterationStarted,
    LoopEntered,
    ParallelEntered,
    RunPaused,
    SwitchEntered,
    WaitStarted,
)

_Flow = (
    LoopEntered
    | IterationStarted
    | IterationEnded
    | ParallelEntered
    | SwitchEntered
    | WaitStarted
    | ChildRequested
)


def sentence(event: RunEvent) -> str:
    """One event in words."""
    match event:
        case RunStarted():
            who = f" by {event.actor}" if event.actor else ""
            return f"playbook {event.playbook} started ({event.via}{who}), revision {event.revision[:12]}"
        case BlockEntered():
            return f"into {event.block}" + _because(event.step, event.kind, event.message)
        case RunFinished():
            return event.status + _because(event.step, event.kind, event.message)
        case RunForgotten():
            return "row dropped; the journal stays"
        case RecoverySeen():
            return f"the alert recovered ({event.alert_id})"
        case CancelSeen():
            return f"cancelled by {event.actor or 'the playbook'}" + (
                f": {event.reason}" if event.reason else ""
            )
        case Reported():
            return f"tells Datadog ({event.alert_type}): {event.title}"
        case RunPaused():
            return "goes on with the next input: much has followed from this one"
        case VarsSet():
            return f"{event.step}: sets {', '.join(sorted(event.values)) or 'nothing'}"
        case _:
            return f"{event.step}: {_of_step(event)}"


def _of_step(
    event: StepRequested
    | StepGranted
    | StepClaimRefused
    | StepSucceeded
    | StepFailed
    | StepRetryScheduled
    | StepSkipped
    | StepCancelled
    | StepAsked
    | StepAnswered
    | StepLate
    | _Flow,
) -> str:
    match event:
        case LoopEntered() | IterationStarted() | IterationEnded() | ParallelEntered():
            return _of_flow(event)
        case SwitchEntered() | WaitStarted() | ChildRequested():
            return _of_flow(event)
        case StepRequested():
            return f"{event.action} requested" + _attempt(event.attempt)
        case StepGranted():
            return f"granted to {event.instance}"
        case StepClaimRefused():
            return f"claim of {event.instance} refused: {event.reason}"
        case StepSucceeded():
            if not event.attempt:  # nobody outside had anything to do
                return "done"
            return f"succeeded in {seconds(event.duration_ms)}" + _attempt(event.attempt)
        case StepFailed():
            on = "; the run goes on" if event.continued else ""
            inside = f" at {event.origin}" if event.origin else ""
            return f"{event.status}{_attempt(event.attempt)}{inside}: {event.kind}: {event.message}{on}"
        case StepRetryScheduled():
            return f"{event.reason}, at {timestamp(event.due_ms)} ({event.message})"
        case StepSkipped():
            return f"skipped: {event.reason}" if event.reason else "skipped"
        case StepCancelled():
            return f"given up{_attempt(event.attempt)}: {event.reason}"
        case StepAsked():
            choices = ", ".join(event.choices) + (f"; by {', '.join(event.by)}" if event.by else "")
            return f"asks: {event.question} ({choices}; {event.on_timeout} at {timestamp(event.due_ms)})"
        case StepAnswered():
            return f"{event.actor or 'nobody in time'}: {event.choice}" + (
                f" ({event.comment})" if event.comment else ""
            )
        case StepLate():
            return f"too late, changes nothing: {event.status}" + (
                f": {event.message}" if event.message else ""
            )
        case _:
            assert_never(event)


def _of_flow(event: _Flow) -> str:
    match event:
        case LoopEntered():
            what = "at most " if event.items is None else ""
            return f"goes through {what}{event.total} iteration{'' if event.total == 1 else 's'}"
        case IterationStarted():
            return f"iteration {event.index} begins"
        case IterationEnded():
            if event.kind:
                at = f" at {event.origin}" if event.origin else ""
                return f"iteration {event.index} failed{at}: {event.kind}: {event.message}"
            then = f"; the next one at {timestamp(event.next_ms)}" if event.next_ms else ""
            return f"iteration {event.index} has ended" + ("; `until` is true" if event.stop else then)
        case ParallelEntered():
            return f"side by side: {', '.join(event.branches)}"
        case SwitchEntered():
            return f"{event.value!r}: " + ("default" if event.case < 0 else f"case {event.case + 1}")
        case WaitStarted():
            until = "the alert has recovered, at most until " if event.until == "recovered" else ""
            return f"waits until {until}{timestamp(event.due_ms)}"
        case ChildRequested():
            return f"runs playbook {event.playbook} as {event.child_run_id}"
        case _:
            assert_never(event)


def _attempt(attempt: int) -> str:
    return f" (attempt {attempt})" if attempt > 1 else ""


def _because(step: str, kind: str, message: str) -> str:
    where = f"step {step}" if step else ""
    # The reason `step` says no more than where it was.
    return "".join(f": {part}" for part in (where, "" if step and kind == "step" else kind, message) if part)
