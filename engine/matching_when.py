"""`when` of all playbooks for one alert: each text is compiled once and asked once, whoever has it.

What it sees is the alert alone, so that the same text says the same in every playbook.
"""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from engine.alert.scope import alert_scope
from engine.expressions import Environment, ExpressionError, Program
from engine.matching_needs import Need, needs_of
from engine.playbook.compiled import Compiled
from engine.playbook.names import ALERT_NAMES
from engine.playbook.rendering import placed
from schemas.alerts import Alert

_TEXTS_MAX = 16_384
_ONE_BY_ONE = 16
"""Up to so many expressions are given what they use; of more, the whole alert is made ready once."""


class Asked(NamedTuple):
    """A `when` ready to be asked."""

    program: Program
    needs: tuple[Need, ...]


@lru_cache(maxsize=_TEXTS_MAX)
def asked(text: str) -> Asked | None:
    """The expression, compiled; None where it uses more than the alert, or is wrong."""
    try:
        program, checked = _environment().compile_apart(text)
    except ExpressionError:
        return None
    return Asked(program, needs_of(checked))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(ALERT_NAMES)


class Whens:
    """What the `when`s say of one alert."""

    def __init__(self, alert: Alert) -> None:
        self._alert = alert
        self._found: dict[str, str] = {}

    @cached_property
    def scope(self) -> Mapping[str, Any]:
        """What `when` can see."""
        return alert_scope(self._alert)

    def why_false(self, text: str, book: Compiled) -> str:
        """Nothing where it is true; else that it is false, or its error. `book`: a playbook that has it."""
        found = self._found.get(text)
        if found is None:
            found = self._found[text] = self._ask(text, book)
        return found

    def _ask(self, text: str, book: Compiled) -> str:
        try:
            return "" if self._boolean(text, book) else f"`{text}` is false"
        except ExpressionError as error:
            return f"`{text}` failed: {error}"

    def _boolean(self, text: str, book: Compiled) -> bool:
        known = asked(text)
        if known is None or known.program.kind != "bool":
            return book.boolean(text, self.scope)
        try:
            if len(self._found) < _ONE_BY_ONE or self._ready is None:
                return bool(known.program.evaluate(self.scope))
            return bool(known.program.evaluate_in(self._ready))
        except ExpressionError as error:
            raise placed(error, text) from error

    @cached_property
    def _ready(self) -> Any:
        """The alert as expressions take it; None where it holds what no expression can."""
        try:
            return _environment().activation({name: self.scope[name] for name in ALERT_NAMES})
        except ExpressionError:
            return None
