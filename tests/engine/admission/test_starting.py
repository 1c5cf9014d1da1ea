"""What starts a run, what the request carries, and why a start is refused or held back."""

import msgspec

from engine.admission.admitting import Situation
from engine.admission.rows import PlaybookRow, RunRow, run_row
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, Playbook
from schemas.ids import run_id
from schemas.inbox import Limits, RunRequested, TimerFired
from tests.engine.admission.world import BOOK, DAY_MS, LOG, START_MS, World, a_book, a_candidate
from tests.engine.alert.builders import an_alert


def test_an_alert_starts_a_run_that_is_given_all_it_will_ever_need() -> None:
    world = World(
        a_book(),
        Situation(engine=1, limits=Limits(loop_items_max=5), actions={"log": LOG}, run_url_prefix="u/"),
    )
    alert = an_alert()

    decided = world.candidate(a_candidate("a-1", alert, actor="", inputs={"n": 1}))

    assert (decided.decision, decided.rule, decided.key) == ("started", "", "12345/service:checkout")
    assert (decided.at_ms, decided.partition, decided.offset) == (START_MS + 1, 3, 1)
    wanted = RunRequested(
        run_id=run_id(BOOK, "a-1"),
        playbook=BOOK,
        revision="0123456789abcdef",
        catalog_offset=7,
        engine=1,
        request_id="a-1",
        via="alert",
        key="12345/service:checkout",
        alert=alert,
        inputs={"n": 1},
        actions=(LOG,),
        limits=Limits(loop_items_max=5),
        run_url=f"u/{run_id(BOOK, 'a-1')}",
    )
    assert world.sent == [
        ("run-inbox", wanted.run_id, wanted),
        ("decisions", "a-1", decided),
    ]


def test_without_a_public_url_a_run_has_none() -> None:
    world = World(a_book(), Situation(actions={"log": LOG}))

    world.alert("a-1")

    assert [request.run_url for request in world.told(RunRequested)] == [""]


def test_a_repeated_delivery_is_answered_with_the_identical_first_decision_and_changes_no_row() -> None:
    world = World(a_book(max_running=1))
    first = {request: world.alert(request, scope=request) for request in ("a-1", "a-2")}
    world.end("a-1")
    rows = dict(world.rows)

    again = {request: world.alert(request, scope=request) for request in ("a-1", "a-2")}

    assert [first["a-1"].decision, first["a-2"].decision] == ["started", "queued"]
    assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(first)
    assert world.rows == rows
    assert world.started() == ["a-1", "a-2"]


def test_a_repeat_is_known_for_24_hours_and_counts_as_new_afterwards() -> None:
    world = World(a_book())
    world.alert("a-1")
    world.end("a-1")

    world.wait(DAY_MS - 60_000)
    assert world.alert("a-1").at_ms == START_MS + 1

    world.wait(60_000)
    assert world.alert("a-1").at_ms == world.at_ms
    assert world.started() == ["a-1", "a-1"]


def test_a_repeat_of_a_run_that_is_active_for_longer_than_a_day_never_starts_a_second() -> None:
    book = a_book()
    long = Compiled(msgspec.structs.replace(book.playbook, timeout_ms=31 * DAY_MS), "long")
    world = World(long)
    world.alert("a-1")

    world.wait(3 * DAY_MS)
    for request in ("a-2", "a-3"):
        world.alert(request)
        world.wait(2 * DAY_MS)

    assert world.alert("a-1").decision == "started"
    assert world.started() == ["a-1"]


def test_a_revision_that_is_not_in_the_catalog_is_refused() -> None:
    world = World(None)

    decided = world.alert("a-1")

    assert (decided.decision, decided.rule) == ("refused", "revision")
    assert decided.reason == "the revision 0123456789ab is not in the catalog"
    assert world.started() == []


def test_an_action_that_is_not_installed_is_refused_by_name() -> None:
    steps = (ActionStep(path="a", action="log"), ActionStep(path="b", action="jira.create_issue"))
    world = World(Compiled(Playbook(name=BOOK, steps=steps), "d"))

    decided = world.alert("a-1")

    assert (decided.decision, decided.rule) == ("refused", "actions")
    assert decided.reason == "the action jira.create_issue is not installed"


def test_a_disabled_playbook_is_held_back() -> None:
    world = World(a_book())
    world.switch(False)

    decided = world.alert("a-1")

    assert (decided.decision, decided.rule, decided.reason) == (
        "held_back",
        "disabled",
        "the playbook is disabled",
    )


def test_a_person_may_override_every_rule() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1")
    world.switch(False)

    decided = world.candidate(a_candidate("call-1", an_alert(), override=True, actor="ann", via="rerun"))

    assert (decided.decision, decided.rule, decided.reason) == (
        "started",
        "override",
        "ann overrode the rules",
    )
    assert world.slots().running == 2


def test_an_error_in_the_admission_key_holds_the_alert_back_with_the_error() -> None:
    world = World(a_book(key="alert.tags['team']"))

    decided = world.alert("a-1")

    assert (decided.decision, decided.rule, decided.key) == ("held_back", "key", "")
    assert decided.reason.startswith("the admission key failed: ")
    assert "team" in decided.reason


def test_a_slot_is_one_run_whatever_becomes_of_its_end() -> None:
    world = World(a_book())
    world.alert("a-1")

    world.end("a-1")
    world.end("a-1")
    world.end("a-unknown")

    assert world.slots().running == 0


def test_a_slot_frees_itself_when_the_run_must_have_ended() -> None:
    world = World(a_book(max_running=1))
    world.alert("a-1")
    world.alert("a-2", scope="other")

    world.wait(80 * 60_000 - 2)  # an hour, 5 minutes each for on_failure and finally, 10 of slack
    assert world.started() == ["a-1"]

    world.wait(2)
    assert world.started() == ["a-1", "a-2"]
    world.end("a-1")
    assert world.slots().running == 1


def test_a_timer_that_fires_early_or_twice_changes_nothing() -> None:
    world = World(a_book())
    world.alert("a-1")
    ((row, timer), due_ms) = next(iter(world.pending().items()))

    early = world.feed(TimerFired(row=row, timer=timer, due_ms=due_ms))
    assert early.rows == {} and timer == "slot"

    world.wait(DAY_MS)
    late = world.feed(TimerFired(row=row, timer=timer, due_ms=due_ms))
    assert late.rows == {}
    assert world.slots().running == 0


def test_the_first_row_of_a_run_shows_how_it_is_kept() -> None:
    world = World(a_book())

    world.alert("a-1")

    row = world.row(run_row(BOOK, run_id(BOOK, "a-1")))
    assert isinstance(row, RunRow)
    assert (row.state, row.key, row.request) == ("active", "12345/service:checkout", None)
    assert world.slots() == PlaybookRow(
        running=1,
        max_running=20,
        catalog_offset=7,
        recent=(f"@{run_id(BOOK, 'a-1')}",),
        recent_since_ms=START_MS + 1,
        enabled_offset=7,
    )
