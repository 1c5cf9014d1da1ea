"""What a run does next, from its row alone: safe to ask twice. What an input means is
`engine.run.responding`.
"""

from typing import assert_never

from engine.expressions import ExpressionError
from engine.expressions_values import as_text
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, ExitStep, PublishStep, SetStep, Step
from engine.playbook.templates import TemplateError
from engine.run.ending import SUCCEEDED, leave
from engine.run.failing import Outcome, cut, failed
from engine.run.reporting import published
from engine.run.requesting import request
from engine.run.scope import Scope
from engine.run.state import ENDED, OVER, Run, StepState, Verdict
from schemas.errors import MalformedMessage
from schemas.events import RunEvent, StepFailed, StepSkipped, VarsSet
from schemas.inbox import FailureKind
from schemas.json import canonical


def decide(run: Run, book: Compiled) -> tuple[RunEvent, ...]:
    """The next events of a run; none where it must wait, or has ended."""
    if run.status in ENDED:
        return ()
    for step in book.blocks[run.block]:
        state = run.steps.get(step.path)
        if state is None:
            return _begin(run, step, book)
        if state.phase == "answered" and isinstance(step, ActionStep):
            return _follow(run, step, state, book)
        if state.phase not in OVER:
            return ()
        if state.phase in ("failed", "unknown") and not state.continued:
            return leave(run, _after_failure(run, step.path, state), book, run.at_ms)
    return leave(run, run.verdict or SUCCEEDED, book, run.at_ms)


def _begin(run: Run, step: Step, book: Compiled) -> tuple[RunEvent, ...]:
    try:
        if step.condition and not book.boolean(step.condition, Scope(run)):
            return (StepSkipped(step=step.path, reason=cut(step.condition)),)
        match step:
            case ActionStep():
                return (request(run, step, 1, book, run.at_ms),)
            case PublishStep():
                return (published(run, step, book),)
            case SetStep():
                values = book.render(step.values, Scope(run)).value
                canonical(values)
                return (VarsSet(step=step.path, values=values),)
            case ExitStep():
                reason = as_text(book.render(step.reason, Scope(run)).value)
                verdict = Verdict(status=step.status, kind="exit", step=step.path, message=cut(reason))
                return leave(run, verdict, book, run.at_ms)
            case _:
                assert_never(step)
    except ExpressionError as error:
        return (_failed_inline(step, "bad_input", error.message),)
    except (MalformedMessage, TemplateError) as error:
        return (_failed_inline(step, "bad_input", str(error)),)


def _failed_inline(step: Step, kind: FailureKind, message: str) -> StepFailed:
    continued = isinstance(step, ActionStep) and step.continue_on_error
    return StepFailed(step=step.path, attempt=0, kind=kind, message=cut(message), continued=continued)


def _follow(run: Run, step: ActionStep, state: StepState, book: Compiled) -> tuple[RunEvent, ...]:
    """What a person (or nobody, in time) said to an unknown outcome."""
    if state.answer == "retry":
        return (request(run, step, state.attempt + 1, book, run.at_ms),)
    outcome = Outcome(kind="unknown", message=f"{state.message} Answer: {state.answer}", unknown=True)
    return (failed(step, state, outcome, continued=state.answer == "continue"),)


def _after_failure(run: Run, path: str, state: StepState) -> Verdict:
    """The first failure names the end; only `finally` can make a failed run of another one."""
    if run.verdict is not None and (run.block == "on_failure" or run.verdict.status == "failed"):
        return run.verdict
    kind = "unknown" if state.phase == "unknown" else state.kind
    return Verdict(status="failed", kind=kind, step=path, message=state.message)
