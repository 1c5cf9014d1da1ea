"""What a loop of StackPulse goes over, and when it is left early."""

import re
from typing import Any

from engine.importing.cel import call, text_literal
from engine.importing.go_tree import NotTranslatable
from engine.importing.source import Source, below, scalar_text
from engine.importing.templates import as_condition, as_expression
from engine.yaml_values import Value
from engine.yaml_writing import Commented

_ROUNDS_MAX = 1_000
_NUMBER = re.compile(r"-?\d{1,9}")
_NOTHING = "[]"


def items_of(value: Value, source: Source) -> Any:
    """The expression below `foreach`. A range becomes its numbers; what cannot be said is an empty list."""
    if isinstance(value.data, dict):
        return _range(value, source)
    if isinstance(value.data, tuple):
        items = [_literal(item, source) for item in value.data]
        return f"[{', '.join(items)}]"
    text = scalar_text(value).strip()
    if "{{" not in text:
        text = f"{{{{ {text if text[:1] in ('$', '.') else '.' + text} }}}}"
    try:
        found = as_expression(text, source.names)
    except NotTranslatable as fault:
        return _nothing(value, f"over nothing, because it could not be translated: {fault}", source)
    notes = tuple(source.notes.add(value.mark, remark) for remark in source.names.remarks)
    if found.kind == "string":
        found = call(found, "split", text_literal(","), kind="list")
        notes += (source.notes.add(value.mark, "an input is text here: it is taken for a comma list"),)
    return Commented(found.text, notes) if notes else found.text


def _literal(item: Value, source: Source) -> str:
    """An item of a list that is written out, as an expression."""
    try:
        return as_expression(scalar_text(item), source.names).text
    except NotTranslatable:
        return text_literal(scalar_text(item)).text


def _range(value: Value, source: Source) -> Any:
    given = below(value, "range")
    bounds = given.data if given is not None and isinstance(given.data, tuple) else ()
    texts = [scalar_text(bound).strip() for bound in bounds]
    if len(texts) != 2 or not all(_NUMBER.fullmatch(text) for text in texts):
        return _nothing(value, "over nothing: a `range` is two numbers, the first and the last", source)
    first, last = int(texts[0]), int(texts[1])
    numbers = list(range(first, min(last, first + _ROUNDS_MAX - 1) + 1))
    written = f"[{', '.join(map(str, numbers))}]"
    note = source.notes.add(value.mark, f"the range is taken to hold its last number: {len(numbers)} rounds")
    return Commented(written, (note,))


def _nothing(value: Value, message: str, source: Source) -> Commented:
    return Commented(_NOTHING, (source.notes.add(value.mark, message),))


def until_of(value: Value | None, loop: str, source: Source) -> Any:
    """A `break` as `until`; None where there is none."""
    if value is None or not scalar_text(value).strip():
        return None
    names = source.names
    names.ended = loop
    try:
        found = as_condition(scalar_text(value), names)
    except NotTranslatable as fault:
        message = f"never left early, because `break` could not be translated: {fault}"
        return Commented("false", (source.notes.add(value.mark, message),))
    finally:
        names.ended = ""
    notes = tuple(source.notes.add(value.mark, remark) for remark in names.remarks)
    return Commented(found.text, notes) if notes else found.text
