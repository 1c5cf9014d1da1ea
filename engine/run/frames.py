"""Where in a run a step is: `restart[2].kill` is the step `kill` of iteration 2 of the loop `restart`.

A frame gives expressions what the loops around them give: paths of the steps beside them, items and index.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from engine.playbook.compiled import Compiled
from engine.playbook.model import ForeachStep, Step
from engine.run.state import Run

_ITERATION = re.compile(r"(.+)\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Frame:
    """The iterations around a step."""

    loops: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The loops around each step of the playbook, by id."""
    prefixes: Mapping[tuple[str, ...], str] = field(default_factory=lambda: {(): ""})
    """What stands before the ids of steps in those loops, such as `restart[2].`."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Items by their names, and `index`."""

    def path_of(self, step: str) -> str:
        """The path of the step with that id, as seen from here. Raises KeyError."""
        return self.prefixes[self.loops.get(step, ())] + step


ROOT = Frame()


def id_of(path: str) -> str:
    """The step's own id."""
    return path.rpartition(".")[2]


def prefix_of(path: str) -> str:
    """What stands before it; empty outside of loops."""
    return path[: len(path) - len(id_of(path))]


def step_at(book: Compiled, path: str) -> Step:
    """The step, under its path in the run. Raises KeyError."""
    name = id_of(path)
    step = book.steps[name]
    return step if name == path else replace(step, path=path)


def frame_at(run: Run, book: Compiled, prefix: str) -> Frame:
    """The frame of steps behind that prefix; a prefix is empty or ends in a dot."""
    if not prefix:
        return ROOT if not book.loops else Frame(loops=book.loops)
    prefixes: dict[tuple[str, ...], str] = {(): ""}
    variables: dict[str, Any] = {}
    around: tuple[str, ...] = ()
    so_far = ""
    for part in prefix[:-1].split("."):
        found = _ITERATION.fullmatch(part)
        if found is None:
            raise KeyError(prefix)
        name, index = found[1], int(found[2])
        state = run.steps[so_far + name]
        step = book.steps[name]
        if isinstance(step, ForeachStep) and state.loop is not None:
            variables[step.variable] = state.loop.items[index]
        variables["index"] = index
        around = (*around, name)
        so_far += f"{part}."
        prefixes[around] = so_far
    return Frame(book.loops, prefixes, variables)
