"""A run's steps as a person sees them, folded from its journal: what each did, how often, how long, with what
result.

This is for looking at; what a run does next is decided by `engine.run` alone.
"""

from typing import Any, Literal

import msgspec

from schemas.events import (
    JournalRecord,
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
)

StepStatus = Literal["running", "waiting", "succeeded", "failed", "unknown", "skipped", "cancelled"]


class StepError(msgspec.Struct, frozen=True):
    """Why a step (or its last attempt) failed."""

    kind: str
    message: str


class StepView(msgspec.Struct, kw_only=True):
    """One step. Times of the executor's clock where it was carried out, else the broker's."""

    step: str
    status: StepStatus = "running"
    action: str | None = None
    attempts: int = 0
    requested_at_ms: int | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    duration_ms: int | None = None
    arguments: Any = None
    """As requested the last time; secrets are not in it."""
    output: Any = None
    error: StepError | None = None
    continued: bool = False
    """It failed and the run went on all the same."""
    reason: str = ""
    """Why it was skipped, cancelled or tried again; who answered; what a late result said."""
    due_ms: int | None = None
    """When it is tried again, or the question's default is taken."""
    question: str | None = None
    choices: tuple[str, ...] = ()
    instance: str | None = None
    """The executor that was granted the step, where that was needed."""


def fold_steps(records: list[JournalRecord]) -> list[StepView]:
    """All steps that have begun, in that order."""
    steps: dict[str, StepView] = {}
    for record in records:
        for event in record.events:
            name = getattr(event, "step", "")
            if isinstance(event, _OF_A_STEP) and name:
                _fold(steps.setdefault(name, StepView(step=name)), event, record.at_ms)
    return list(steps.values())


_OF_A_STEP = (
    StepRequested,
    StepGranted,
    StepSucceeded,
    StepFailed,
    StepRetryScheduled,
    StepSkipped,
    StepCancelled,
    StepAsked,
    StepAnswered,
    StepLate,
)


def _fold(step: StepView, event: RunEvent, at_ms: int) -> None:
    match event:
        case StepRequested():
            step.status, step.action, step.attempts = "running", event.action, event.attempt
            step.arguments, step.due_ms, step.reason = event.arguments, None, ""
            step.requested_at_ms = step.requested_at_ms or at_ms
        case StepGranted():
            step.instance = event.instance
        case StepSucceeded():
            step.output, step.error = event.output, None
            _end(step, "succeeded", at_ms, event.attempt, event.started_at_ms, event.duration_ms)
        case StepFailed():
            step.error, step.continued = StepError(event.kind, event.message), event.continued
            _end(step, event.status, at_ms, event.attempt, event.started_at_ms, event.duration_ms)
        case StepRetryScheduled():
            step.status, step.error = "waiting", StepError(event.kind, event.message)
            step.due_ms, step.reason = event.due_ms, event.reason
        case StepSkipped():
            step.status, step.reason, step.ended_at_ms = "skipped", event.reason, at_ms
        case StepCancelled():
            step.status, step.reason, step.ended_at_ms = "cancelled", event.reason, at_ms
        case StepAsked():
            step.status, step.question, step.choices = "waiting", event.question, event.choices
            step.due_ms = event.due_ms
        case StepAnswered():
            step.status, step.due_ms = "running", None
            step.reason = f"{event.actor or 'timeout'}: {event.choice}"
        case StepLate():
            step.reason = f"a late result said {event.status}; it changed nothing"
        case _:
            pass


def _end(
    step: StepView, status: StepStatus, at_ms: int, attempts: int, started_at_ms: int, duration_ms: int
) -> None:
    step.status, step.attempts, step.ended_at_ms = status, attempts, at_ms
    step.started_at_ms = started_at_ms or None
    step.duration_ms = duration_ms if started_at_ms else None
    step.due_ms, step.reason = None, ""
