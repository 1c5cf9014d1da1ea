"""How a step begins, kind by kind, from the row alone; or why it cannot (`bad_input`)."""

from typing import Any, assert_never

from engine.expressions import ExpressionError
from engine.expressions_values import as_text
from engine.playbook.compiled import Compiled
from engine.playbook.model import (
    ActionStep,
    AskStep,
    ExitStep,
    ForeachStep,
    ParallelStep,
    PublishStep,
    RepeatStep,
    RunStep,
    SetStep,
    Step,
    SwitchStep,
    WaitStep,
)
from engine.playbook.templates import TemplateError
from engine.run.ending import give_up_step, leave
from engine.run.failing import cut
from engine.run.frames import frame_at, prefix_of
from engine.run.reporting import published
from engine.run.requesting import request
from engine.run.scope import Scope
from engine.run.state import Run, Verdict
from schemas.errors import MalformedMessage
from schemas.events import RunEvent, StepAsked, StepFailed, StepSkipped, VarsSet
from schemas.events_flow import ChildRequested, LoopEntered, ParallelEntered, SwitchEntered, WaitStarted
from schemas.ids import run_id
from schemas.inbox import FailureKind
from schemas.json import canonical

DEPTH_MAX = 8
"""Children of children."""


def begin(run: Run, step: Step, book: Compiled) -> tuple[RunEvent, ...]:
    """The step's first events. It stands under its path in the run."""
    try:
        scope = Scope(run, frame_at(run, book, prefix_of(step.path)))
        if step.condition and not book.boolean(step.condition, scope):
            return (_skipped(step),)
        match step:
            case ActionStep():
                return (request(run, step, 1, book, run.at_ms),)
            case PublishStep():
                return (published(run, step, book),)
            case SetStep():
                values = book.render(step.values, scope).value
                canonical(values)
                return (VarsSet(step=step.path, values=values),)
            case ExitStep():
                reason = as_text(book.render(step.reason, scope).value)
                verdict = Verdict(status=step.status, kind="exit", step=step.path, message=cut(reason))
                stopped = give_up_step(run, f"step `{step.path}` ended the run")
                return (*stopped, *leave(run, verdict, book, run.at_ms))
            case ForeachStep():
                return (_foreach(run, step, book.evaluate(step.items, scope)),)
            case RepeatStep():
                return (_within(run, step, None, step.times),)
            case ParallelStep():
                return (ParallelEntered(step=step.path, branches=tuple(one.name for one in step.branches)),)
            case SwitchStep():
                return (_switch(step, as_text(book.evaluate(step.value, scope))),)
            case WaitStep():
                return (WaitStarted(step=step.path, until=step.until, due_ms=run.at_ms + step.wait_ms),)
            case AskStep():
                return (_ask(run, step, as_text(book.render(step.question, scope).value)),)
            case RunStep():
                return (_child(run, step, book.render(step.arguments, scope).value),)
            case _:
                assert_never(step)
    except ExpressionError as error:
        return (not_begun(step, "bad_input", error.message),)
    except (MalformedMessage, TemplateError) as error:
        return (not_begun(step, "bad_input", str(error)),)


def not_begun(step: Step, kind: FailureKind, message: str) -> StepFailed:
    """The step fails before anything was done."""
    return StepFailed(step=step.path, attempt=0, kind=kind, message=cut(message), continued=continues(step))


def continues(step: Step) -> bool:
    """Whether the run goes on when the step fails."""
    return not isinstance(step, PublishStep | SetStep | ExitStep | WaitStep) and step.continue_on_error


def _skipped(step: Step) -> StepSkipped:
    output = {"choice": step.on_skip, "by": "", "comment": ""} if isinstance(step, AskStep) else None
    return StepSkipped(step=step.path, reason=cut(step.condition), output=output)


def _foreach(run: Run, step: ForeachStep, items: Any) -> LoopEntered | StepFailed:
    if isinstance(items, dict):
        return not_begun(step, "bad_input", "foreach: this is a map; go through entries() or keys() of it")
    if not isinstance(items, list):
        what = "nothing" if items is None else type(items).__name__
        return not_begun(step, "bad_input", f"foreach: it should be a list, and is {what}")
    canonical(items)
    return _within(run, step, items, len(items))


def _within(
    run: Run, step: ForeachStep | RepeatStep, items: list[Any] | None, total: int
) -> LoopEntered | StepFailed:
    most = run.pinned.limits.loop_items_max
    if total > most:
        return not_begun(step, "bad_input", f"the loop has {total} items; at most {most} are allowed")
    return LoopEntered(step=step.path, items=items, total=total)


def _switch(step: SwitchStep, value: str) -> SwitchEntered:
    case = next((at for at, one in enumerate(step.cases) if one.value == value), -1)
    return SwitchEntered(step=step.path, value=cut(value, 200), case=case)


def _ask(run: Run, step: AskStep, question: str) -> StepAsked:
    return StepAsked(
        step=step.path,
        question=cut(question),
        choices=step.choices,
        due_ms=run.at_ms + step.timeout_ms,
        on_timeout=step.on_timeout,
        by=step.by,
    )


def _child(run: Run, step: RunStep, inputs: Any) -> ChildRequested | StepFailed:
    canonical(inputs)
    pinned = next((one for one in run.pinned.children if one.playbook == step.playbook), None)
    if pinned is None:
        message = f"there was no playbook `{step.playbook}` when the run was requested"
        return not_begun(step, "bad_input", message)
    parent = run.pinned.parent
    if parent is not None and parent.depth >= DEPTH_MAX:
        message = f"playbooks run playbooks more than {DEPTH_MAX} deep"
        return not_begun(step, "refused", message)
    return ChildRequested(
        step=step.path,
        playbook=step.playbook,
        revision=pinned.revision,
        child_run_id=run_id(step.playbook, child_request_id(run.run_id, step.path)),
        inputs=inputs,
    )


def child_request_id(parent_run_id: str, path: str) -> str:
    """The request id of a child: derived, so that asking twice asks for the same run."""
    return f"{parent_run_id}/{path}"
