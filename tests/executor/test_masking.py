"""No form of a secret that an answer may echo gets into a record."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.masking import Masker

SECRET = 's3cr&t/+ "ü" key?'


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        html.escape(SECRET),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_every_common_form_of_a_secret_is_masked(echo: str) -> None:
    masked = Masker([SECRET]).text(f"token <{echo}> was wrong")
    assert "***" in masked
    assert echo not in masked


@pytest.mark.parametrize("user", ["a", "ab", "abc"])
def test_a_secret_inside_a_longer_base64_text_is_masked(user: str) -> None:
    header = base64.b64encode(f"{user}:correct horse battery".encode()).decode()
    masked = Masker(["correct horse battery"]).text(header)
    kept = masked.replace("***", "")
    assert len(kept) <= len(header) - 24


def test_texts_and_keys_of_a_value_are_masked_at_any_depth_and_the_rest_is_kept() -> None:
    value = {"a": [1, None, True, "x-hunter22-y"], "hunter22": {"b": 2.5}}
    assert Masker(["hunter22"]).value(value) == {"a": [1, None, True, "x-***-y"], "***": {"b": 2.5}}


def test_lines_of_a_key_file_are_masked_one_by_one() -> None:
    masker = Masker(["-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n"])
    assert masker.text("at MIIEvQIBADANBg: bad") == "at ***: bad"


def test_the_longest_of_two_secrets_is_masked_whole() -> None:
    assert Masker(["abcdef", "abcdefgh"]).text("abcdefgh") == "***"


def test_without_secrets_a_value_is_the_same_object() -> None:
    value = {"a": "b"}
    assert Masker([]).value(value) is value
    assert Masker([""]).text("text") == "text"


def test_its_repr_shows_nothing() -> None:
    assert "hunter22" not in repr(Masker(["hunter22"]))


@given(st.text(min_size=1, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_secret_never_survives_wherever_it_stands(secret: str, before: str, after: str) -> None:
    masked = Masker([secret]).text(before + secret + after)
    assert secret not in masked.replace("***", "\x00") or secret in "\x00"


@pytest.mark.parametrize(
    "shown",
    [
        "https://chat.example.com/hooks/T0KEN-123",  # without its query, its port, and with a small host
        "/hooks/T0KEN-123",
        "GET /hooks/T0KEN%2D123",
        "sig=s1gnature",
    ],
)
def test_an_address_that_is_a_secret_is_masked_however_it_is_shown(shown: str) -> None:
    masker = Masker(["https://Chat.example.com:443/hooks/T0KEN%2D123?v=1&sig=s1gnature"])
    masked = masker.text(f"POST {shown} answered 500")
    assert "T0KEN" not in masked
    assert "s1gnature" not in masked


def test_a_bare_address_masks_no_single_slash() -> None:
    assert Masker(["https://example.com/"]).text("a/b") == "a/b"
