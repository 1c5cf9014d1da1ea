"""What came of a simulated run, gathered from its events: what a test can compare."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.events import (
    Reported,
    RunEvent,
    RunFinished,
    StepAsked,
    StepCancelled,
    StepFailed,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)

NOT_REACHED = "not_reached"
STEP_STATUSES = ("succeeded", "failed", "skipped", "cancelled", "unknown", NOT_REACHED)
_INVISIBLE = "\u200b"
"""Makes a mention harmless in what was published; nobody can write it into a test."""


@dataclass(slots=True)
class Told:
    """The run, from outside. Maps are by step path."""

    status: str = "running"
    outputs: Any = field(default_factory=dict)
    failure: dict[str, str] = field(default_factory=lambda: {"step": "", "kind": "", "message": ""})
    steps: dict[str, str] = field(default_factory=dict)
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of failed steps: kind and message."""
    published: list[dict[str, Any]] = field(default_factory=list)
    """Texts of `publish` and the run's own report, in their order. `own`: the latter."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    """All events of the journal: the name as `event`, and its fields."""
    assumed: dict[str, str] = field(default_factory=dict)
    """Steps that nothing was said of, and what they came to."""
    took_ms: int = 0
    """Virtual time."""

    def hear(self, event: RunEvent) -> None:
        """The next event of the run."""
        self.events.append({"event": type(event).__name__, **msgspec.to_builtins(event)})
        match event:
            case StepSucceeded() | VarsSet():
                self.steps[event.step] = "succeeded"
            case StepFailed():
                self.steps[event.step] = event.status
                self.errors[event.step] = (event.kind, event.message)
            case StepSkipped():
                self.steps[event.step] = "skipped"
            case StepCancelled():
                self.steps[event.step] = "cancelled"
            case StepAsked():
                self.asked.append(
                    {"step": event.step, "question": event.question, "choices": list(event.choices)}
                )
            case Reported():
                self._published(event)
            case RunFinished():
                self._finished(event)
            case _:
                pass

    def _published(self, event: Reported) -> None:
        own = event.kind != "publish"
        if not own:
            self.steps[event.step] = "succeeded"
        self.published.append(
            {
                "title": event.title.replace(_INVISIBLE, ""),
                "text": event.text.replace(_INVISIBLE, ""),
                "tags": list(event.tags),
                "alert_type": event.alert_type,
                "priority": event.priority,
                "own": own,
            }
        )

    def _finished(self, event: RunFinished) -> None:
        self.status, self.outputs = event.status, event.outputs
        if event.status == "failed":
            self.failure = {"step": event.step, "kind": self._kind(event), "message": event.message}

    def _kind(self, event: RunFinished) -> str:
        """What expressions call failure.kind; the run's end says `step` for nearly all that a step did."""
        if event.kind != "step":
            return event.kind
        return self.errors[event.step][0] if event.step in self.errors else "exit"
