"""Every place of a file where an expression stands, gathered while it is read and checked afterwards.

What is wrong with an expression is found in `engine.playbook.checks`.
"""

from dataclasses import dataclass, field
from typing import Literal

from engine.playbook.fields import kind_of
from engine.playbook.positions import Position
from engine.playbook.problems import Problems
from engine.playbook.templates import OPENING, TemplateError, parse
from engine.yaml_values import Value

Stage = Literal["alert", "default", "steps", "on_failure", "finally", "outputs", "select"]
Wants = Literal["any", "bool", "text", "list"]


@dataclass(frozen=True, slots=True)
class Site:
    """One expression: `offset` is where it begins in `value`. `secrets`: it may be `secrets.NAME`."""

    text: str
    value: Value
    offset: int
    stage: Stage
    at: Position
    """Where its step stands; empty outside of steps."""
    wants: Wants = "any"
    whole: bool = True
    """The value is this expression and nothing else."""
    secrets: bool = False
    loop: str = ""
    """The loop whose `until` this is."""


@dataclass(slots=True)
class Sites:
    """The expressions of one file, and where we are in it."""

    problems: Problems
    found: list[Site] = field(default_factory=list)
    stage: Stage = "alert"
    at: Position = ()

    def expression(self, value: Value | None, name: str, wants: Wants = "any", loop: str = "") -> str:
        """A bare expression, as under `if`. Gives its text, empty where there is none.

        `loop`: the loop whose `until` it is.
        """
        if value is None:
            return ""
        if isinstance(value.data, bool) and wants == "bool":
            self._add(value.text.lower(), value, 0, wants, loop=loop)
            return value.text.lower()
        if not isinstance(value.data, str) or not value.data.strip():
            fix = "put it in quotes" if value.data is not None else "leave the key out"
            self.problems.error(value.mark, f"`{name}` should be an expression, and is {kind_of(value)}", fix)
            return ""
        text = value.data.strip()
        if text.startswith(OPENING):
            self.problems.error(value.mark, f"`{name}` takes a bare expression", "leave out the ${{ }}")
            return ""
        self._add(text, value, len(value.data) - len(value.data.lstrip()), wants, loop=loop)
        return text

    def template(self, value: Value, *, secrets: bool = False) -> None:
        """All placeholders in a value and below it."""
        if isinstance(value.data, dict):
            for key, item in value.data.items():
                if OPENING in key:
                    self.problems.error(value.keys[key], "a key cannot hold `${{ }}`", "only values can")
                self.template(item, secrets=secrets)
        elif isinstance(value.data, tuple):
            for item in value.data:
                self.template(item, secrets=secrets)
        elif isinstance(value.data, str) and OPENING in value.data:
            self._placeholders(value, secrets)

    def _placeholders(self, value: Value, secrets: bool) -> None:
        try:
            parts = parse(value.data)
        except TemplateError as error:
            fix = "an expression ends at the first }} outside its quotes and braces"
            self.problems.error(value.place(error.offset), str(error), fix)
            return
        for part in parts:
            if not isinstance(part, str):
                self._add(part.text, value, part.offset, "any", whole=len(parts) == 1, secrets=secrets)

    def _add(
        self,
        text: str,
        value: Value,
        offset: int,
        wants: Wants,
        *,
        whole: bool = True,
        secrets: bool = False,
        loop: str = "",
    ) -> None:
        self.found.append(Site(text, value, offset, self.stage, self.at, wants, whole, secrets, loop))
