"""Single values: what is absent, and how text, times and tags are read."""

from typing import Any

import pytest

from engine.alert.values import is_absent, split_tag, tags_of, text_of, time_ms_of

AT_MS = 1_795_316_672_000


@pytest.mark.parametrize(
    "value",
    [None, "", "  \t", "null", "Null", "None", "NULL", "$HOSTNAME", " $TAGS[env] ", " " * 100, [], {}],
)
def test_these_values_say_nothing(value: Any) -> None:
    assert is_absent(value)
    assert text_of(value) == ""


@pytest.mark.parametrize(
    "value",
    [
        "0",
        0,
        False,
        "nullable",
        "$5",
        "$hostname",
        "$HOSTNAME is down",
        "costs $X",
        [None],
        {"a": ""},
        "$A b",
    ],
)
def test_these_values_say_something(value: Any) -> None:
    assert not is_absent(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  a b ", "a b"),
        (12345, "12345"),
        (12345.0, "12345"),
        (0.5, "0.5"),
        (True, "true"),
        ({"b": 1, "a": [None, "x"]}, '{"a":[null,"x"],"b":1}'),
        ([[]], "[[]]"),
    ],
)
def test_a_value_becomes_text(value: Any, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "at_ms"),
    [
        ("1795316672000", AT_MS),
        (1795316672000, AT_MS),
        (1795316672000.0, AT_MS),
        ("1795316672", AT_MS),  # seconds
        ("1795316672.25", AT_MS + 250),
        (1795316672.25, AT_MS + 250),
        ("1795316672000000", AT_MS),  # microseconds
        ("1795316672000000000", AT_MS),  # nanoseconds
        ("2026-11-22T03:04:32Z", AT_MS),
        ("2026-11-22T04:04:32+01:00", AT_MS),
        ("2026-11-22 03:04:32", AT_MS),  # without a zone: UTC
        ("yesterday", 0),
        ("-5", 0),
        (None, 0),
        ("$DATE", 0),
        ("0001-01-01", 0),
        ("9999-12-31T23:59:59-23:00", 0),
        (True, 0),
        ([1795316672], 0),
    ],
)
def test_a_time_is_read_in_milliseconds_whatever_its_unit(value: Any, at_ms: int) -> None:
    assert time_ms_of(value) == at_ms


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("a:b, c", ("a:b", "c")),
        ("monitor,url:https://x/y?z=1:2,,", ("monitor", "url:https://x/y?z=1:2")),
        ("env:prod,env:staging", ("env:prod", "env:staging")),
        ("team:$TAGS[team],null, env:none", ("env:none",)),
        ("", ()),
        (None, ()),
        (["a:b", "c, d", None, 7, ["e"]], ("a:b", "c", "d", "7", "e")),
        (
            {"env": "prod", "zone": ["a", "b"], "bare": None, "": "x"},
            ("env:prod", "zone:a", "zone:b", "bare"),
        ),
        (5, ("5",)),
    ],
)
def test_tags_are_kept_as_they_came(value: Any, tags: tuple[str, ...]) -> None:
    assert tags_of(value) == tags


@pytest.mark.parametrize(
    ("tag", "parts"),
    [
        ("env:prod", ("env", "prod")),
        ("url:https://a:8443/b", ("url", "https://a:8443/b")),
        ("monitor", ("monitor", "")),
        ("@http.status_code:500", ("@http.status_code", "500")),
        (":x", ("", "x")),
    ],
)
def test_a_tag_is_split_at_its_first_colon(tag: str, parts: tuple[str, str]) -> None:
    assert split_tag(tag) == parts
