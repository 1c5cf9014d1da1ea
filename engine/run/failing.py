"""What happens after an attempt failed: another attempt, a question, or the step's end. Each is an event.

How long to wait and how often is `engine.retry`; what a failed step means for the run is
`engine.run.deciding`.
"""

import dataclasses
from dataclasses import dataclass
from typing import assert_never

from engine.playbook.model import ActionStep
from engine.retry import DEFAULT, Failure, GiveUp, RetryAfter, next_attempt
from engine.run.state import Run, StepState
from schemas.events import RunEvent, StepAsked, StepCancelled, StepFailed, StepRetryScheduled
from schemas.inbox import FailureKind

ASK_MS = 3_600_000
"""How long `on_unknown: ask` waits for a person."""
CHOICES = ("retry", "fail", "continue")
"""What a person can say to an unknown outcome. Without an answer: fail."""
MESSAGE_MAX = 2_000
"""Characters of a failure message in the journal."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended badly. `unknown`: it may have had its effect all the same."""

    kind: FailureKind
    message: str
    unknown: bool = False
    retry_after_ms: int | None = None
    started_at_ms: int = 0
    duration_ms: int = 0


def after_giving_up(
    run: Run, step: ActionStep, state: StepState, outcome: Outcome, at_ms: int
) -> tuple[RunEvent, ...]:
    """As `after_failure`, for an attempt that never answered: first the executor is told to let it be."""
    let_be = StepCancelled(step=step.path, attempt=state.attempt, reason=outcome.message)
    return (let_be, *after_failure(run, step, state, outcome, at_ms))


def after_failure(
    run: Run, step: ActionStep, state: StepState, outcome: Outcome, at_ms: int
) -> tuple[RunEvent, ...]:
    """What a failed attempt leads to."""
    if not outcome.unknown:
        return (_again_or_failed(run, step, state, outcome, at_ms),)
    match step.on_unknown:
        case "fail":
            return (failed(step, state, outcome),)
        case "continue":
            return (failed(step, state, outcome, continued=True),)
        case "retry":
            return (_again_or_failed(run, step, state, outcome, at_ms),)
        case "ask":
            return (_asked(step, state, outcome, at_ms),)
        case _:
            assert_never(step.on_unknown)


def failed(step: ActionStep, state: StepState, outcome: Outcome, *, continued: bool = False) -> StepFailed:
    """The step's end."""
    return StepFailed(
        step=step.path,
        attempt=state.attempt,
        kind=outcome.kind,
        message=cut(outcome.message),
        status="unknown" if outcome.unknown else "failed",
        continued=continued or step.continue_on_error,
        started_at_ms=outcome.started_at_ms,
        duration_ms=outcome.duration_ms,
    )


def _again_or_failed(
    run: Run, step: ActionStep, state: StepState, outcome: Outcome, at_ms: int
) -> StepRetryScheduled | StepFailed:
    decision = next_attempt(
        DEFAULT if outcome.unknown and step.retry is None else step.retry,
        Failure("unknown" if outcome.unknown else outcome.kind, outcome.message, outcome.retry_after_ms),
        attempt=state.attempt,
        repeatable=state.repeatable,
        elapsed_ms=at_ms - state.first_at_ms,
        seed=f"{run.run_id}/{step.path}/{state.attempt}",
    )
    match decision:
        case GiveUp(reason, exhausted):
            more = f"; {reason}" if exhausted else ""
            return failed(
                step,
                state,
                dataclasses.replace(outcome, message=cut(outcome.message, MESSAGE_MAX - len(more)) + more),
            )
        case RetryAfter(delay_ms, reason):
            return StepRetryScheduled(
                step=step.path,
                attempt=state.attempt,
                kind=outcome.kind,
                message=cut(outcome.message),
                due_ms=at_ms + delay_ms,
                reason=reason,
            )
        case _:
            assert_never(decision)


def _asked(step: ActionStep, state: StepState, outcome: Outcome, at_ms: int) -> StepAsked:
    why = cut(outcome.message, MESSAGE_MAX // 2)
    return StepAsked(
        step=step.path,
        attempt=state.attempt,
        question=f"It is not known whether step `{step.path}` ({step.action}) took effect: {why}. What now?",
        choices=CHOICES,
        due_ms=at_ms + ASK_MS,
        on_timeout="fail",
    )


def cut(text: str, longest: int = MESSAGE_MAX) -> str:
    """The text, with a visible mark where it was cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
