from typing import Annotated, Any, Literal

import msgspec
import pytest

from schemas.avro_code import Functions
from schemas.avro_form import schema_of
from schemas.fields import Json, Record, doc
from schemas.shapes import (
    REQUIRED,
    Choice,
    Field,
    JsonText,
    Many,
    Maybe,
    Named,
    Nested,
    OneOf,
    Scalar,
    fields_of,
    records_within,
)


class Leaf(Record, frozen=True, kw_only=True):
    """A leaf."""

    ratio: Annotated[float, doc("A ratio.")] = 0.5


class Other(Record, frozen=True, kw_only=True):
    """Another leaf."""


class Tree(Record, frozen=True, kw_only=True):
    """A bit of everything."""

    name: Annotated[str, doc("Its name.")]
    kind: Literal["oak", "ash"] = "oak"
    data: Annotated[Json, doc("Anything.")] = msgspec.field(default_factory=dict)
    first: Leaf | None = None
    weights: dict[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    parts: tuple[Leaf | Other, ...] = ()
    tall: bool | None = None
    leaf: Leaf = Leaf()


def shape_of(hint: Any) -> Any:
    record = msgspec.defstruct("Tried", [("field", hint)], bases=(Record,), frozen=True, kw_only=True)
    assert issubclass(record, Record)
    return fields_of(record)[0].shape


def test_every_field_has_its_shape_its_words_and_its_default() -> None:
    assert fields_of(Tree) == (
        Field("name", Scalar("string"), "Its name.", REQUIRED),
        Field("kind", Choice(("oak", "ash")), "", "oak"),
        Field("data", JsonText(), "Anything.", {}),
        Field("first", Maybe(Nested(Leaf)), "", None),
        Field("weights", Named(Many(Scalar("long"))), "", {}),
        Field("parts", Many(OneOf((Leaf, Other))), "", ()),
        Field("tall", Maybe(Scalar("boolean")), "", None),
        Field("leaf", Nested(Leaf), "", Leaf()),
    )


def test_inner_records_come_before_those_that_hold_them_each_once() -> None:
    assert tuple(records_within(Tree)) == (Leaf, Other, Tree)


@pytest.mark.parametrize(
    "record",
    [
        Tree(name="a"),
        Tree(
            name="é" * 5_000,
            kind="ash",
            data=[1, {"b": None}],
            first=Leaf(ratio=-1e300),
            weights={"b": tuple(range(-3, 3)), "a": (), "c": tuple(range(10_000))},
            parts=(Other(), Leaf(ratio=0.1), Other()),
            tall=False,
            leaf=Leaf(ratio=2.0),
        ),
    ],
)
def test_every_shape_is_written_and_read_back(record: Tree) -> None:
    write, read = Functions().of(Tree)
    parts: list[bytes] = []
    write(record, parts.append)
    body = b"".join(parts)
    assert read(body, 0) == (record, len(body))


@pytest.mark.parametrize("ratio", [float("nan"), float("-inf")])
def test_a_number_that_is_not_finite_is_not_written(ratio: float) -> None:
    parts: list[bytes] = []
    with pytest.raises(ValueError, match="not finite"):
        Functions().of(Leaf)[0](Leaf(ratio=ratio), parts.append)


@pytest.mark.parametrize(
    "hint",
    [Any, object, list[str], tuple[str, int], dict[int, str], str | int, str | int | None, Json | None, set],
)
def test_a_type_without_a_written_form_is_refused_by_name(hint: Any) -> None:
    with pytest.raises(TypeError, match=r"Tried\.field: "):
        shape_of(hint)


def test_an_optional_field_whose_default_is_not_null_is_refused() -> None:
    class Odd(Record, frozen=True, kw_only=True):
        """Odd."""

        size: int | None = 3

    with pytest.raises(TypeError, match="size: the default of an optional field is null"):
        schema_of(Odd)
