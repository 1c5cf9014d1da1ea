"""A step as the API shows it: a line of the run's timeline, with its attempts summed up."""

from typing import Any

import msgspec

from engine.timeline import Attempt, StepLine


class StepError(msgspec.Struct, frozen=True):
    """Why a step (or its last attempt) failed."""

    kind: str
    message: str


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step that has begun. `attempts`: how many; `tries`: each of them."""

    step: str
    block: str
    """steps, on_failure or finally."""
    action: str
    """Empty for publish, set and exit."""
    status: str
    attempts: int
    requested_at_ms: int | None
    started_at_ms: int | None
    """By the executor's clock; of the first attempt that tells it."""
    ended_at_ms: int | None
    duration_ms: int | None
    """Of the last attempt."""
    arguments: Any
    """As requested the last time; secrets are never in it."""
    output: Any
    error: StepError | None
    continued: bool
    """It failed, and the run went on all the same."""
    reason: str
    """Why it was skipped or cancelled, who answered."""
    due_ms: int | None
    """When it is tried again, or its question's default is taken."""
    question: str
    choices: tuple[str, ...]
    on_timeout: str
    """What is taken where nobody answers by `due_ms`: a choice, or fail."""
    asked_seq: int
    """Journal record of the question; 0 where none was asked."""
    answer: str
    answered_by: str
    """Empty where its timeout answered."""
    late: str
    """What a result said that came too late."""
    tries: list[Attempt]


def step_view(line: StepLine) -> StepView:
    """From a line of the timeline."""
    first, last = (line.attempts[0], line.attempts[-1]) if line.attempts else (None, None)
    begun = [each.started_at_ms for each in line.attempts if each.started_at_ms]
    return StepView(
        step=line.step,
        block=line.block,
        action=line.action,
        status=line.status,
        attempts=len(line.attempts),
        requested_at_ms=first.requested_at_ms if first else None,
        started_at_ms=begun[0] if begun else None,
        ended_at_ms=(last.ended_at_ms or None) if last else None,
        duration_ms=last.duration_ms if last and last.started_at_ms else None,
        arguments=line.arguments,
        output=line.output,
        error=StepError(line.kind, line.message) if line.kind else None,
        continued=line.continued,
        reason="" if line.kind else line.message,
        due_ms=line.due_ms or None,
        question=line.question,
        choices=line.choices,
        on_timeout=line.on_timeout,
        asked_seq=line.asked_seq,
        answer=line.answer,
        answered_by=line.answered_by,
        late=line.late,
        tries=line.attempts,
    )
