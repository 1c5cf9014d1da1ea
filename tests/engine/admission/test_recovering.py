"""What a recovery does to queued, active and late ones."""

from typing import Any

import pytest

from schemas.ids import run_id
from schemas.inbox import RunRecovered, RunRequested
from tests.engine.admission.world import BOOK, HOUR_MS, World, a_book, a_candidate, a_recovered
from tests.engine.alert.builders import a_recovery, an_alert

LATER_MS = 1_795_316_972_000
"""LAST_UPDATED of the recovery."""


def a_busy_world(**admission: Any) -> World:
    """One slot, taken by another alert."""
    world = World(a_book(max_running=1, **admission))
    world.alert("a-0", scope="service:other", cycle_key="cycle-0")
    return world


def test_a_recovery_drops_what_waits_and_says_why() -> None:
    world = a_busy_world()
    world.alert("a-1")

    world.recovery("a-9")

    assert world.decided("a-1") == ["queued", "dropped"]
    dropped = world.sent[-1][2]
    assert dropped.rule == "on_recovered"  # type: ignore[attr-defined]  # a decision
    assert dropped.reason == "the alert recovered (a-9) before there was a turn"  # type: ignore[attr-defined]  # too
    assert world.slots().queued == 0


def test_a_playbook_that_keeps_its_queue_starts_later_and_then_hears_of_the_recovery() -> None:
    world = a_busy_world(on_recovered_queued="keep")
    world.alert("a-1")
    world.recovery("a-9")

    world.end("a-0")

    inbox = [record for topic, _, record in world.sent if topic == "run-inbox"][1:]
    assert isinstance(inbox[0], RunRequested)
    told = RunRecovered(run_id=run_id(BOOK, "a-1"), alert_id="a-9", recovered_at_ms=LATER_MS, cancel=False)
    assert inbox[1:] == [told]


@pytest.mark.parametrize(("running", "cancel"), [("ignore", False), ("cancel", True)])
def test_a_recovery_is_passed_on_to_the_active_run(running: str, cancel: bool) -> None:
    world = World(a_book(on_recovered_running=running))
    world.alert("a-1")

    world.recovery("a-9")

    assert world.told(RunRecovered) == [
        RunRecovered(run_id=run_id(BOOK, "a-1"), alert_id="a-9", recovered_at_ms=LATER_MS, cancel=cancel)
    ]


def test_a_recovery_that_is_delivered_again_is_not_passed_on_again_and_changes_no_row() -> None:
    world = World(a_book())
    world.alert("a-1")
    world.recovery("a-9")

    again = world.recovery("a-9")

    assert (again.rows, again.sends) == ({}, ())


@pytest.mark.parametrize(
    "recovery",
    [
        {"scope": "service:cart", "cycle_key": "other"},
        {"monitor_id": "777", "cycle_key": "other"},
        {"last_updated_ms": 1},
    ],
)
def test_a_recovery_of_another_group_monitor_or_earlier_time_concerns_nobody(
    recovery: dict[str, Any],
) -> None:
    world = World(a_book())
    world.alert("a-1")

    world.recovery("a-9", **recovery)

    assert world.told(RunRecovered) == []


def test_a_trigger_that_comes_after_its_recovery_is_held_back_for_an_hour() -> None:
    world = World(a_book())
    world.recovery("a-9")

    decided = world.alert("a-1")

    assert (decided.decision, decided.rule) == ("held_back", "recovered")
    assert decided.until_ms == decided.at_ms - 1 + HOUR_MS
    world.wait(HOUR_MS)
    assert world.alert("a-2").decision == "started"


@pytest.mark.parametrize(
    ("trigger", "recovery", "decision"),
    [
        ({"last_updated_ms": LATER_MS + 1}, {}, "started"),  # it triggered again
        ({"last_updated_ms": LATER_MS}, {}, "held_back"),
        ({"last_updated_ms": LATER_MS, "cycle_key": ""}, {"cycle_key": ""}, "started"),  # cannot be told
        ({"last_updated_ms": LATER_MS - 1, "cycle_key": ""}, {"cycle_key": ""}, "held_back"),
        ({"last_updated_ms": 0}, {}, "held_back"),  # without a time the cycle decides
        ({"last_updated_ms": 0, "cycle_key": ""}, {"cycle_key": ""}, "started"),
        ({"last_updated_ms": 0, "at_ms": LATER_MS + 1}, {}, "started"),  # DATE stands in
        ({"cycle_key": "another"}, {}, "started"),
        ({"cycle_key": "", "monitor_id": ""}, {"cycle_key": "", "monitor_id": ""}, "started"),
    ],
)
def test_a_trigger_is_late_only_if_it_is_not_newer_than_the_recovery_of_its_cycle(
    trigger: dict[str, Any], recovery: dict[str, Any], decision: str
) -> None:
    world = World(a_book())
    world.recovery("a-9", **recovery)

    assert world.alert("a-1", **trigger).decision == decision


def test_the_latest_recovery_counts_in_whatever_order_they_come() -> None:
    world = World(a_book())
    world.recovery("a-9")
    world.recovery("a-8", last_updated_ms=LATER_MS - 200_000)

    assert world.alert("a-1", last_updated_ms=LATER_MS - 100_000).decision == "held_back"


def test_a_playbook_triggered_by_recoveries_is_not_held_back_by_them() -> None:
    world = World(a_book())
    alert = a_recovery()
    world.feed(a_recovered(alert))

    assert world.candidate(a_candidate(alert.id, alert)).decision == "started"


@pytest.mark.parametrize("key", ["alert.title", "alert.tags['trigger']"])
def test_a_recovery_finds_its_run_by_the_cycle_where_its_key_is_another(key: str) -> None:
    world = World(a_book(key=key))
    tags = ("trigger:yes",)
    world.alert("a-1", tag_list=tags)
    world.alert("a-2", cycle_key="cycle-2", scope="service:cart", title="other", tag_list=("trigger:no",))

    world.recovery("a-9", tag_list=())

    assert [told.run_id for told in world.told(RunRecovered)] == [run_id(BOOK, "a-1")]
    world.end("a-1")
    world.end("a-2")
    world.wait(HOUR_MS)
    assert world.alert("a-3", tag_list=tags).decision == "started"


def test_a_coarse_key_does_not_make_a_recovery_concern_runs_of_other_monitors() -> None:
    world = World(a_book(key="'all'", while_running="parallel"))
    world.alert("a-1")
    world.alert("a-2", monitor_id="777", cycle_key="cycle-2")

    world.recovery("a-9")

    assert [told.run_id for told in world.told(RunRecovered)] == [run_id(BOOK, "a-1")]


def test_dropping_what_has_the_key_lets_the_next_of_the_key_move_up() -> None:
    world = a_busy_world(while_running="queue")
    world.alert("a-1")
    world.alert("a-2", last_updated_ms=LATER_MS + 5)

    world.recovery("a-9")
    world.end("a-0")

    assert world.decided("a-1") == ["queued", "dropped"]
    assert world.decided("a-2") == ["queued", "started"]


def test_a_recovery_for_an_unknown_revision_still_reaches_runs_of_its_cycle_and_holds_back_late_ones() -> (
    None
):
    world = World(a_book(key="alert.title"))
    world.alert("a-1")
    book, world.book = world.book, None

    world.recovery("a-9")

    assert [told.run_id for told in world.told(RunRecovered)] == [run_id(BOOK, "a-1")]
    world.book = book
    assert world.candidate(a_candidate("a-2", an_alert(title="other"))).rule == "recovered"
