"""Inputs of a run: what the caller gave, else the default, as the type that was declared. All problems at
once.

Text is taken as the declared type where it says exactly that (`"3"` is an int): the command line and a
default made of an alert's tags know only text. Nothing else is converted.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from engine.expressions import ExpressionError
from engine.playbook.compiled import Compiled
from engine.playbook.model import InputSpec, InputType
from schemas.errors import MalformedMessage
from schemas.json import parsed

_INT_BOUND = 2**63
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")
_WORDS: dict[InputType, str] = {
    "string": "text",
    "int": "a whole number of at most 64 bits",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "map": "a map",
}


class WrongInput(ValueError):
    """A value is not what its input wants. The message says what would be."""


def resolve(book: Compiled, given: Mapping[str, Any], scope: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Every declared input with its value, and what is wrong (empty: nothing). Wrong ones are left out."""
    specs = book.playbook.inputs
    values: dict[str, Any] = {}
    problems = [_unknown(name, specs) for name in sorted(given) if name not in specs]
    for name, spec in specs.items():
        try:
            if name in given:
                values[name] = checked(given[name], spec)
            elif spec.required:
                raise WrongInput("is missing and has no default")
            else:
                values[name] = checked(
                    book.render(spec.default, scope).value, spec, optional=spec.default is None
                )
        except ExpressionError as error:
            problems.append(f"the default of input `{name}`: {error.message}")
        except WrongInput as error:
            problems.append(f"input `{name}` {error}")
    return values, "; ".join(problems)


def checked(value: Any, spec: InputSpec, *, optional: bool = False) -> Any:
    """The value as its declared type, within its bounds. `optional`: null stays null. Raises WrongInput."""
    if value is None and optional:
        return None
    taken = _typed(value, spec.type)
    if isinstance(taken, int | float) and not isinstance(taken, bool):
        if spec.minimum is not None and taken < spec.minimum:
            raise WrongInput(f"is {taken}, less than its minimum {spec.minimum:g}")
        if spec.maximum is not None and taken > spec.maximum:
            raise WrongInput(f"is {taken}, more than its maximum {spec.maximum:g}")
    if spec.choices and taken not in spec.choices:
        choices = ", ".join(str(choice) for choice in spec.choices)
        raise WrongInput(f"is {_shown(taken)}, which is not one of {choices}")
    return taken


def _typed(value: Any, kind: InputType) -> Any:
    if kind == "string" and isinstance(value, str):
        return value
    if isinstance(value, str):
        value = _from_text(value.strip(), kind)
    right = {
        "string": False,
        "int": type(value) is int and -_INT_BOUND <= value < _INT_BOUND,
        "float": type(value) in (int, float),
        "bool": type(value) is bool,
        "list": isinstance(value, list),
        "map": isinstance(value, dict),
    }[kind]
    if not right:
        raise WrongInput(f"is {_shown(value)}, but should be {_WORDS[kind]}")
    return _as_float(value) if kind == "float" else value


def _as_float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise WrongInput("is a number out of range") from error


def _from_text(text: str, kind: InputType) -> Any:
    """What the text says, if it says exactly a value of that type, else the text."""
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and _NUMBER.fullmatch(text):
        number = float(text)
        return number if number - number == 0.0 else text
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind in ("list", "map") and text[:1] in ("[", "{"):
        try:
            return parsed(text)
        except MalformedMessage:
            return text
    return text


def _unknown(name: str, specs: Mapping[str, InputSpec]) -> str:
    near = get_close_matches(name, specs, n=1)
    known = f"did you mean `{near[0]}`?" if near else f"it takes {', '.join(specs) or 'none'}"
    return f"the playbook has no input `{name}` ({known})"


def _shown(value: Any) -> str:
    """A value in a message, short; inputs are recorded anyway."""
    text = repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return text if len(text) <= 80 else text[:79] + "…"
