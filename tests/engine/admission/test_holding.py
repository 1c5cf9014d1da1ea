"""Paused, muted: nothing new starts, each alert says which rule held it back, who set it, why, until when."""

from msgspec.structs import replace

from schemas.admissions import Candidate, Hold
from schemas.ids import run_id
from schemas.inbox import RunRecovered
from tests.engine.admission.world import BOOK, MINUTE_MS, START_MS, World, a_book, a_candidate, refolded
from tests.engine.alert.builders import an_alert

PAUSE = Hold(name=f"pause/{BOOK}", actor="mira", at_ms=START_MS, reason="it restarts the wrong pods")
PAUSE_ALL = Hold(name="pause", actor="mira", at_ms=START_MS)
MUTE = Hold(name="mute/m-1", actor="ann", at_ms=START_MS, reason="planned work", until_ms=START_MS + 99_000)


def candidate_at(request: str, catalog_offset: int, paused: Hold | None = None) -> Candidate:
    alert = an_alert(id=request, scope=request)
    return a_candidate(request, alert, catalog_offset=catalog_offset, paused=paused)


def test_a_paused_playbook_holds_back_and_says_who_paused_it_and_why() -> None:
    world = World(a_book())
    world.switch(True, 8, PAUSE)

    decided = world.alert("a-1")

    assert (decided.decision, decided.rule, decided.until_ms) == ("held_back", "paused", None)
    assert decided.reason == "mira paused it: it restarts the wrong pods"


def test_a_pause_of_all_says_so() -> None:
    world = World(a_book())

    decided = world.candidate(candidate_at("a-1", 9, PAUSE_ALL))

    assert (decided.decision, decided.reason) == ("held_back", "mira paused all playbooks")


def test_a_candidate_brings_the_news_of_a_pause_and_of_its_end() -> None:
    world = World(a_book())
    assert world.candidate(candidate_at("a-1", 9, PAUSE)).decision == "held_back"
    assert world.candidate(candidate_at("a-2", 8)).decision == "held_back", "it knows less of the catalog"

    assert world.candidate(candidate_at("a-3", 10)).decision == "started"
    assert world.candidate(candidate_at("a-4", 9, PAUSE)).decision == "started", "resumed meanwhile"


def test_what_waits_goes_on_waiting_while_it_is_paused_and_starts_in_order_when_it_is_resumed() -> None:
    world = World(a_book(max_running=2))
    for n in range(4):
        world.alert(f"a-{n}", scope=f"s-{n}")
    world.switch(True, 8, PAUSE)
    world.end("a-0")
    world.end("a-1")
    assert world.started() == ["a-0", "a-1"]

    world.switch(True, 9, None)

    assert world.started() == ["a-0", "a-1", "a-2", "a-3"]
    assert world.decided("a-2") == ["queued", "started"]


def test_what_waits_expires_in_a_pause_as_ever() -> None:
    world = World(a_book(max_running=1, queue_expires_ms=MINUTE_MS))
    world.alert("a-1")
    world.alert("a-2", scope="b")
    world.switch(True, 8, PAUSE)

    world.wait(2 * MINUTE_MS)

    assert world.decided("a-2") == ["queued", "expired"]


def test_disabled_counts_more_than_paused() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1")
    world.alert("a-2", scope="b")
    world.switch(False, 8, PAUSE)
    world.end("a-1")

    assert world.decided("a-2") == ["queued", "dropped"]
    assert world.alert("a-3").rule == "disabled"


def test_runs_in_flight_go_on_and_hear_of_their_recovery() -> None:
    world = World(a_book())
    world.alert("a-1")
    world.switch(True, 8, PAUSE)

    world.recovery("a-2")

    assert [told.run_id for told in world.told(RunRecovered)] == [run_id(BOOK, "a-1")]


def test_a_child_belongs_to_a_run_that_goes_on_unless_its_own_playbook_is_paused() -> None:
    world = World(a_book())
    world.switch(True, 8, PAUSE_ALL)
    assert world.candidate(a_candidate("c-1", None, via="playbook")).decision == "started"
    assert world.candidate(a_candidate("q-1", None, via="api")).rule == "paused"

    world.switch(True, 9, PAUSE)
    assert world.candidate(a_candidate("c-2", None, via="playbook")).rule == "paused"


def test_a_child_says_nothing_about_the_catalog_because_its_parent_has_not_looked() -> None:
    world = World(a_book())
    world.switch(True, 8, PAUSE)
    world.candidate(a_candidate("c-1", None, via="playbook", catalog_offset=20))

    assert world.slots().paused == PAUSE


def test_a_person_may_override_a_pause_and_does_not_end_it() -> None:
    world = World(a_book())
    world.switch(True, 8, PAUSE)
    rerun = a_candidate("q-1", an_alert(scope="x"), override=True, actor="ann", via="rerun")

    assert world.candidate(replace(rerun, catalog_offset=20)).decision == "started"
    assert world.alert("a-1").rule == "paused"


def test_a_muted_alert_is_held_back_until_the_mute_ends_and_it_is_said_whose_it_is() -> None:
    world = World(a_book())

    decided = world.candidate(a_candidate("a-1", an_alert(), muted=MUTE))

    assert (decided.decision, decided.rule, decided.until_ms) == ("held_back", "muted", MUTE.until_ms)
    assert decided.reason == "ann muted it (mute/m-1): planned work"
    assert world.alert("a-2").decision == "started"


def test_whether_a_mute_was_over_is_the_time_of_the_alert_not_of_admission() -> None:
    world = World(a_book())
    world.wait(10 * MINUTE_MS)

    assert world.candidate(a_candidate("a-1", an_alert(), muted=MUTE)).rule == "muted"


def test_a_mute_takes_no_place_of_key_throttle_or_queue() -> None:
    world = World(a_book(cooldown_ms=MINUTE_MS, throttle_limit=1, throttle_per_ms=MINUTE_MS))
    world.candidate(a_candidate("a-1", an_alert(), muted=MUTE))

    assert world.alert("a-2").decision == "started"


def test_a_replay_finds_pauses_and_mutes_again() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1")
    world.alert("a-2", scope="b")
    world.switch(True, 8, PAUSE)
    world.candidate(a_candidate("a-3", an_alert(), muted=MUTE))
    world.end("a-1")
    world.candidate(candidate_at("a-4", 10))

    again = refolded(world.inputs, world.book, world.situation)

    assert (again.sent, again.rows) == (world.sent, world.rows)
    assert [again.decided(f"a-{n}")[-1] for n in range(1, 5)] == ["started", "started", "held_back", "queued"]
