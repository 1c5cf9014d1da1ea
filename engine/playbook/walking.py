"""Every step of a playbook, those within others included, and every expression and template of a step."""

from collections.abc import Iterable, Iterator
from typing import Any, assert_never

from engine.playbook.model import (
    ActionStep,
    AskStep,
    ExitStep,
    ForeachStep,
    ParallelStep,
    Playbook,
    PublishStep,
    RepeatStep,
    RunStep,
    SetStep,
    Step,
    SwitchStep,
    WaitStep,
)


def all_steps(playbook: Playbook) -> Iterator[Step]:
    """Every step in the order of the file's blocks; one that holds others comes before them."""
    yield from within((*playbook.steps, *playbook.on_failure, *playbook.finally_))


def within(steps: Iterable[Step]) -> Iterator[Step]:
    """These steps and all that they hold."""
    for step in steps:
        yield step
        for below in lists_of(step):
            yield from within(below)


def lists_of(step: Step) -> tuple[tuple[Step, ...], ...]:
    """The lists of steps that a step holds."""
    match step:
        case ForeachStep() | RepeatStep():
            return (step.steps,)
        case ParallelStep():
            return tuple(branch.steps for branch in step.branches)
        case SwitchStep():
            return (*(case.steps for case in step.cases), step.default)
        case _:
            return ()


def expressions_of(step: Step) -> tuple[str, ...]:
    """The bare expressions of a step itself; `select` is not one: it sees nothing of the run."""
    match step:
        case ForeachStep():
            found = (step.condition, step.items, step.until)
        case RepeatStep():
            found = (step.condition, step.until, "")
        case SwitchStep():
            found = (step.condition, step.value, "")
        case _:
            return (step.condition,) if step.condition else ()
    return tuple(text for text in found if text)


def templates_of(step: Step) -> Any:
    """The values of a step that may hold placeholders."""
    match step:
        case ActionStep() | RunStep():
            return step.arguments
        case SetStep():
            return step.values
        case ExitStep():
            return step.reason
        case PublishStep():
            return [step.title, step.text, *step.tags, step.host, step.aggregation_key]
        case AskStep():
            return step.question
        case ForeachStep() | RepeatStep() | ParallelStep() | SwitchStep() | WaitStep():
            return None
        case _:
            assert_never(step)
