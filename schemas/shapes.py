"""What the type of a record's field means for its written form: one small vocabulary for schema and codec.

Reads type hints only. How a shape looks in Avro is `schemas.avro_form`; how its bytes are made is
`schemas.avro_code`. A type without a shape is refused when the program starts, not when a record is sent.
"""

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from schemas.fields import Record

Primitive = Literal["string", "long", "double", "boolean", "bytes"]
_PRIMITIVES: dict[Any, Primitive] = {
    str: "string",
    int: "long",
    float: "double",
    bool: "boolean",
    bytes: "bytes",
}
_UNION_MAX = 64
"""So that which record it is takes one byte."""
PYTHON_TYPES: dict[Primitive, tuple[type, ...]] = {
    "string": (str,),
    "long": (int,),
    "double": (float, int),
    "boolean": (bool,),
    "bytes": (bytes,),
}
"""What a plain value of each may be in memory."""
REQUIRED = msgspec.NODEFAULT
"""The default of a field that must be given."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One plain value."""

    primitive: Primitive


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few texts (`Literal`)."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JsonText:
    """Any JSON value, written as its canonical text."""


@dataclass(frozen=True, slots=True)
class Maybe:
    """`X | None`."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Many:
    """`tuple[X, ...]`."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Named:
    """`dict[str, X]`."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Nested:
    """A record within a record."""

    record: type[Record]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several records; which one is written in front of it."""

    records: tuple[type[Record], ...]


Shape = Scalar | Choice | JsonText | Maybe | Many | Named | Nested | OneOf


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record. `default` is `REQUIRED` where there is none."""

    name: str
    shape: Shape
    doc: str
    default: Any


def fields_of(record: type[Record]) -> tuple[Field, ...]:
    """The fields of a record in their order. Raises TypeError for a type that has no written form."""
    hints = get_type_hints(record, include_extras=True)
    found = []
    for field in msgspec.structs.fields(record):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        try:
            shape = _shape(hints[field.name])
        except TypeError as error:
            raise TypeError(f"{record.__name__}.{field.name}: {error}") from None
        found.append(Field(field.name, shape, _doc(hints[field.name]), default))
    return tuple(found)


def records_within(record: type[Record]) -> Iterator[type[Record]]:
    """The record and all that it holds, inner ones first, each once."""
    seen: dict[type[Record], None] = {}

    def visit(one: type[Record]) -> None:
        for field in fields_of(one):
            for inner in _records_in(field.shape):
                if inner not in seen:
                    visit(inner)
        seen[one] = None

    visit(record)
    return iter(seen)


def _records_in(shape: Shape) -> tuple[type[Record], ...]:
    match shape:
        case Maybe(of) | Many(of) | Named(of):
            return _records_in(of)
        case Nested(record):
            return (record,)
        case OneOf(records):
            return records
        case _:
            return ()


def _shape(hint: Any) -> Shape:
    if get_origin(hint) is Annotated:
        inner, *metas = get_args(hint)
        if any(isinstance(meta, msgspec.Meta) and (meta.extra or {}).get("avro") == "json" for meta in metas):
            return JsonText()
        return _shape(inner)
    if hint in _PRIMITIVES:
        return Scalar(_PRIMITIVES[hint])
    if isinstance(hint, type) and issubclass(hint, Record):
        return Nested(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal and all(isinstance(value, str) for value in arguments):
        return Choice(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return Many(_shape(arguments[0]))
    if origin is dict and arguments[0] is str:
        return Named(_shape(arguments[1]))
    if origin in (Union, types.UnionType):
        return _union(tuple(one for one in arguments if one is not type(None)), type(None) in arguments)
    raise TypeError(f"the type {hint!r} has no written form")


def _union(arguments: tuple[Any, ...], nullable: bool) -> Shape:
    if len(arguments) == 1:
        shape = _shape(arguments[0])
        if isinstance(shape, JsonText):
            raise TypeError("any JSON value includes null already")
        return Maybe(shape) if nullable else shape
    if not nullable and all(isinstance(one, type) and issubclass(one, Record) for one in arguments):
        if len(arguments) > _UNION_MAX:
            raise TypeError(f"a union of more than {_UNION_MAX} records")
        return OneOf(arguments)
    raise TypeError("only `X | None` and unions of records have a written form")


def _doc(hint: Any) -> str:
    texts = [
        meta.description for meta in get_args(hint)[1:] if isinstance(meta, msgspec.Meta) and meta.description
    ]
    return texts[-1] if texts else ""
