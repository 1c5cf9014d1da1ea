"""What holds for every body, and how producers' values go the same way."""

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.alert.bounding import ALERT_BYTES_MAX
from engine.alert.naming import NAMES
from engine.alert.normalising import Unparsable, normalise, normalise_value
from schemas.alerts import Alert
from schemas.json import canonical

CONTENT_TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "", "text/plain; charset=utf-16", "multipart/x"]
)
VARIABLES = sorted({name for names in NAMES.values() for name in names} | {"metadata", "title", "org", "x"})
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["null", "$TAGS", "a:b, c", "1795316672000", "2026-11-22", "[TEST] x", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(VARIABLES), inner, max_size=4)
    ),
    max_leaves=12,
)
PAYLOADS = st.dictionaries(st.sampled_from(VARIABLES), VALUES, max_size=8)


def is_sound(answer: Alert | Unparsable) -> bool:
    """It fits into a row, onto Kafka, and into its size; or it says what is wrong."""
    if isinstance(answer, Unparsable):
        return bool(answer.problem)
    canonical(answer.metadata)
    return len(msgspec.msgpack.encode(answer)) <= ALERT_BYTES_MAX


@given(st.binary(max_size=300), CONTENT_TYPES)
def test_no_bytes_raise(body: bytes, content_type: str) -> None:
    assert is_sound(normalise(body, content_type))


@given(st.text(alphabet='{}[]":,\\ \n$%&=+abTAGS_0123u\x00é', max_size=200), CONTENT_TYPES)
def test_nothing_that_looks_like_json_or_a_form_raises(text: str, content_type: str) -> None:
    assert is_sound(normalise(text.encode(), content_type))


@given(PAYLOADS, CONTENT_TYPES)
def test_no_payload_raises_and_the_same_bytes_give_the_same_alert(
    payload: dict[str, Any], content_type: str
) -> None:
    body = json.dumps(payload).encode()

    answer = normalise(body, content_type)

    assert is_sound(answer)
    assert answer == normalise(body, content_type)


@given(PAYLOADS)
def test_a_producers_value_is_understood_like_a_webhooks_body(payload: dict[str, Any]) -> None:
    answer = normalise_value(payload)

    assert is_sound(answer)
    if isinstance(answer, Alert):
        assert answer == normalise(json.dumps(payload).encode(), "")


@given(st.integers(1, 6), st.data())
def test_a_recommended_payload_cut_anywhere_is_an_alert_or_unparsable(cuts: int, data: st.DataObject) -> None:
    body = json.dumps({"title": 'say "x"', "metadata": {"ALERT_ID": "1", "TAGS": "a:b"}}).encode()
    for _ in range(cuts):
        at = data.draw(st.integers(0, len(body)))
        body = body[:at] + data.draw(st.binary(max_size=2)) + body[at + data.draw(st.integers(0, 3)) :]

    assert is_sound(normalise(body, "application/json"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"level": "info", "text": "a log line"}, "neither a title nor the keys of a Datadog webhook"),
        ({}, "neither a title"),
        (["a", "b"], "a list of 2 values, not an object"),
        (None, "a single word, not an object"),
        ("title", "a single text, not an object"),
    ],
)
def test_a_producers_value_that_is_no_alert_is_refused_with_the_reason(value: Any, problem: str) -> None:
    answer = normalise_value(value)

    assert isinstance(answer, Unparsable)
    assert problem in answer.problem


def test_a_title_is_all_that_a_producer_must_give() -> None:
    assert normalise_value({"title": "Queue is long"}) == Alert(id="", title="Queue is long")


def test_a_webhook_with_keys_of_its_own_is_an_alert_that_keeps_them_as_metadata() -> None:
    alert = normalise(b'{"build": 7, "metadata": {"team": "a"}}', "application/json")

    assert isinstance(alert, Alert)
    assert alert.metadata == {"build": 7, "team": "a"}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"title": "t", "metadata": {f"k{at}": "v" * 900 for at in range(400)}}).encode(),
        json.dumps({"title": "t", "metadata": {f"key {at}": at for at in range(60_000)}}).encode(),
        b'{"title": "t", "body": "'
        + b"\xff" * 262_000
        + b'", "metadata": {"X": "'
        + b"\xe9" * 262_000
        + b'"}}',
        json.dumps({"title": "t", "tags": ",".join("a" * 3 + str(at) for at in range(70_000))}).encode(),
    ],
)
def test_an_alert_larger_than_any_record_may_be_is_cut_and_says_so(body: bytes) -> None:
    alert = normalise(body, "")

    assert isinstance(alert, Alert)
    assert is_sound(alert)
    assert alert.title == "t"
    assert "[cut: " in str(alert)


@pytest.mark.parametrize(
    "body",
    [
        b'{"title": "x' + b" " * 250_000 + b'"y"}',
        b'{"title": "' + b'"' * 250_000 + b"}",
        b'{"title": "' + b'", ' * 80_000 + b"}",
        b'{"title": "' + b'" } ' * 60_000 + b"}",
        b'{"a": [' * 60_000,
        b"[a] " * 60_000,
        b'{"title": "' + b"[a] " * 60_000 + b'"}',
        b'{"title": "[' + b"a a " * 60_000 + b'"}',
        b"a=" + b"%7B" * 80_000,
        b"a&" * 120_000,
        b"\\u" * 120_000,
        b'{"title": "' + b"\\u" * 120_000,
    ],
)
def test_a_body_made_to_cost_time_costs_no_more_than_its_size(body: bytes) -> None:
    began_s = time.process_time()

    assert is_sound(normalise(body, ""))
    assert time.process_time() - began_s < 2.0  # some 0.1 s; the square of the size would be minutes
