"""Any record at all: Hypothesis strategies made from the shapes of the fields."""

from functools import cache
from typing import Any, assert_never

from hypothesis import strategies as st

from schemas.avro_bytes import LONG_MAX, LONG_MIN
from schemas.avro_form import top_level
from schemas.fields import Record
from schemas.shapes import Choice, JsonText, Many, Maybe, Named, Nested, OneOf, Scalar, Shape, fields_of

_finite = st.floats(allow_nan=False, allow_infinity=False)
_json_scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | _finite | st.text(max_size=20)
any_json: st.SearchStrategy[Any] = st.recursive(
    _json_scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_scalars: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=80),
    "long": st.integers(0, 100) | st.integers(LONG_MIN, LONG_MAX),
    "double": _finite,
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=80),
}


@cache
def any_of(record: type[Record]) -> st.SearchStrategy[Any]:
    """Any record of this type."""
    return st.builds(record, **{field.name: _values(field.shape) for field in fields_of(record)})


def any_record() -> st.SearchStrategy[Any]:
    """Any record of any topic."""
    return st.one_of([any_of(record) for record in top_level()])


def _values(shape: Shape) -> st.SearchStrategy[Any]:
    match shape:
        case Scalar(primitive):
            return _scalars[primitive]
        case Choice(values):
            return st.sampled_from(values)
        case JsonText():
            return any_json
        case Maybe(of):
            return st.none() | _values(of)
        case Many(of):
            return st.lists(_values(of), max_size=4).map(tuple)
        case Named(of):
            return st.dictionaries(st.text(max_size=8), _values(of), max_size=4)
        case Nested(record):
            return any_of(record)
        case OneOf(records):
            return st.one_of([any_of(one) for one in records])
        case _:
            assert_never(shape)
