"""Enabled or disabled: admission knows what its inputs say, in their order, and nothing else."""

from schemas.admissions import PlaybookSwitched
from tests.engine.admission.world import BOOK, World, a_book, a_candidate, refolded
from tests.engine.alert.builders import an_alert


def alert_at(world: World, request: str, catalog_offset: int) -> str:
    """What is decided on an alert that was matched by a catalog of that offset."""
    alert = an_alert(id=request, scope=request)
    return world.candidate(a_candidate(request, alert, catalog_offset=catalog_offset)).decision


def test_an_alert_that_matched_before_the_playbook_was_disabled_is_held_back_after_it() -> None:
    world = World(a_book())
    world.switch(False, 9)

    assert alert_at(world, "a-1", 8) == "held_back"
    assert world.decided("a-1") == ["held_back"]


def test_an_alert_that_matched_after_it_was_enabled_again_starts_though_nobody_has_told_so_yet() -> None:
    world = World(a_book())
    world.switch(False, 9)

    assert alert_at(world, "a-1", 11) == "started"
    assert alert_at(world, "a-2", 10) == "started"


def test_news_that_come_late_change_nothing() -> None:
    world = World(a_book())
    alert_at(world, "a-1", 11)
    assert world.switch(False, 9).rows == {}
    world.switch(False, 12)
    assert world.switch(True, 12).rows == {}

    assert alert_at(world, "a-2", 11) == "held_back"


def test_a_start_that_overrides_the_rules_does_not_enable_the_playbook() -> None:
    world = World(a_book())
    world.switch(False, 9)
    call = a_candidate("call-1", an_alert(scope="call"), override=True, catalog_offset=10)

    assert world.candidate(call).decision == "started"
    assert alert_at(world, "a-1", 9) == "held_back"


def test_disabled_and_enabled_again_before_its_turn_a_queued_run_starts() -> None:
    world = World(a_book(max_running=1))
    alert_at(world, "a-1", 7)
    alert_at(world, "a-2", 7)
    world.switch(False, 8)
    world.switch(True, 9)

    world.end("a-1")

    assert world.decided("a-2") == ["queued", "started"]


def test_a_replay_finds_the_same_decisions_without_knowing_the_catalog() -> None:
    world = World(a_book(max_running=1))
    for at, request in enumerate(("a-1", "a-2", "a-3")):
        alert_at(world, request, 7 + at)
    world.switch(False, 20)
    world.end("a-1")

    again = refolded(world.inputs, world.book, world.situation)

    assert (again.sent, again.rows) == (world.sent, world.rows)
    assert again.decided("a-2") == ["queued", "dropped"]


def test_of_a_playbook_that_never_ran_it_is_known_too() -> None:
    world = World(a_book())
    world.feed(PlaybookSwitched(playbook=BOOK, enabled=False, catalog_offset=3))

    assert not world.slots().enabled
    assert world.slots().enabled_offset == 3
