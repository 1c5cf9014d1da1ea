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
        for event in record.events:
            answers.hear(event, record.at_ms)
            told.hear(event)
    case: dict[str, Any] = {"name": f"as in run {records[0].run_id}"}
    if started.alert is not None:
        case["alert"] = _alert(started.alert)
    if started.inputs:
        case["inputs"] = started.inputs
    if said := answers.written():
        case["answers"] = said
    case["expect"] = _expected(finished, told)
    notes = tuple(_notes(events, started))
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


def _notes(events: list[RunEvent], started: RunStarted) -> Iterable[str]:
    if any(isinstance(event, CancelSeen) for event in events):
        yield "note: this run was cancelled; in a test nobody cancels, so it will go another way."
    if started.rerun is not None and started.rerun.kept:
        yield f"note: this was a rerun of {started.rerun.run_id}; answer the steps that it did not do again."


class _Answers:
    """What each step was told, by its path, in order."""

    def __init__(self) -> None:
        self.found: dict[str, list[Any]] = {}
        self._kinds: dict[str, str] = {}
        self._open: dict[str, int] = {}
        """Attempts under way: when each was requested."""
        self._at_ms = 0
        self._side_by_side = False

    def written(self) -> dict[str, Any]:
        """By step. How long an attempt took matters only where others were under way beside it."""
        if not self._side_by_side:
            for said in self.found.values():
                for one in said:
                    if isinstance(one, dict):
                        one.pop("after", None)
        return {path: said[0] if len(said) == 1 else said for path, said in self.found.items()}

    def hear(self, event: RunEvent, at_ms: int) -> None:
        """The next event."""
        self._at_ms = at_ms
        match event:
            case StepRequested():
                self._kinds[event.step] = "action"
                self._open[event.step] = at_ms
                self._side_by_side |= len(self._open) > 1
            case ChildRequested():
                self._kinds[event.step] = "child"
            case WaitStarted():
                self._kinds[event.step] = "wait" if event.until == "recovered" else "time"
            case StepAsked():
                if event.attempt:
                    self._say(event.step, {"error": "timeout", "unknown": True})
                else:
                    self._kinds[event.step] = "ask"
            case StepAnswered():
                self._say(event.step, _word(event.choice) if event.actor else "timeout")
            case StepRetryScheduled():
                self._say(event.step, _error(event.kind, event.message))
            case StepSucceeded() | StepFailed():
                self._end(event)

    def _end(self, event: StepSucceeded | StepFailed) -> None:
        kind = self._kinds.get(event.step)
        if isinstance(event, StepSucceeded):
            if kind in ("action", "child"):
                self._say(event.step, {"output": event.output})
            elif kind == "wait":
                healed = isinstance(event.output, dict) and event.output.get("recovered") is True
                self._say(event.step, {"recovered": True} if healed else "timeout")
        elif kind == "child":
            self._say(event.step, {"error": "failed"})
        elif kind == "action" and not self._was_asked(event.step):
            told = _error(event.kind, event.message)
            self._say(event.step, told | {"unknown": True} if event.status == "unknown" else told)

    def _was_asked(self, step: str) -> bool:
        """Whether a person's word, which is told already, has ended it."""
        said = self.found.get(step, [])
        return bool(said) and isinstance(said[-1], str)

    def _say(self, step: str, said: Any) -> None:
        asked_ms = self._open.pop(step, None)
        if asked_ms is not None and isinstance(said, dict) and self._at_ms > asked_ms:
            said["after"] = as_duration(self._at_ms - asked_ms)
        self.found.setdefault(step, []).append(said)


def _word(choice: str) -> Any:
    """What a person said; the word `timeout` alone would mean that nobody did."""
    return {"choice": choice} if choice == "timeout" else choice


def _error(kind: str, message: str) -> dict[str, Any]:
    told: dict[str, Any] = {"error": "timeout" if kind == "unknown" else kind}
    return told | {"message": message} if message else told
