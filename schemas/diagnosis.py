"""Why a record cannot be written, in words: the slow second look after the fast writer stumbled.

Names the field and what is wrong with it, never its value: values may be anything a user sent.
"""

from math import isfinite
from typing import Any, assert_never

from schemas.avro_bytes import LONG_MAX, LONG_MIN
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.json import canonical
from schemas.shapes import (
    PYTHON_TYPES,
    Choice,
    JsonText,
    Many,
    Maybe,
    Named,
    Nested,
    OneOf,
    Primitive,
    Scalar,
    Shape,
    fields_of,
)


def what_is_wrong(record: Record) -> str | None:
    """The first field that cannot be written and why, such as `StepFinished.output: not JSON: ...`."""
    for field in fields_of(type(record)):
        problem = _problem(field.shape, getattr(record, field.name))
        if problem is not None:
            return f"{type(record).__name__}.{field.name}: {problem}"
    return None


def _problem(shape: Shape, value: Any) -> str | None:
    match shape:
        case Scalar(primitive):
            return _scalar_problem(primitive, value)
        case Choice(values):
            return None if isinstance(value, str) and value in values else f"none of {', '.join(values)}"
        case JsonText():
            return _json_problem(value)
        case Maybe(of):
            return None if value is None else _problem(of, value)
        case Many(of):
            if type(value) is not tuple:
                return f"a {type(value).__name__} in the place of a tuple"
            return next((found for one in value if (found := _problem(of, one))), None)
        case Named(of):
            if not isinstance(value, dict):
                return f"a {type(value).__name__} in the place of a dict"
            problems = (_scalar_problem("string", key) or _problem(of, one) for key, one in value.items())
            return next((problem for problem in problems if problem), None)
        case Nested(record):
            return _record_problem((record,), value)
        case OneOf(records):
            return _record_problem(records, value)
        case _:
            assert_never(shape)


def _record_problem(records: tuple[type[Record], ...], value: Any) -> str | None:
    if type(value) not in records:
        return f"a {type(value).__name__} in the place of {' or '.join(one.__name__ for one in records)}"
    return what_is_wrong(value)


def _json_problem(value: Any) -> str | None:
    try:
        canonical(value)
    except MalformedMessage as error:
        return str(error)
    return None


def _scalar_problem(primitive: Primitive, value: Any) -> str | None:
    if not isinstance(value, PYTHON_TYPES[primitive]):
        return f"a {type(value).__name__} in the place of a {primitive}"
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return "text that is not Unicode (a lone surrogate)"
        case float() if not isfinite(value):
            return "a number that is not finite (NaN or infinity)"
        case int() if not LONG_MIN <= value <= LONG_MAX:
            return "a whole number of more than 64 bits"
    return None
