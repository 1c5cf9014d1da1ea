"""A run as a person sees it, folded from its journal: status, steps, times, failures, reports and their
fate.

For pages and the command line. What a run does next is decided by `engine.run`, never from here; what is
shown of single events, as sentences, is in `engine.sentences`.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from schemas.events import (
    BlockEntered,
    CancelSeen,
    JournalRecord,
    RecoverySeen,
    Reported,
    RunEvent,
    RunFinished,
    RunStarted,
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
from schemas.publications import Published, Refused

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
    action: str = ""
    """Empty for publish, set and steps that were skipped."""
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
    child_run_id: str = ""
    by: tuple[str, ...] = ()
    """Of a question: roles or names that may answer; empty: operators."""
    late: str = ""
    """What a result said that came too late."""


_KINDS = {LoopEntered: "loop", ParallelEntered: "parallel", SwitchEntered: "switch"}


class ReportLine(msgspec.Struct, kw_only=True):
    """A text for Datadog and what became of it. `index`: which event of the journal record `seq`."""

    seq: int
    index: int
    step: str
    kind: str
    title: str
    text: str
    published_url: str = ""
    event_id: str = ""
    refused: str = ""


class Timeline(msgspec.Struct, kw_only=True):
    """A run. `status`: running, waiting, succeeded, failed, cancelled."""

    run_id: str
    playbook: str
    status: str = "running"
    revision: str = ""
    via: str = ""
    actor: str = ""
    request_id: str = ""
    alert_title: str = ""
    run_url: str = ""
    started_at_ms: int = 0
    ended_at_ms: int = 0
    due_ms: int = 0
    inputs: Any = {}
    outputs: Any = {}
    variables: dict[str, Any] = {}
    block: str = "steps"
    steps: list[StepLine] = []
    reports: list[ReportLine] = []
    kind: str = ""
    failed_step: str = ""
    message: str = ""
    recovered: bool = False
    cancelled_by: str = ""


def timeline(
    journal: Iterable[JournalRecord], publications: Iterable[Published | Refused] = ()
) -> Timeline | None:
    """The whole run; repeats by seq are dropped. None without records."""
    view: Timeline | None = None
    seq = 0
    for record in journal:
        if record.seq <= seq:
            continue
        seq = record.seq
        view = view or Timeline(run_id=record.run_id, playbook=record.playbook, started_at_ms=record.at_ms)
        _add(view, record)
    if view is not None:
        for fate in publications:
            _published(view, fate)
    return view


def _add(view: Timeline, record: JournalRecord) -> None:
    for index, event in enumerate(record.events):
        match event:
            case RunStarted():
                _started(view, event)
            case RunFinished():
                view.status, view.outputs, view.ended_at_ms = event.status, event.outputs, record.at_ms
                view.kind, view.failed_step, view.message = event.kind, event.step, event.message
            case BlockEntered():
                view.block, view.due_ms = event.block, event.due_ms
                view.kind, view.failed_step, view.message = event.kind, event.step, event.message
            case RecoverySeen():
                view.recovered = True
            case CancelSeen():
                view.cancelled_by = event.actor or event.reason or "somebody"
            case Reported():
                view.reports.append(_report(record.seq, index, event))
        if not isinstance(event, RunFinished | BlockEntered) and (path := getattr(event, "step", "")):
            _fold_step(_line(view, path), event, record)
        if isinstance(event, VarsSet):
            view.variables |= event.values
    if not view.ended_at_ms:
        view.status = "waiting" if any(line.status == "waiting" for line in view.steps) else "running"


def _report(seq: int, index: int, event: Reported) -> ReportLine:
    return ReportLine(
        seq=seq, index=index, step=event.step, kind=event.kind, title=event.title, text=event.text
    )


def _started(view: Timeline, event: RunStarted) -> None:
    view.revision, view.via, view.actor = event.revision, event.via, event.actor
    view.request_id, view.run_url, view.due_ms = event.request_id, event.run_url, event.due_ms
    view.inputs = event.inputs
    view.alert_title = event.alert.title if event.alert is not None else ""


def _line(view: Timeline, path: str) -> StepLine:
    for line in view.steps:
        if line.step == path:
            return line
    view.steps.append(StepLine(step=path, block=view.block))
    return view.steps[-1]


def _fold_step(line: StepLine, event: RunEvent, record: JournalRecord) -> None:
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
                line.message = f"{event.value!r}: " + (
                    "default" if event.case < 0 else f"case {event.case + 1}"
                )
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


def _published(view: Timeline, fate: Published | Refused) -> None:
    for line in view.reports:
        if (line.seq, line.index) == (fate.seq, fate.index):
            match fate:
                case Published():
                    line.published_url, line.event_id = fate.url, fate.event_id
                case Refused():
                    line.refused = f"{fate.status}: {fate.reason}"
