from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import MalformedMessage
from schemas.json import DEPTH_MAX, INT_DIGITS_MAX, canonical, parsed, size_bytes

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@given(values)
def test_what_was_written_is_read_back(value: Any) -> None:
    assert parsed(canonical(value)) == value


@given(st.dictionaries(st.text(), values), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(value)


def test_the_text_is_compact_and_sorted_at_every_level() -> None:
    assert canonical({"b": 1, "a": {"d": "é", "c": [1.0, -0.0, None]}}) == (
        '{"a":{"c":[1.0,-0.0,null],"d":"é"},"b":1}'.encode()
    )


def test_the_size_is_that_of_the_text_in_bytes() -> None:
    assert size_bytes({"é": "é"}) == len('{"é":"é"}'.encode())


def test_a_tuple_is_an_array() -> None:
    assert canonical(("a", (1, 2))) == b'["a",[1,2]]'


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "not finite"),
        ({"a": [float("inf")]}, "not finite"),
        ({1: "a"}, "a key of type int"),
        ({"a": {None: 1}}, "a key of type NoneType"),
        ("\ud800", "not Unicode"),
        ({"\udfff": 1}, "not Unicode"),
        (b"bytes", "type bytes"),
        ([{"a": datetime(2026, 1, 1, tzinfo=UTC)}], "type datetime"),
        (Decimal("1.5"), "type Decimal"),
        ({1, 2}, "type set"),
        (10**INT_DIGITS_MAX, "300 digits"),
        (nested(DEPTH_MAX + 1), "nested deeper"),
        (nested(100_000), "nested deeper"),
    ],
)
def test_what_json_cannot_say_is_refused_with_the_reason(value: Any, said: str) -> None:
    with pytest.raises(MalformedMessage, match=said):
        canonical(value)


def test_the_deepest_nesting_that_is_allowed_is_written_and_read() -> None:
    assert parsed(canonical(nested(DEPTH_MAX))) == nested(DEPTH_MAX)


@pytest.mark.parametrize(
    "text", [b"", b"{", b'"\\ud800"', b'"\xff"', b"1e999", b"NaN", b"[" * 100_000, b"{} {}"]
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedMessage, match="not JSON"):
        parsed(text)


@given(st.binary())
def test_any_bytes_are_a_value_or_malformed(text: bytes) -> None:
    try:
        value = parsed(text)
    except MalformedMessage:
        return
    assert parsed(canonical(value)) == value
