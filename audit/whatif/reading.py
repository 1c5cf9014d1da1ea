"""Which steps of a playbook read what other steps came to: by the names in their expressions, through
variables, and within the loops and cases that stand around them.

Read off the texts of a step, so it may find a step too many (a name in a quoted text), never one too few.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.playbook.compiled import Compiled
from engine.playbook.model import SetStep, Step
from engine.playbook.walking import expressions_of, lists_of, templates_of
from schemas.json import canonical

_STEP = re.compile(r"\b(?:steps|item)\s*\.\s*(\w+)")
_VARIABLE = re.compile(r"\bvars\s*\.\s*(\w+)")


@dataclass(frozen=True, slots=True)
class _Reads:
    """Names in one step, and where it stands."""

    steps: frozenset[str]
    variables: frozenset[str]
    sets: frozenset[str]
    around: tuple[str, ...]
    """The steps that it stands in."""


def readers_of(book: Compiled, steps: Collection[str]) -> frozenset[str]:
    """Ids of the steps whose doings depend on what these came to, directly or through others."""
    reads = _reads(book)
    values = {*steps, *(outer for step in steps if step in reads for outer in reads[step].around)}
    variables: set[str] = set()
    found: set[str] = set()
    while more := {
        step
        for step, one in reads.items()
        if step not in found
        and (values & one.steps or variables & one.variables or found.intersection(one.around))
    }:
        found |= more
        for step in more:
            values |= {step, *reads[step].around}
            variables |= reads[step].sets
    return frozenset(found)


@lru_cache(maxsize=1_024)
def _reads(book: Compiled) -> Mapping[str, _Reads]:
    return {
        step.path: one for steps in book.blocks.values() for top in steps for step, one in _within(top, ())
    }


def _within(step: Step, around: tuple[str, ...]) -> Iterator[tuple[Step, _Reads]]:
    text = "\n".join((*expressions_of(step), canonical(templates_of(step)).decode()))
    sets = frozenset(step.values) if isinstance(step, SetStep) else frozenset()
    yield step, _Reads(frozenset(_STEP.findall(text)), frozenset(_VARIABLE.findall(text)), sets, around)
    for below in lists_of(step):
        for inner in below:
            yield from _within(inner, (*around, step.path))
