"""What a person cancels while it waits in the queue, or has just left it."""

import pytest

from engine.admission.rows import RunRow, run_row
from schemas.ids import run_id
from schemas.inbox import CancelRequested
from tests.engine.admission.world import BOOK, DAY_MS, HOUR_MS, World, a_book, decisions


def of_one_slot() -> World:
    """a-1 runs, a-2 and a-3 wait for its slot, in this order."""
    world = World(a_book(max_running=1))
    for number in (1, 2, 3):
        world.alert(f"a-{number}", scope=f"s{number}", cycle_key="")
    return world


def test_what_waits_is_dropped_with_who_and_why_and_its_turn_goes_to_the_next() -> None:
    world = of_one_slot()

    (decided,) = decisions(world.cancel("a-2", "it is over"))

    assert (decided.decision, decided.rule) == ("dropped", "cancelled")
    assert decided.reason == "mira cancelled it: it is over"
    assert decided.request_id == "a-2"
    world.end("a-1")
    assert world.started() == ["a-1", "a-3"]
    assert world.wait(DAY_MS) == [], "no timer of it is left"
    assert world.decided("a-2") == ["queued", "dropped"]


def test_without_a_reason_the_decision_says_who() -> None:
    (decided,) = decisions(of_one_slot().cancel("a-2"))
    assert decided.reason == "mira cancelled it"


def test_who_waits_for_the_key_of_one_that_is_cancelled_moves_up() -> None:
    world = World(a_book(max_running=1, while_running="queue"))
    world.alert("a-1", scope="other", cycle_key="")
    world.alert("a-2", cycle_key="")
    world.alert("a-3", cycle_key="")

    world.cancel("a-2")

    world.end("a-1")
    assert world.started() == ["a-1", "a-3"]


@pytest.mark.parametrize("times", [1, 2])
def test_what_has_started_meanwhile_is_told_to_stop_and_keeps_its_slot(times: int) -> None:
    world = of_one_slot()
    rows = dict(world.rows)

    for _ in range(times):
        assert decisions(world.cancel("a-1", "too late")) == []

    assert world.rows == rows
    assert world.told(CancelRequested) == times * [
        CancelRequested(run_id=run_id(BOOK, "a-1"), actor="mira", reason="too late")
    ]


def test_a_cancel_comes_behind_the_request_of_the_run_that_it_stops() -> None:
    world = of_one_slot()
    world.end("a-1")
    world.cancel("a-2")
    told = [type(record).__name__ for topic, key, record in world.sent if key == run_id(BOOK, "a-2")]
    assert told == ["RunRequested", "CancelRequested"]


@pytest.mark.parametrize("how", ["ended", "cancelled", "unknown"])
def test_what_is_over_or_never_was_changes_nothing(how: str) -> None:
    world = of_one_slot()
    if how == "ended":
        world.end("a-1")
    world.cancel("a-3")
    rows = dict(world.rows)

    admitted = world.cancel({"ended": "a-1", "cancelled": "a-3", "unknown": "a-9"}[how])

    assert (admitted.rows, admitted.sends) == ({}, ())
    assert world.rows == rows


def test_a_repeat_of_a_cancelled_request_is_answered_and_starts_nothing() -> None:
    world = of_one_slot()
    world.cancel("a-2")
    assert world.alert("a-2", scope="s2", cycle_key="").decision == "queued", "letter for letter the first"
    world.wait(HOUR_MS)
    row = world.row(run_row(BOOK, run_id(BOOK, "a-2")))
    assert isinstance(row, RunRow) and row.state == "ended"
    world.end("a-1")
    assert world.started() == ["a-1", "a-3"]
