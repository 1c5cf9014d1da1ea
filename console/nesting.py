"""The steps of a run as a tree laid flat: each below the one that holds it, in the order of the playbook.

Steps begin in any order where iterations or branches run side by side. A path tells the loops around a step;
which `parallel` or `switch` holds it only the run's revision knows: without that, order and depth are those
of the paths.
"""

import re
from collections.abc import Mapping, Sequence
from typing import assert_never

from msgspec.structs import replace

from console.step_view import StepView
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
from engine.playbook.walking import lists_of, within

_PART = re.compile(r"(.+)\[(\d+)\]")
_ITSELF = -1
"""Stands before the iterations of a loop."""


def nested(steps: Sequence[StepView], book: Compiled | None) -> list[StepView]:
    """The steps in the order of the tree, each with its depth, kind and action."""
    depths = _depths(book) if book else {}
    places: dict[str, int] = {name: at for at, name in enumerate(depths)}
    for step in steps:
        for name, _ in _parts(step.step):
            places.setdefault(name, len(places))
    known = book.steps if book else {}
    told = [_told(step, known.get(_name(step)), depths.get(_name(step))) for step in steps]
    return sorted(told, key=lambda step: [(places[name], at) for name, at in _parts(step.step)])


def _told(step: StepView, known: Step | None, depth: int | None) -> StepView:
    """The step with what its revision knows of it, and the journal does not tell of one that never began."""
    return replace(
        step,
        depth=len(_parts(step.step)) - 1 if depth is None else depth,
        kind_of=step.kind_of or (_kind(known) if known else ""),
        action=step.action or _action(known),
    )


def _name(step: StepView) -> str:
    return _parts(step.step)[-1][0]


def _parts(path: str) -> list[tuple[str, int]]:
    """`a[2].b` is [("a", 2), ("b", -1)]."""
    parts = path.split(".")
    found = [_PART.fullmatch(part) for part in parts]
    return [(one[1], int(one[2])) if one else (part, _ITSELF) for part, one in zip(parts, found, strict=True)]


def _depths(book: Compiled) -> Mapping[str, int]:
    """Of each step, in the order of the file: how many others hold it."""
    depths: dict[str, int] = {}
    for steps in book.blocks.values():
        for step in within(steps):
            depth = depths.setdefault(step.path, 0)
            depths |= {inner.path: depth + 1 for inner in _held(step)}
    order = [step.path for steps in book.blocks.values() for step in within(steps)]
    return {path: depths[path] for path in order}


def _held(step: Step) -> list[Step]:
    return [inner for steps in lists_of(step) for inner in steps]


def _action(step: Step | None) -> str:
    match step:
        case ActionStep():
            return step.action
        case RunStep():
            return step.playbook
        case _:
            return ""


def _kind(step: Step) -> str:
    match step:
        case ActionStep():
            return ""
        case ForeachStep() | RepeatStep():
            return "loop"
        case ParallelStep():
            return "parallel"
        case SwitchStep():
            return "switch"
        case WaitStep():
            return "wait"
        case AskStep():
            return "ask"
        case RunStep():
            return "run"
        case PublishStep():
            return "publish"
        case SetStep():
            return "set"
        case ExitStep():
            return "exit"
        case _:
            assert_never(step)
