"""A message that is put back knows where it stood first."""

import json

import pytest

from schemas.redriven import HEADER, Redriven, first_place, marked, named

HERE = ("alerts", 2, 40)
MARK = Redriven(at_ms=1, by="ada", letter="dead-letters/0/3", origin="alerts/3/11")


def test_a_message_that_was_never_put_back_stands_where_it_stands() -> None:
    assert first_place(HERE, {"endpoint": b"demo"}) == HERE


def test_a_message_that_was_put_back_has_its_first_place() -> None:
    assert first_place(HERE, {HEADER: marked(MARK)}) == ("alerts", 3, 11)
    assert named(first_place(HERE, {HEADER: marked(MARK)})) == "alerts/3/11"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"garbage \xff",
        b"[]",
        b'{"by": "ada"}',
        json.dumps({"at_ms": 1, "by": "ada", "letter": "dead-letters/0/3"}).encode(),
        marked(Redriven(at_ms=1, by="ada", letter="", origin="alerts/x/1")),
        marked(Redriven(at_ms=1, by="ada", letter="", origin="alerts/1/-1")),
        marked(Redriven(at_ms=1, by="ada", letter="", origin="run-inbox/1/1")),
        marked(Redriven(at_ms=1, by="ada", letter="", origin="alerts/1/1/1")),
    ],
)
def test_a_header_that_makes_no_sense_or_is_from_before_says_nothing(value: bytes) -> None:
    assert first_place(HERE, {HEADER: value}) == HERE
