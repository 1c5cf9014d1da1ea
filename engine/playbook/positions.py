"""Where a step or an expression stands among the steps of a playbook, and what has run by then.

A position is a way down from the playbook's own list of steps: at each level a list and a place in it. What
is said of a step that cannot be named somewhere is in `engine.playbook.checks`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Level:
    """A place in one list of steps. `index` of an `until` is one beyond the last step of its loop."""

    sequence: str
    """Names the list: of two lists of one step, each has its own."""
    index: int
    loop: str = ""
    """The loop whose iterations run this list; empty where it runs at most once."""
    variable: str = ""


Position = tuple[Level, ...]
Before = Literal["has_run", "itself", "around", "inside", "later", "other_branch", "in_loop"]


def seen(step: Position, here: Position) -> Before:
    """Whether the step at `step` has run where `here` is; `in_loop`: it has, any number of times."""
    for at, (its, ours) in enumerate(zip(step, here, strict=False)):
        if its.sequence != ours.sequence:
            return "other_branch"
        if its.index > ours.index:
            return "later"
        if its.index < ours.index:
            return "in_loop" if any(level.loop for level in step[at + 1 :]) else "has_run"
    if len(step) == len(here):
        return "itself"
    return "inside" if len(step) > len(here) else "around"


def loops(position: Position) -> tuple[str, ...]:
    """The loops around a place, the outermost first."""
    return tuple(level.loop for level in position if level.loop)
