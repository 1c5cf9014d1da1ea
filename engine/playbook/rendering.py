"""JSON values with `${{ }}` inside: planned once, then filled in. Literals are handed on as they are.

A text that is exactly one placeholder becomes the expression's value; inside longer text the value becomes
text. In a URL what is filled in is percent-encoded, but not what begins the URL. `secrets.NAME` is never
filled in here: it leaves null and a slot for the executor.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from engine.expressions import ExpressionError, Program
from engine.expressions_values import as_text
from engine.playbook.templates import OPENING, Placeholder, TemplateError, parse
from schemas.actions import SecretSlot

_SHOWN_MAX = 200
"""Characters of an expression that an error repeats."""
Path = tuple[str, ...]
Compile = Callable[[str], Program]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A value without placeholders, and where secrets go in it."""

    value: Any
    secrets: tuple[SecretSlot, ...] = ()


Fill = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to render one value. `fill` is None where it is a literal."""

    literal: Any
    fill: Fill | None
    secrets: tuple[SecretSlot, ...]

    def render(self, scope: Mapping[str, Any]) -> Rendered:
        """Raises ExpressionError naming the place."""
        return Rendered(self.literal if self.fill is None else self.fill(scope), self.secrets)


def plan(value: Any, compiled: Compile, url_inputs: Collection[str] = ()) -> Plan:
    """Raises ExpressionError where a placeholder is not closed or does not compile."""
    slots: list[SecretSlot] = []
    fill = _Planner(compiled, frozenset(url_inputs), slots).fill(value, ())
    return Plan(value, fill, tuple(slots))


class _Planner:
    """One walk through a value."""

    def __init__(self, compiled: Compile, url_inputs: Collection[str], slots: list[SecretSlot]) -> None:
        self._compile = compiled
        self._url_inputs = url_inputs
        self._slots = slots

    def fill(self, value: Any, path: Path) -> Fill | None:
        """None where nothing is to be filled in below."""
        if isinstance(value, str):
            return self._text(value, path) if OPENING in value else None
        if isinstance(value, dict):
            return self._map({key: (item, self.fill(item, (*path, key))) for key, item in value.items()})
        if isinstance(value, list | tuple):
            return self._list([(item, self.fill(item, (*path, str(at)))) for at, item in enumerate(value)])
        return None

    def _map(self, items: dict[str, tuple[Any, Fill | None]]) -> Fill | None:
        if all(fill is None for _, fill in items.values()):
            return None
        return lambda scope: {
            key: item if fill is None else fill(scope) for key, (item, fill) in items.items()
        }

    def _list(self, items: list[tuple[Any, Fill | None]]) -> Fill | None:
        if all(fill is None for _, fill in items):
            return None
        return lambda scope: [item if fill is None else fill(scope) for item, fill in items]

    def _text(self, text: str, path: Path) -> Fill:
        place = ".".join(path)
        try:
            parts = parse(text)
        except TemplateError as error:
            raise ExpressionError(f"{place}: {error}") from error
        if len(parts) == 1 and isinstance(parts[0], Placeholder):
            if parts[0].secret:
                self._slots.append(SecretSlot(path=path, name=parts[0].secret))
                return lambda scope: None
            return self._value(parts[0].text, place)
        encoded = bool(path) and path[0] in self._url_inputs
        pieces = [self._piece(part, place, encoded and at > 0) for at, part in enumerate(parts)]
        return lambda scope: "".join([piece if isinstance(piece, str) else piece(scope) for piece in pieces])

    def _piece(self, part: str | Placeholder, place: str, encoded: bool) -> str | Fill:
        if isinstance(part, str):
            return part
        value = self._value(part.text, place)
        if encoded:
            return lambda scope: quote(as_text(value(scope)), safe="")
        return lambda scope: as_text(value(scope))

    def _value(self, text: str, place: str) -> Fill:
        try:
            program = self._compile(text)
        except ExpressionError as error:
            raise placed(error, text, place) from error

        def evaluate(scope: Mapping[str, Any]) -> Any:
            try:
                return program.evaluate(scope)
            except ExpressionError as error:
                raise placed(error, text, place) from error

        return evaluate


def placed(error: ExpressionError, text: str, place: str = "") -> ExpressionError:
    """The error with the expression, and its place in the playbook, in its message."""
    shown = text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
    message = f"{place + ': ' if place else ''}`{shown}`: {error.message}"
    return ExpressionError(message, error.line, error.column)
