"""The small pure parts of the web process: cursors, times, masks, addresses, watchers."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.hooks.addresses import Address, address
from console.hooks.alerts import new_alert_id
from console.masking import masked_path
from console.paging import BadCursor, decode_cursor, encode_cursor
from console.read_model.watching import Watchers
from console.starting import request_id
from console.times import BadTime, duration_ms, moment_ms
from schemas.ids import alert_id_for_body

NOW_MS = 1_795_320_000_000


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.text()))
def test_a_cursor_comes_back_as_it_was(mark: list[int | str]) -> None:
    cursor = encode_cursor(mark)

    assert decode_cursor(cursor, [type(each) for each in mark]) == mark
    assert cursor.isascii() and "=" not in cursor


@given(st.text())
def test_no_text_that_is_no_cursor_does_any_harm(text: str) -> None:
    try:
        decode_cursor(text, (int, str))
    except BadCursor as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "ms"),
    [("25s", 25_000), ("500ms", 500), ("1h30m", 5_400_000), ("7d", 604_800_000), (" 2h ", 7_200_000)],
)
def test_durations_are_read_as_people_write_them(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "5", "-5s", "1.5h", "soon", "5 s s", "1h 30m"])
def test_what_is_no_duration_says_what_would_be(text: str) -> None:
    with pytest.raises(BadTime, match="25s"):
        duration_ms(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2h", NOW_MS - 7_200_000),
        ("1795320000000", 1_795_320_000_000),
        ("2026-11-22T04:00:00Z", 1_795_320_000_000),
        ("2026-11-22T05:00:00+01:00", 1_795_320_000_000),
        ("2026-11-22T04:00:00", 1_795_320_000_000),
        ("2026-11-22", 1_795_305_600_000),
        ("0", 0),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, ms: int) -> None:
    assert moment_ms(text, NOW_MS) == ms


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "9" * 40, "-5"])
def test_what_is_no_moment_says_what_would_be(text: str) -> None:
    with pytest.raises(BadTime, match="2h"):
        moment_ms(text, NOW_MS)


@pytest.mark.parametrize(
    ("path", "masked"),
    [
        ("/hooks/demo/secret", "/hooks/demo/***"),
        ("/hooks/demo/secret/playbook", "/hooks/demo/***"),
        ("/hooks//demo/secret", "/hooks/demo/***"),
        ("//hooks///demo//secret", "/hooks/demo/***"),
        ("/HOOKS/demo/secret", "/HOOKS/demo/***"),
        ("/prefix/hooks/demo/secret\n/more", "/prefix/hooks/demo/***"),
        ("/hooks/demo", "/hooks/demo"),
        ("/api/v1/runs/r-1", "/api/v1/runs/r-1"),
        ("/x\r\nforged line", "/x??forged line"),
    ],
)
def test_a_path_that_is_logged_holds_no_token_and_no_line_of_its_own(path: str, masked: str) -> None:
    assert masked_path(path) == masked


PRINTABLE = st.characters(exclude_categories=("C", "Z"), exclude_characters="/")


@given(st.text(), st.text(PRINTABLE, min_size=12))
def test_no_token_in_a_hooks_path_survives_masking(endpoint: str, token: str) -> None:
    assert token not in masked_path(f"/hooks/{endpoint.replace('/', '')}x/{token}").partition("x/")[2]


def scope(path: bytes, *headers: tuple[bytes, bytes]) -> Any:
    return {"raw_path": path, "headers": list(headers)}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (b"/hooks/demo/t0", Address("demo", "t0", "")),
        (b"/hooks/demo/t0/book", Address("demo", "t0", "book")),
        (b"/base/hooks/demo/t0", Address("demo", "t0", "")),
        (b"/hooks/d%C3%A9mo/a%2Fb", Address("démo", "a/b", "")),
        (b"/hooks/demo", Address("demo", "in-header", "")),
        (b"/hooks/demo/-/book", Address("demo", "in-header", "book")),
        (b"/hooks/", None),
        (b"/hooks//t0", None),
        (b"/hooks/demo/t0/", None),
        (b"/hooks/demo/t0/book/more", None),
        (b"/hooks/demo/t0/book/", None),
    ],
)
def test_an_address_is_taken_apart(path: bytes, found: Address | None) -> None:
    assert address(scope(path, (b"x-pulsebook-token", b"in-header"))) == found


@given(st.binary())
def test_no_path_raises(path: bytes) -> None:
    address(scope(b"/hooks/" + path))


def test_ids_that_are_made_here_look_like_those_that_are_hashed() -> None:
    made = {new_alert_id() for _ in range(100)}

    assert len(made) == 100
    hashed = alert_id_for_body("demo", b"")
    assert all(len(each) == len(hashed) and each[:2] == "a-" and each.islower() for each in made)


def test_an_idempotency_key_is_the_callers_own() -> None:
    assert request_id("api/ann", "k") == request_id("api/ann", "k")
    assert len({request_id(*each) for each in (("api/ann", "k"), ("api/bob", "k"), ("api/ann", "l"))}) == 3
    assert request_id("api/ann", "") != request_id("api/ann", "")


async def test_watchers_are_woken_by_their_run_alone_or_all_together() -> None:
    watchers = Watchers()
    with watchers.watch("a") as one, watchers.watch("a") as two, watchers.watch("b") as other:
        watchers.changed({"a", "nobody"})
        assert (one.is_set(), two.is_set(), other.is_set()) == (True, True, False)
        watchers.wake_all()
        assert other.is_set()
        assert len(watchers) == 3
    assert len(watchers) == 0
    watchers.changed({"a"})
    await asyncio.sleep(0)
