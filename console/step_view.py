"""A step as the API shows it: a line of the run's timeline, with its attempts summed up."""

from typing import Any

import msgspec

from console.access import ANSWERS_BY_DEFAULT
from engine.timeline_steps import Attempt, StepLine


class StepError(msgspec.Struct, frozen=True):
    """Why a step (or its last attempt) failed."""

    kind: str
    message: str


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step that has begun. `attempts`: how many; `tries`: each of them."""

    step: str
    block: str
    """steps, on_failure or finally."""
    depth: int = 0
    """How many steps hold it: loops, parallel, switch."""
    kind_of: str
    """loop, parallel, switch, wait, ask, run, publish, set or exit; empty for an action."""
    action: str
    """The action, or the playbook of a run step; empty for all others."""
    status: str
    attempts: int
    begun_at_ms: int
    """By the broker's clock, as `over_at_ms`: for a step of any kind."""
    over_at_ms: int | None
    requested_at_ms: int | None
    started_at_ms: int | None
    """By the executor's clock; of the first attempt that tells it."""
    ended_at_ms: int | None
    duration_ms: int | None
    """Of the last attempt."""
    took_ms: int | None
    """The same; of a loop, question, wait or child that is over: from its beginning to its end."""
    arguments: Any
    """As requested the last time; secrets are never in it."""
    output: Any
    error: StepError | None
    continued: bool
    """It failed, and the run went on all the same."""
    reason: str
    """Why it was skipped or cancelled, who answered."""
    due_ms: int | None
    """When it is tried again, its question's default is taken, its wait is over, its next iteration due."""
    about: str
    """Of a switch its value and case, of parallel its branches, of a wait for what: time or recovered."""
    iterations: int
    """Of a loop: how many have begun; `total`: how many there are at most."""
    total: int
    child_run_id: str
    """The run that a run step waits for."""
    question: str
    choices: tuple[str, ...]
    by: tuple[str, ...]
    """Who may answer: roles (and those above them), or names of tokens."""
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


LASTING = frozenset({"loop", "parallel", "switch", "wait", "ask", "run"})


def step_view(line: StepLine) -> StepView:
    """From a line of the timeline."""
    first, last = (line.attempts[0], line.attempts[-1]) if line.attempts else (None, None)
    duration_ms = last.duration_ms if last and last.started_at_ms else None
    lasted_ms = line.ended_at_ms - line.begun_at_ms if line.ended_at_ms and line.kind_of in LASTING else None
    begun = [each.started_at_ms for each in line.attempts if each.started_at_ms]
    return StepView(
        step=line.step,
        block=line.block,
        kind_of=line.kind_of,
        action=line.action,
        status=line.status,
        attempts=len(line.attempts),
        begun_at_ms=line.begun_at_ms,
        over_at_ms=line.ended_at_ms or None,
        requested_at_ms=first.requested_at_ms if first else None,
        started_at_ms=begun[0] if begun else None,
        ended_at_ms=(last.ended_at_ms or None) if last else None,
        duration_ms=duration_ms,
        took_ms=duration_ms if lasted_ms is None else lasted_ms,
        arguments=line.arguments,
        output=line.output,
        error=StepError(line.kind, line.message) if line.kind else None,
        continued=line.continued,
        reason="" if line.kind else line.message,
        due_ms=line.due_ms or None,
        about=line.about,
        iterations=line.iterations,
        total=line.total,
        child_run_id=line.child_run_id,
        question=line.question,
        choices=line.choices,
        by=line.by or (ANSWERS_BY_DEFAULT if line.question else ()),
        on_timeout=line.on_timeout,
        asked_seq=line.asked_seq,
        answer=line.answer,
        answered_by=line.answered_by,
        late=line.late,
        tries=line.attempts,
    )
