"""A step's line in the timeline of a run: folded from the events that name the step."""

from typing import Any, Literal

import msgspec

from schemas.events import (
    JournalRecord,
    Reported,
    RunEvent,
    StepAnswered,
    StepAsked,
    StepCancelled,
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
    SwitchEntered,
    WaitStarted,
)

StepStatus = Literal["running", "waiting", "succeeded", "failed", "unknown", "skipped", "cancelled"]


class Attempt(msgspec.Struct, kw_only=True):
    """One attempt of a step. Times: `requested_at_ms` and `ended_at_ms` the broker's, the rest the
    executor's.
    """

    attempt: int
    requested_at_ms: int
    instance: str = ""
    """The executor that was granted it; empty where no grant was needed."""
    started_at_ms: int = 0
    duration_ms: int = 0
    ended_at_ms: int = 0
    kind: str = ""
    message: str = ""


class StepLine(msgspec.Struct, kw_only=True):
    """One step that has begun."""

    step: str
    block: str
    begun_at_ms: int = 0
    """Of its first event, and `ended_at_ms` of the one that ended it: times of the broker."""
    ended_at_ms: int = 0
    action: str = ""
    """Empty for publish, set and steps that were skipped; the playbook of a child."""
    status: StepStatus = "running"
    attempts: list[Attempt] = []
    arguments: Any = None
    output: Any = None
    kind: str = ""
    message: str = ""
    continued: bool = False
    due_ms: int = 0
    """When it is tried again, or its question's default is taken."""
    question: str = ""
    choices: tuple[str, ...] = ()
    on_timeout: str = ""
    """What is taken where nobody answers: a choice, or fail."""
    asked_seq: int = 0
    """Journal record of the question."""
    answer: str = ""
    answered_by: str = ""
    """Empty for the timeout."""
    kind_of: str = ""
    """loop, parallel, switch, wait, ask or run; empty for an action, publish and set."""
    iterations: int = 0
    """Of a loop: how many have begun."""
    total: int = 0
    """How many there are at most."""
    about: str = ""
    """Of a switch its value and case, of parallel its branches, of a wait for what: time or recovered."""
    child_run_id: str = ""
    by: tuple[str, ...] = ()
    """Of a question: roles or names that may answer; empty: operators."""
    late: str = ""
    """What a result said that came too late."""

    @property
    def holds_others(self) -> bool:
        """Whether its own work is that of the steps inside it."""
        return self.kind_of in _KINDS.values()


_OVER: frozenset[StepStatus] = frozenset({"succeeded", "failed", "unknown", "skipped", "cancelled"})

_KINDS = {LoopEntered: "loop", ParallelEntered: "parallel", SwitchEntered: "switch"}


def fold_step(line: StepLine, event: RunEvent, record: JournalRecord) -> None:
    """What the event says of its step."""
    line.begun_at_ms = line.begun_at_ms or record.at_ms
    _fold(line, event, record)
    if line.status in _OVER:
        line.ended_at_ms = line.ended_at_ms or record.at_ms
    else:
        line.ended_at_ms = 0


def _fold(line: StepLine, event: RunEvent, record: JournalRecord) -> None:
    at_ms = record.at_ms
    match event:
        case StepRequested():
            line.status, line.action, line.arguments = "running", event.action, event.arguments
            line.due_ms, line.question, line.choices = 0, "", ()
            line.attempts.append(Attempt(attempt=event.attempt, requested_at_ms=at_ms))
        case StepGranted():
            line.attempts[-1].instance = event.instance
        case StepSucceeded():
            loop = line.output if line.kind_of == "loop" else event.output
            line.status, line.output, line.kind, line.message = "succeeded", loop, "", ""
            line.due_ms = 0
            _end_attempt(line, at_ms, event.started_at_ms, event.duration_ms)
        case StepFailed():
            line.status, line.continued, line.due_ms = event.status, event.continued, 0
            _failed_attempt(line, event, at_ms)
            _end_attempt(line, at_ms, event.started_at_ms, event.duration_ms)
        case StepRetryScheduled():
            line.status, line.due_ms = "waiting", event.due_ms
            _failed_attempt(line, event, at_ms)
        case StepSkipped():
            line.status, line.message, line.output = "skipped", event.reason, event.output
        case StepCancelled():
            line.status, line.message, line.due_ms = "cancelled", event.reason, 0
            _end_attempt(line, at_ms, 0, 0)
        case StepAsked():
            line.status, line.due_ms = "waiting", event.due_ms
            line.question, line.choices, line.on_timeout = event.question, event.choices, event.on_timeout
            line.asked_seq, line.answer, line.answered_by = record.seq, "", ""
            line.by, line.kind_of = event.by, line.kind_of if event.attempt else "ask"
        case StepAnswered():
            line.status, line.due_ms = "running", 0
            line.answer, line.answered_by = event.choice, event.actor
            line.message = f"{event.actor or 'nobody in time'}: {event.choice}"
        case StepLate():
            line.late = ": ".join(filter(None, (event.status, event.message)))
        case VarsSet() | Reported():
            line.status = "succeeded"
        case LoopEntered() | ParallelEntered() | SwitchEntered():
            line.status, line.kind_of = "running", _KINDS[type(event)]
            if isinstance(event, LoopEntered):
                line.total, line.output = event.total, []
            elif isinstance(event, SwitchEntered):
                case = "default" if event.case < 0 else f"case {event.case + 1}"
                line.about = f"{event.value!r}: {case}"
            else:
                line.about = ", ".join(event.branches)
        case IterationStarted():
            line.status, line.iterations, line.due_ms = "running", event.index + 1, 0
        case IterationEnded():
            outputs = line.output or []
            line.output = [*outputs, *[None] * (event.index + 1 - len(outputs))]
            line.output[event.index] = event.outputs  # iterations end in any order
            line.due_ms = event.next_ms
            line.status = "waiting" if event.next_ms else line.status
        case WaitStarted():
            line.status, line.kind_of, line.due_ms = "waiting", "wait", event.due_ms
            line.about = event.until
        case ChildRequested():
            line.status, line.kind_of, line.child_run_id = "waiting", "run", event.child_run_id
            line.arguments, line.action = event.inputs, event.playbook


def _failed_attempt(line: StepLine, event: StepFailed | StepRetryScheduled, at_ms: int) -> None:
    line.kind, line.message = event.kind, event.message
    if line.attempts and line.attempts[-1].attempt == event.attempt:
        line.attempts[-1].kind, line.attempts[-1].message = event.kind, event.message
        _end_attempt(line, at_ms, 0, 0)


def _end_attempt(line: StepLine, at_ms: int, started_at_ms: int, duration_ms: int) -> None:
    """The first word about an attempt's end counts; what the executor measured is added to it."""
    if line.attempts:
        last = line.attempts[-1]
        last.ended_at_ms = last.ended_at_ms or at_ms
        last.started_at_ms = last.started_at_ms or started_at_ms
        last.duration_ms = last.duration_ms or duration_ms
