"""How values go into expressions and come out of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import Environment
from engine.expressions_values import (
    DEPTH_MAX,
    NotJson,
    as_json,
    as_text,
    clean_text,
    coming_out,
    going_in,
    split_tags,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
ANYTHING = Environment({"value": "dyn"}).compile("value")


@given(JSON)
def test_a_json_value_comes_through_an_expression_unchanged(value: Any) -> None:
    found = ANYTHING.evaluate({"value": value})
    assert found == value
    assert as_json(found) == as_json(value)


@given(st.text(max_size=30))
def test_any_text_goes_in_without_what_the_library_cannot_hold(text: str) -> None:
    cleaned = clean_text(text)
    assert ANYTHING.evaluate({"value": text}) == cleaned
    assert cleaned == text or "\0" in text or not text.isascii()
    cleaned.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("ü\0", "ü\ufffd"),
        ("😀", "😀"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_nul_and_half_a_pair_become_the_replacement_character(text: str, expected: str) -> None:
    assert clean_text(text) == expected
    assert going_in({text: [text]}) == {expected: [expected]}


def test_a_whole_number_beyond_64_bits_becomes_text_so_that_no_digit_is_lost() -> None:
    big = [2**63, 2**64 - 1, 2**64, -(2**63) - 1]
    assert ANYTHING.evaluate({"value": big}) == [2**63, 2**64 - 1, str(2**64), str(-(2**63) - 1)]


def test_a_value_that_is_too_deep_is_refused() -> None:
    value: Any = 1
    for _ in range(DEPTH_MAX):
        value = [value]
    assert ANYTHING.evaluate({"value": value}) == value
    with pytest.raises(NotJson, match="more than 100 levels"):
        going_in([value])


def test_what_is_no_json_is_refused_on_both_ways() -> None:
    with pytest.raises(NotJson, match="set is not a JSON value"):
        going_in([{1}])
    with pytest.raises(NotJson, match="nan"):
        coming_out([float("nan")])
    with pytest.raises(NotJson, match="keys are not text"):
        coming_out({"a": {True: 1}})


def test_tags_are_split_into_text_and_the_keys_with_several_values() -> None:
    tags = {"a": "1", "b": ["2"], "c": ["3", "4"], "d": []}
    assert split_tags(tags) == ({"a": "1", "b": "2", "c": "3,4", "d": ""}, ["c", "d"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (3.0, "3"),
        (-0.5, "-0.5"),
        (1e21, "1e+21"),
        ([1, "a", None], '[1,"a",null]'),
        ({"b": 1.0, "a": "ü"}, '{"a":"ü","b":1.0}'),
    ],
)
def test_a_value_inside_longer_text(value: Any, text: str) -> None:
    assert as_text(value) == text
