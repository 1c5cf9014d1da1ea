"""Slots, keys, and the order in which those who wait get their turn."""

from engine.admission.rows import KeyRow, key_row, run_row
from schemas.ids import run_id
from tests.engine.admission.world import BOOK, DAY_MS, HOUR_MS, World, a_book, a_candidate
from tests.engine.alert.builders import an_alert


def test_a_second_alert_for_a_key_whose_run_is_active_is_skipped() -> None:
    world = World(a_book())
    world.alert("a-1")

    decided = world.alert("a-2")

    assert (decided.decision, decided.rule) == ("held_back", "while_running")
    assert decided.reason == f"the run {run_id(BOOK, 'a-1')} with this key is active"
    assert decided.until_ms is None


def test_another_key_is_not_in_the_way() -> None:
    world = World(a_book())
    world.alert("a-1")

    assert world.alert("a-2", scope="service:cart").decision == "started"


def test_after_its_run_has_ended_a_key_starts_again() -> None:
    world = World(a_book())
    world.alert("a-1")
    world.end("a-1")

    assert world.alert("a-2").decision == "started"


def test_alerts_that_name_neither_monitor_nor_group_do_not_stand_in_each_others_way() -> None:
    world = World(a_book())
    nameless = {"monitor_id": "", "scope": "", "cycle_key": ""}

    assert world.alert("a-1", **nameless).decision == "started"
    assert world.alert("a-2", **nameless).decision == "started"
    assert world.alert("a-3", **nameless, aggregation_key="g").decision == "started"
    assert world.alert("a-4", **nameless, aggregation_key="g").decision == "held_back"


def test_calls_without_an_alert_have_no_key_by_default() -> None:
    world = World(a_book())

    calls = [world.candidate(a_candidate(f"call-{at}", None, via="api")) for at in range(3)]

    assert [(call.decision, call.key, call.alert_id) for call in calls] == [("started", "", "")] * 3


def test_a_key_that_speaks_of_what_is_not_known_before_a_start_holds_back() -> None:
    world = World(a_book(key="inputs.service"))
    assert world.book is not None

    decided = world.candidate(a_candidate("call-1", None, inputs={"service": "checkout"}, via="api"))

    assert (decided.decision, decided.rule) == ("held_back", "key")
    assert "inputs.service" in decided.reason


def test_while_running_queue_starts_one_after_the_other() -> None:
    world = World(a_book(while_running="queue"))
    decided = [world.alert(request) for request in ("a-1", "a-2", "a-3")]

    assert [one.decision for one in decided] == ["started", "queued", "queued"]
    assert decided[1].rule == "while_running"
    assert decided[1].until_ms == decided[1].at_ms + DAY_MS
    assert world.started() == ["a-1"]
    world.end("a-1")
    assert world.started() == ["a-1", "a-2"]
    world.end("a-2")
    world.end("a-3")
    assert world.started() == ["a-1", "a-2", "a-3"]
    assert world.row(key_row(BOOK, "12345/service:checkout")) is None


def test_while_running_parallel_asks_for_no_key() -> None:
    world = World(a_book(while_running="parallel", max_running=2))

    decided = [world.alert(request) for request in ("a-1", "a-2", "a-3")]

    assert [(one.decision, one.rule) for one in decided] == [
        ("started", ""),
        ("started", ""),
        ("queued", "max_running"),
    ]
    assert decided[2].reason == "2 of 2 runs are active"
    world.end("a-1")
    assert world.decided("a-3") == ["queued", "started"]


def test_no_more_than_max_running_are_active_and_the_first_to_come_is_the_next_to_start() -> None:
    world = World(a_book(max_running=2))
    for at in range(5):
        world.alert(f"a-{at}", scope=f"service:{at}")

    assert world.started() == ["a-0", "a-1"]
    world.end("a-1")
    world.end("a-0")
    assert world.started() == ["a-0", "a-1", "a-2", "a-3"]
    assert (world.slots().running, world.slots().queued) == (2, 1)


def test_who_waits_for_a_slot_has_its_key() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1", scope="service:a")
    world.alert("a-2", scope="service:b")

    decided = world.alert("a-3", scope="service:b")

    assert (decided.decision, decided.rule) == ("held_back", "while_running")
    assert decided.reason == f"the run {run_id(BOOK, 'a-2')} with this key waits in the queue"


def test_who_got_its_key_late_still_goes_before_those_who_came_later() -> None:
    world = World(a_book(max_running=1, while_running="queue"))
    world.alert("a-1", scope="service:a")
    world.alert("a-2", scope="service:a")  # waits for the key
    world.alert("a-3", scope="service:b")  # waits for the slot only

    world.end("a-1")

    assert world.started() == ["a-1", "a-2"]


def test_a_full_queue_holds_back() -> None:
    world = World(a_book(max_running=1, queue_max=1))
    world.alert("a-1", scope="1")
    world.alert("a-2", scope="2")

    decided = world.alert("a-3", scope="3")

    assert (decided.decision, decided.rule) == ("held_back", "queue")
    assert decided.reason == "1 of 1 runs are active, and the queue is full (1 of 1)"


def test_who_waits_too_long_expires_and_its_key_goes_to_the_next() -> None:
    world = World(a_book(max_running=1, while_running="queue", queue_expires_ms=HOUR_MS))
    world.alert("a-1", scope="service:a")
    world.alert("a-2", scope="service:b")
    world.wait(HOUR_MS // 2)
    world.alert("a-3", scope="service:b")

    expired = world.wait(HOUR_MS // 2)

    assert [(one.request_id, one.decision, one.rule) for one in expired] == [("a-2", "expired", "queue")]
    assert expired[0].reason == "no turn within 3600 s"
    assert world.row(key_row(BOOK, "12345/service:b")) == KeyRow(holder=run_id(BOOK, "a-3"))
    world.end("a-1")
    assert world.decided("a-3") == ["queued", "started"]


def test_a_started_run_that_waited_says_how_long() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1", scope="1")
    world.alert("a-2", scope="2")
    world.wait(90_000)
    world.end("a-1")

    started = world.sent[-1][2]

    assert (started.decision, started.rule, started.reason) == (  # type: ignore[attr-defined]  # a decision
        "started",
        "max_running",
        "after 90.0 s in the queue",
    )


def test_a_raised_max_running_starts_those_who_wait_when_the_next_candidate_comes() -> None:
    world = World(a_book(max_running=1))
    for at in range(3):
        world.alert(f"a-{at}", scope=f"{at}")

    world.book = a_book(max_running=10)
    world.candidate(a_candidate("a-9", an_alert(scope="9"), catalog_offset=8))

    assert world.started() == ["a-0", "a-1", "a-2", "a-9"]


def test_an_older_revision_that_comes_late_does_not_change_max_running() -> None:
    world = World(a_book(max_running=5))
    world.candidate(a_candidate("a-1", an_alert(), catalog_offset=9))

    world.book = a_book(max_running=1)
    decided = world.candidate(a_candidate("a-2", an_alert(scope="2"), catalog_offset=8))

    assert decided.decision == "started"
    assert world.slots().max_running == 5


def test_queued_runs_of_a_playbook_that_was_disabled_are_dropped_when_their_turn_comes() -> None:
    world = World(a_book(max_running=1))
    for at in range(3):
        world.alert(f"a-{at}", scope=f"{at}")
    world.switch(False)

    world.end("a-0")

    assert world.decided("a-1") == world.decided("a-2") == ["queued", "dropped"]
    assert world.slots().queued == 0


def test_an_overridden_start_sends_the_next_of_its_key_back_to_wait_for_the_key() -> None:
    world = World(a_book(max_running=2))
    world.alert("a-0", scope="service:x")
    world.alert("a-1", scope="service:a")
    world.alert("a-2", scope="service:b")
    world.candidate(a_candidate("call-1", an_alert(scope="service:b"), override=True))

    world.end("a-0")
    world.end("a-1")
    assert world.decided("a-2") == ["queued"]

    world.end("call-1")
    assert world.decided("a-2") == ["queued", "started"]


def test_a_candidate_too_large_to_wait_is_refused_instead_of_growing_a_row() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1", scope="1")

    decided = world.candidate(a_candidate("call-1", an_alert(scope="2"), inputs={"x": "y" * 600_000}))

    assert (decided.decision, decided.rule) == ("refused", "size")


def test_candidates_with_large_alerts_wait_in_rows_of_their_own() -> None:
    world = World(a_book(max_running=1))
    for at in range(6):
        world.alert(f"a-{at}", scope=f"{at}", body="b" * 200_000)

    assert world.slots().queued == 5
    assert len(world.rows[BOOK]) < 1_000
    assert max(map(len, world.rows.values())) < 512 * 1024
    assert len(world.rows[run_row(BOOK, run_id(BOOK, "a-3"))]) > 200_000


def test_a_very_long_key_is_cut_and_stays_apart_from_others() -> None:
    world = World(a_book())
    long = "service:" + "x" * 5_000

    first = world.alert("a-1", scope=long + "1")
    assert world.alert("a-2", scope=long + "2").decision == "started"
    assert world.alert("a-3", scope=long + "1").decision == "held_back"
    assert len(first.key) == 300
