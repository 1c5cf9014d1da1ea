"""Reads lists of steps: which kind each is, its id, and where it stands. What a kind takes is read in
`reading_kinds`, `reading_ask` and, for steps that hold other steps, in `reading_flow`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Literal, NamedTuple

from engine.playbook import reading_ask, reading_flow, reading_kinds
from engine.playbook.durations import as_duration
from engine.playbook.fields import Fields, kind_of
from engine.playbook.keys import STEPS
from engine.playbook.model import Step
from engine.playbook.positions import Level, Position
from engine.playbook.problems import nearest
from engine.playbook.reading_trigger import read_name
from engine.playbook.sites import Sites
from engine.yaml_text import SIZE_MAX_BYTES
from engine.yaml_values import Mark, Value
from schemas.actions import ActionSpec


class Limits(NamedTuple):
    """The bounds of one file, settable."""

    bytes_max: int = SIZE_MAX_BYTES
    steps_max: int = 500
    nesting_max: int = 10
    """Lists of steps within one another."""
    iterations_max: int = 1_000
    """Of a loop."""


DEFAULT_LIMITS = Limits()
_NEEDS_ID = frozenset({"action", "foreach", "repeat", "ask", "run"})

Read = Callable[["StepReader", Fields, str, str], Step]
KINDS: Mapping[str, Read] = {
    "action": reading_kinds.action,
    "publish": reading_kinds.publish,
    "set": reading_kinds.set_,
    "exit": reading_kinds.exit_,
    "wait": reading_kinds.wait,
    "ask": reading_ask.ask,
    "run": reading_kinds.run,
    "foreach": reading_flow.foreach,
    "repeat": reading_flow.repeat,
    "parallel": reading_flow.parallel,
    "switch": reading_flow.switch,
}
"""Kind of a step to what reads it: of its keys, path and condition makes the step."""


class StepReader:
    """Reads the blocks of one playbook, one after the other: steps are counted over all of them."""

    def __init__(
        self,
        sites: Sites,
        known: Mapping[str, ActionSpec],
        limits: Limits = DEFAULT_LIMITS,
        tokens: Collection[str] | None = None,
    ) -> None:
        self.sites = sites
        self.problems = sites.problems
        self.known = known
        self.tokens = tokens
        """Names of API tokens that exist; None: nobody knows."""
        self.positions: dict[str, Position] = {}
        """Where each step stands, by path."""
        self.limits = limits
        self._count = 0
        self._block, self._block_ms = "", 0
        self._top = 0
        """Steps of the blocks that were read: a block goes on counting where the last one ended."""
        self._ids: dict[str, Mark] = {}

    @property
    def after_steps(self) -> Position:
        """The place behind all that was read so far."""
        return (Level("", self._top),)

    def block(
        self, fields: Fields, name: Literal["steps", "on_failure", "finally"], block_ms: int
    ) -> tuple[Step, ...]:
        """The steps below one key of the playbook. `block_ms`: how long all of them have."""
        self.sites.stage, self._block, self._block_ms = name, name, block_ms
        steps = self.steps_of(fields, name, (), "", first=self._top)
        given = fields.value(name)
        self._top += len(given.data) if given is not None and isinstance(given.data, tuple) else 0
        return steps

    def check_time(self, inner: Fields, key: str, needs_ms: int) -> None:
        """Warns of a step that waits so long that its run, or its block, ends before it does.

        `inner`, `key`: where it says how long.
        """
        if needs_ms < self._block_ms or not inner.items:
            return
        whole = "the whole run" if self._block == "steps" else f"`{self._block}`"
        longer = ", or give the playbook a longer one" if self._block == "steps" else ""
        self.problems.warning(
            inner.key_mark(key),
            f"this may wait {as_duration(needs_ms)}, and {whole} has {as_duration(self._block_ms)}: "
            "that ends first, as a failure",
            f"a shorter `{key}` here{longer}",
        )

    def steps_of(
        self,
        fields: Fields,
        name: str,
        around: Position,
        sequence: str,
        *,
        first: int = 0,
        loop: str = "",
        variable: str = "",
    ) -> tuple[Step, ...]:
        """The list of steps under a key. `around`: where the step stands that holds it."""
        value = fields.value(name)
        if value is None:
            return ()
        if not isinstance(value.data, tuple):
            fields.wrong(name, "a list of steps", "begin each step with `- `")
            return ()
        if len(around) >= self.limits.nesting_max:
            message = f"steps within steps more than {self.limits.nesting_max} deep"
            self.problems.error(
                fields.key_mark(name), message, "move some into a playbook of their own, and `run` it"
            )
            return ()
        if self._count + len(value.data) > self.limits.steps_max:
            if self._count <= self.limits.steps_max:  # once is enough
                self.problems.error(
                    value.mark, f"more than {self.limits.steps_max} steps", "make two playbooks of it"
                )
            self._count += len(value.data)
            return ()
        kept = self.sites.at
        steps = []
        for at, item in enumerate(value.data, first):
            self._count += 1
            self.sites.at = (*around, Level(sequence, at, loop, variable))
            step = self._step(item)
            if step is not None:
                steps.append(step)
        self.sites.at = kept
        return tuple(steps)

    def _step(self, value: Value) -> Step | None:
        if not isinstance(value.data, dict):
            self.problems.error(value.mark, f"a step is a map, and this is {kind_of(value)}", _A_STEP)
            return None
        kinds = [name for name in value.data if name in STEPS]
        if len(kinds) != 1:
            self._not_one_kind(value, kinds)
            return None
        kind = kinds[0]
        fields = Fields(value, STEPS[kind], self.problems)
        path = self._path(fields, kind)
        self.positions[path] = self.sites.at
        condition = self.sites.expression(fields.value("if"), "if", "bool")
        return KINDS[kind](self, fields, path, condition)

    def _not_one_kind(self, value: Value, kinds: list[str]) -> None:
        if kinds:
            message = f"a step is one of `{kinds[0]}` and `{kinds[1]}`, not both"
            loop = "foreach" in kinds or "repeat" in kinds
            fix = "put what is repeated under the loop's `steps`" if loop else "make two steps of it"
            self.problems.error(value.keys[kinds[1]], message, fix)
            return
        for name, mark in value.keys.items():
            near = nearest(name, STEPS, "-")
            if near != "-":
                self.problems.error(mark, f"a step has no key `{name}`", near)
                return
        self.problems.error(value.mark, "this step says not what to do", _A_STEP)

    def _path(self, fields: Fields, kind: str) -> str:
        given = fields.value("id")
        number = f"#{self._count}"
        if given is None:
            if kind in _NEEDS_ID:
                fields.missing("id", "its name in `steps.<id>`, in the journal and on all pages")
            return number
        if not isinstance(given.data, str):
            fields.wrong("id", "a name")
            return number
        if not read_name(given.data, given.mark, "a step", self.problems):
            return number
        if given.data in self._ids:
            first = self._ids[given.data].line
            self.problems.error(given.mark, f"the id `{given.data}` is taken", f"first in line {first}")
            return number
        self._ids[given.data] = given.mark
        return given.data


_A_STEP = "a step has one of: " + ", ".join(STEPS)
