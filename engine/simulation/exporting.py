"""A real run as a test of its playbook: what its steps were told and what came of it, from its journal.

The text is what `engine.simulation.reading` reads. What a test cannot say of a run stands in it as a note.
"""

from collections.abc import Iterable
from typing import Any

from engine.alert.scope import ALERT_TEXTS, alert_scope
from engine.journal import without_repeats
from engine.playbook.durations import as_duration
from engine.playbook.names import is_named
from engine.run.frames import id_of
from engine.simulation.told import Told
from engine.yaml_writing import Commented, write_yaml
from schemas.alerts import Alert
from schemas.events import (
    CancelSeen,
    JournalRecord,
    RunEvent,
    RunFinished,
    RunStarted,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepFailed,
    StepRequested,
    StepRetryScheduled,
    StepSucceeded,
)
from schemas.events_flow import ChildRequested, WaitStarted

_NOTHING = "the run has not ended yet, or nothing of it is known: there is nothing to expect of it"


class CannotExport(ValueError):
    """The run cannot be made a test; the text says why."""


def exported(journal: Iterable[JournalRecord]) -> str:
    """The test file. Raises CannotExport."""
    records = list(without_repeats(journal))
    events = [event for record in records for event in record.events]
    started = next((event for event in events if isinstance(event, RunStarted)), None)
    finished = next((event for event in events if isinstance(event, RunFinished)), None)
    if started is None or finished is None:
        raise CannotExport(_NOTHING)
    answers, told = _Answers(), Told()
    for record in records:
        answers.hear(record)
        for event in record.events:
            told.hear(event)
    case: dict[str, Any] = {"name": f"as in run {records[0].run_id}"}
    if started.alert is not None:
        case["alert"] = _alert(started.alert)
    if started.inputs:
        case["inputs"] = started.inputs
    if said := answers.written():
        case["answers"] = said
    case["expect"] = _expected(finished, told)
    notes = tuple(_notes(events, started, answers.unsaid))
    case = _sayable(case)
    test = Commented(case, notes) if notes else case
    return write_yaml({"playbook": started.playbook, "tests": [test]})


def _sayable(value: Any) -> Any:
    """The value as a test file can say it: a whole number beyond 64 bits becomes its text."""
    if isinstance(value, dict):
        return {key: _sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(item) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


def _alert(alert: Alert) -> dict[str, Any]:
    """What the alert says, by the names that expressions see."""
    scope = alert_scope(alert)
    names = [name for name in ALERT_TEXTS if name != "id"]
    found: dict[str, Any] = {name: value for name in names if (value := scope[f"alert.{name}"])}
    found |= {name: value for name in ("at", "last_updated") if (value := scope[f"alert.{name}"])}
    if alert.tag_list:
        found["tag_list"] = list(alert.tag_list)
    if alert.test:
        found["test"] = True
    if alert.metadata:
        found["metadata"] = alert.metadata
    return found


def _expected(finished: RunFinished, told: Told) -> dict[str, Any]:
    steps = {path: status for path, status in told.steps.items() if is_named(id_of(path))}
    found: dict[str, Any] = {"status": finished.status}
    if steps:
        found["steps"] = steps
    if finished.outputs:
        found["outputs"] = finished.outputs
    if finished.status == "failed" and finished.step:
        found["failure"] = {"step": finished.step}
    published = [{"title": one["title"]} for one in told.published if not one.get("own")]
    if published:
        found["published"] = published
    return found


def _notes(events: list[RunEvent], started: RunStarted, unsaid: list[str]) -> Iterable[str]:
    if any(isinstance(event, CancelSeen) for event in events):
        yield "note: this run was cancelled; in a test nobody cancels, so it will go another way."
    if started.rerun is not None and started.rerun.kept:
        yield f"note: this was a rerun of {started.rerun.run_id}; answer the steps that it did not do again."
    if unsaid:
        names = ", ".join(unsaid)
        yield f"note: {names} got no answer, not even of its own timeout, which here ends it first."


class _Answers:
    """What each step was told, by its path, in order."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}
        self.unsaid: list[str] = []
        """Steps that were given up later than their own timeout: they had not begun, which nobody can say."""
        self._open: dict[str, tuple[str, int]] = {}
        """What is under way: its kind (action, child, ask, wait), and since when."""
        self._timeouts_ms: dict[str, int] = {}
        self._children: dict[str, str] = {}
        self._at_ms = 0
        self._timed = False

    def written(self) -> dict[str, Any]:
        """By step. How long each took matters only where others were under way beside it, or time ran out."""
        found = self.found
        if not self._timed:
            found = {path: [_untimed(one) for one in said] for path, said in found.items()}
        return {path: said[0] if len(said) == 1 else said for path, said in found.items()}

    def hear(self, record: JournalRecord) -> None:
        """The next record."""
        self._at_ms = record.at_ms
        given_up: dict[str, None] = {}
        for event in record.events:
            match event:
                case StepCancelled():
                    given_up[event.step] = None
                case StepFailed() | StepRetryScheduled() | StepAsked():
                    given_up.pop(event.step, None)
            self._hear(event)
        for path in given_up:
            # Without a word of what became of it: the run, or its block, ended first.
            if path in self._open:
                self._timed = True
                if record.at_ms - self._open[path][1] >= self._timeouts_ms.get(path, record.at_ms):
                    self.unsaid.append(path)
                self._say(path, "timeout")

    def _hear(self, event: RunEvent) -> None:
        match event:
            case StepRequested():
                self._timeouts_ms[event.step] = event.timeout_ms
                self._begin(event.step, "action")
            case ChildRequested():
                self._children[event.step] = event.child_run_id
                self._begin(event.step, "child")
            case WaitStarted() if event.until == "recovered":
                self._begin(event.step, "wait")
            case StepAsked():
                if event.attempt:
                    self._say(event.step, {"error": "timeout", "unknown": True})
                self._begin(event.step, "ask")
            case StepAnswered():
                self._say(event.step, _answer(event) if event.actor else "timeout")
            case StepRetryScheduled():
                self._say(event.step, _error(event.kind, event.message))
            case StepSucceeded() | StepFailed():
                self._end(event)

    def _begin(self, path: str, kind: str) -> None:
        self._open[path] = kind, self._at_ms
        self._timed |= len(self._open) > 1

    def _end(self, event: StepSucceeded | StepFailed) -> None:
        kind = self._open.get(event.step, ("", 0))[0]
        if isinstance(event, StepSucceeded):
            if kind in ("action", "child"):
                self._say(event.step, {"output": event.output})
            elif kind == "wait":
                healed = isinstance(event.output, dict) and event.output.get("recovered") is True
                self._say(event.step, {"recovered": True} if healed else "timeout")
        elif kind == "child":
            self._say(event.step, _child(event, self._children[event.step]))
        elif kind == "action":
            told = _error(event.kind, event.message)
            self._say(event.step, told | {"unknown": True} if event.status == "unknown" else told)

    def _say(self, step: str, said: Any) -> None:
        _, since_ms = self._open.pop(step, ("", self._at_ms))
        if isinstance(said, dict) and self._at_ms > since_ms:
            key = "recovered_after" if said.pop("recovered", False) else "after"
            said[key] = as_duration(self._at_ms - since_ms)
        self.found.setdefault(step, []).append(said)


def _untimed(said: Any) -> Any:
    """The same without how long it took."""
    if not isinstance(said, dict):
        return said
    if "recovered_after" in said:
        return {"recovered": True}
    return {key: value for key, value in said.items() if key != "after"}


def _answer(event: StepAnswered) -> dict[str, Any]:
    """What a person said, who it was, and their remark."""
    said = {"choice": event.choice, "by": event.actor}
    return said | {"comment": event.comment} if event.comment else said


def _error(kind: str, message: str) -> dict[str, Any]:
    told: dict[str, Any] = {"error": "timeout" if kind == "unknown" else kind}
    return told | {"message": message} if message else told


def _child(event: StepFailed, run_id: str) -> dict[str, Any]:
    """How a child ended, or that it did not begin; of the step's message what the child itself said."""
    if event.kind != "child":
        return _error(event.kind, event.message.partition(" did not start: ")[2])
    ended, _, message = event.message.partition(": ")
    cancelled = ended.startswith(f"the run {run_id} of ") and ended.endswith(" cancelled")
    return _error("cancelled" if cancelled else "failed", message)
