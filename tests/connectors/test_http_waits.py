"""How long an answer asks us to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.http_waits import WAIT_MAX_S, asked_wait_s

NOW_S = 1_795_305_600.0  # 2026-11-22 00:00:00 UTC


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Sun, 22 Nov 2026 00:01:00 GMT"}, 60.0),
        ({"retry-after": "Sun, 22 Nov 2025 00:01:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, 0.0),
        ({"x-ratelimit-reset": "17"}, 17.0),
        ({"x-ratelimit-reset": str(int(NOW_S) + 30)}, 30.0),
        ({"retry-after": "soon", "x-ratelimit-reset": "17"}, 17.0),
        ({"retry-after": "1e12"}, WAIT_MAX_S),
    ],
)
def test_waits(headers: dict[str, str], wait_s: float | None) -> None:
    assert asked_wait_s(headers, NOW_S) == wait_s


@given(st.text())
def test_any_text_gives_a_bounded_wait_or_none(text: str) -> None:
    wait_s = asked_wait_s({"retry-after": text}, NOW_S)
    assert wait_s is None or 0 <= wait_s <= WAIT_MAX_S
