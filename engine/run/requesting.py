"""What the executor is asked to do: an action step's arguments, bounds and repeatability, settled for one
attempt.
"""

from collections.abc import Mapping
from typing import Any

from engine.expressions import ExpressionError
from engine.expressions_values import as_text
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep
from engine.run.frames import frame_at, prefix_of
from engine.run.scope import Scope
from engine.run.state import Run
from schemas.actions import PinnedAction
from schemas.errors import MalformedMessage
from schemas.events import StepFailed, StepRequested
from schemas.json import canonical

SLACK_MS = 30_000
"""What an answer may need to come back, beyond its own bounds, before the run's timer ends the step."""


def request(
    run: Run, step: ActionStep, attempt: int, book: Compiled, at_ms: int
) -> StepRequested | StepFailed:
    """The attempt as the executor reads it, or why it cannot be made (`bad_input`)."""
    pinned = next((action for action in run.pinned.actions if action.name == step.action), None)
    if pinned is None:
        return not_made(step, attempt - 1, f"there was no action `{step.action}` when the run was requested")
    try:
        rendered = book.render(
            step.arguments,
            Scope(run, frame_at(run, book, prefix_of(step.path))),
            url_inputs=pinned.url_inputs,
        )
        canonical(rendered.value)
    except ExpressionError as error:
        return not_made(step, attempt - 1, f"with: {error.message}")
    except MalformedMessage as error:
        return not_made(step, attempt - 1, f"with: {error}")
    start_by_ms = at_ms + step.start_within_ms
    return StepRequested(
        step=step.path,
        attempt=attempt,
        action=step.action,
        arguments=rendered.value,
        secrets=rendered.secrets,
        repeatable=is_repeatable(step, pinned, rendered.value),
        select=step.select,
        timeout_ms=step.timeout_ms,
        start_by_ms=start_by_ms,
        deadline_ms=start_by_ms + step.timeout_ms + SLACK_MS,
        idempotency_key=f"{run.run_id}/{step.path}/{attempt}",
        output_bytes_max=run.pinned.limits.step_output_bytes_max,
    )


def not_made(step: ActionStep, attempts_made: int, message: str) -> StepFailed:
    """The step fails before the executor hears of it."""
    return StepFailed(
        step=step.path,
        attempt=attempts_made,
        kind="bad_input",
        message=message,
        continued=step.continue_on_error,
    )


def is_repeatable(step: ActionStep, pinned: PinnedAction, arguments: Mapping[str, Any]) -> bool:
    """The step's own word, else the action's, unless one of its inputs makes it unrepeatable."""
    if step.repeatable is not None:
        return step.repeatable
    if not pinned.repeatable:
        return False
    for name, values in pinned.unrepeatable_when.items():
        given = as_text(arguments.get(name)).casefold()
        if any(as_text(value).casefold() == given for value in values):
            return False
    return True
