"""A playbook revision ready to run: its steps by path, and its expressions, compiled once when first needed.

Making one costs nothing; nothing in it changes what it answers. Names that the caller leaves out of a scope
have their neutral value ("", 0, false, null, empty).
"""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Literal

from engine.expressions import Environment, ExpressionError, Program
from engine.playbook.model import ForeachStep, Playbook, RepeatStep, Step
from engine.playbook.names import names_of
from engine.playbook.rendering import Plan, Rendered, placed, plan
from engine.playbook.walking import lists_of, within

Block = Literal["steps", "on_failure", "finally"]
_PLANS_MAX = 4_096
"""Values whose plan is kept; those of a playbook are at most some per step."""


class Compiled:
    """One playbook, by its digest."""

    def __init__(self, playbook: Playbook, digest: str) -> None:
        self.playbook = playbook
        self.digest = digest
        self._programs: dict[str, Program] = {}
        self._plans: dict[tuple[int, Collection[str]], tuple[Any, Plan]] = {}

    def __repr__(self) -> str:
        return f"Compiled({self.playbook.name!r}, {self.digest[:12]!r})"

    @cached_property
    def blocks(self) -> Mapping[Block, tuple[Step, ...]]:
        """The steps of each block, in order."""
        book = self.playbook
        return {"steps": book.steps, "on_failure": book.on_failure, "finally": book.finally_}

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """Every step by its path, those within others included."""
        return {step.path: step for steps in self.blocks.values() for step in within(steps)}

    @cached_property
    def _blocks_by_path(self) -> Mapping[str, Block]:
        return {step.path: block for block, steps in self.blocks.items() for step in within(steps)}

    def block_of(self, path: str) -> Block:
        """The block that a step is in. Raises KeyError for an unknown path."""
        return self._blocks_by_path[path]

    @cached_property
    def loops(self) -> Mapping[str, tuple[str, ...]]:
        """The loops around each step, the outermost first, by the step's path."""
        found: dict[str, tuple[str, ...]] = {}

        def enter(steps: tuple[Step, ...], around: tuple[str, ...]) -> None:
            for step in steps:
                found[step.path] = around
                inner = (*around, step.path) if isinstance(step, ForeachStep | RepeatStep) else around
                for below in lists_of(step):
                    enter(below, inner)

        for steps in self.blocks.values():
            enter(steps, ())
        return found

    def evaluate(self, text: str, scope: Mapping[str, Any]) -> Any:
        """The JSON value of an expression. Raises ExpressionError, which repeats the expression."""
        try:
            return self.program(text).evaluate(scope)
        except ExpressionError as error:
            raise placed(error, text) from error

    def boolean(self, text: str, scope: Mapping[str, Any]) -> bool:
        """The same where only true or false will do."""
        value = self.evaluate(text, scope)
        if value is True or value is False:
            return bool(value)
        raise placed(ExpressionError(f"it must be true or false, and is {type(value).__name__}"), text)

    def render(self, value: Any, scope: Mapping[str, Any], *, url_inputs: Collection[str] = ()) -> Rendered:
        """A JSON value with its placeholders filled in. Raises ExpressionError naming the place.

        Hand in values of the playbook themselves, not copies: the plan of a value is kept by its identity. A
        literal comes back as the same object.
        """
        key = (id(value), url_inputs if isinstance(url_inputs, tuple | frozenset) else tuple(url_inputs))
        known = self._plans.get(key)
        if known is None or known[0] is not value:
            if len(self._plans) >= _PLANS_MAX:
                self._plans.clear()
            # The value is kept with its plan, so that its identity stays its own.
            known = self._plans[key] = (value, plan(value, self.program, url_inputs))
        return known[1].render(scope)

    def program(self, text: str) -> Program:
        """The compiled expression. Raises ExpressionError with line and column where it is wrong."""
        program = self._programs.get(text)
        if program is None:
            program = self._programs[text] = self._environment.compile(text)
        return program

    @cached_property
    def _environment(self) -> Environment:
        return Environment(names_of(self.playbook))
