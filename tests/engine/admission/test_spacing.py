"""Cooldown and throttle: starts that come too close are held back, and it is said until when."""

from engine.admission.rows import ChunkRow, KeyRow, PlaybookRow, key_row
from engine.playbook.compiled import Compiled
from schemas.inbox import RunRequested
from tests.engine.admission.world import (
    BOOK,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    START_MS,
    World,
    a_book,
    a_candidate,
    refolded,
)
from tests.engine.alert.builders import an_alert


def ran(world: World, request: str, **fields: str) -> None:
    """A run that started and ended at once."""
    assert world.alert(request, **fields).decision == "started"
    world.end(request)


def test_a_second_start_of_the_key_within_the_cooldown_is_held_back_until_it_is_over() -> None:
    world = World(a_book(cooldown_ms=15 * MINUTE_MS))
    ran(world, "a-1")
    world.wait(3 * MINUTE_MS)

    decided = world.alert("a-2")

    assert (decided.decision, decided.rule) == ("held_back", "cooldown")
    assert decided.reason == "a run with this key started 3m ago, and the cooldown is 15m"
    assert decided.until_ms == START_MS + 1 + 15 * MINUTE_MS


def test_at_the_very_moment_that_was_named_the_key_may_start_again() -> None:
    world = World(a_book(cooldown_ms=15 * MINUTE_MS))
    ran(world, "a-1")
    until_ms = world.alert("a-2").until_ms
    assert until_ms is not None

    world.at_ms = until_ms - 2
    assert world.alert("a-3").decision == "held_back"
    assert world.alert("a-4").decision == "started"
    assert world.at_ms == until_ms


def test_the_cooldown_is_the_keys_own_and_counts_from_starts_not_from_what_was_held_back() -> None:
    world = World(a_book(cooldown_ms=15 * MINUTE_MS))
    ran(world, "a-1")
    world.wait(10 * MINUTE_MS)
    assert world.alert("a-2").decision == "held_back"
    ran(world, "b-1", scope="other")
    world.wait(5 * MINUTE_MS)

    assert world.alert("a-3").decision == "started"


def test_a_call_without_a_key_cools_nothing_down() -> None:
    world = World(a_book(cooldown_ms=HOUR_MS))

    calls = [world.candidate(a_candidate(f"q-{n}", None, via="api")).decision for n in range(3)]

    assert calls == ["started"] * 3


def test_a_run_that_outlives_the_cooldown_still_holds_its_key() -> None:
    world = World(a_book(cooldown_ms=MINUTE_MS))
    world.alert("a-1")
    world.wait(2 * MINUTE_MS)

    assert world.alert("a-2").rule == "while_running"


def test_with_parallel_the_cooldown_alone_keeps_starts_apart() -> None:
    world = World(a_book(cooldown_ms=MINUTE_MS, while_running="parallel"))
    world.alert("a-1")

    assert world.alert("a-2").rule == "cooldown"
    world.wait(MINUTE_MS)
    assert world.alert("a-3").decision == "started"


def test_who_waits_counts_as_started_so_that_a_turn_never_breaks_the_cooldown() -> None:
    for while_running in ("queue", "parallel", "skip"):
        world = World(a_book(cooldown_ms=MINUTE_MS, while_running=while_running, max_running=1))
        world.alert("x-1", scope="other")
        assert world.alert("a-1").decision == "queued"
        world.wait(2 * MINUTE_MS)

        decided = world.alert("a-2")

        assert (decided.rule, decided.until_ms) == ("cooldown", None), while_running
        assert decided.reason == "a run with this key waits in the queue; then the cooldown is 1m"
        world.end("x-1")
        world.end("a-1")
        assert world.alert("a-3").until_ms == world.at_ms - 2 + MINUTE_MS, "counted from its turn"


def test_who_waits_and_is_dropped_has_cooled_nothing_down() -> None:
    for while_running in ("queue", "parallel"):
        world = World(a_book(cooldown_ms=MINUTE_MS, while_running=while_running, max_running=1))
        world.alert("x-1", scope="other")
        world.alert("a-1")
        world.cancel("a-1")
        world.end("x-1")

        assert world.alert("a-2").decision == "started", while_running


def test_a_start_that_overrides_the_rules_starts_the_cooldown_anew() -> None:
    world = World(a_book(cooldown_ms=MINUTE_MS))
    ran(world, "a-1")
    world.wait(MINUTE_MS // 2)
    world.candidate(a_candidate("q-1", an_alert(), override=True, actor="ann"))
    world.end("q-1")

    assert world.alert("a-2").until_ms == START_MS + 2 + MINUTE_MS // 2 + 1 + MINUTE_MS


def test_the_last_start_is_forgotten_with_its_day_and_kept_for_as_long_as_it_counts() -> None:
    world = World(a_book(cooldown_ms=3 * DAY_MS))
    ran(world, "a-1")
    for n in range(5):  # chunks are closed by later arrivals
        world.wait(DAY_MS // 2)
        ran(world, f"x-{n}", scope=f"other-{n}")
    assert world.alert("a-2").rule == "cooldown"

    for n in range(16):
        world.wait(DAY_MS // 2)
        ran(world, f"y-{n}", scope=f"another-{n}")

    assert world.row(key_row(BOOK, "12345/service:checkout")) is None
    assert world.alert("a-3").decision == "started"


def test_a_key_that_starts_all_the_time_is_listed_no_more_often_than_it_starts_in_a_day() -> None:
    world = World(a_book(cooldown_ms=12 * HOUR_MS))
    for n in range(60):
        ran(world, f"a-{n}")
        world.wait(12 * HOUR_MS)

    rows = [world.row(key) for key in world.rows]
    listed = [suffix for row in rows if isinstance(row, ChunkRow) for suffix in row.rows]
    listed += world.slots().recent
    assert len([suffix for suffix in listed if suffix.startswith("|")]) <= 4
    assert sum(isinstance(row, KeyRow) for row in rows) == 1


def test_beyond_the_throttle_starts_are_held_back_until_the_oldest_counts_no_more() -> None:
    world = World(a_book(throttle_limit=2, throttle_per_ms=HOUR_MS))
    ran(world, "a-1")
    world.wait(10 * MINUTE_MS)
    ran(world, "b-1", scope="b")

    decided = world.alert("c-1", scope="c")

    assert (decided.decision, decided.rule) == ("held_back", "throttle")
    assert decided.reason == "2 runs started in the last 1h, of 2 that may"
    assert decided.until_ms == START_MS + 1 + HOUR_MS
    world.at_ms = decided.until_ms - 1
    ran(world, "d-1", scope="d")
    assert world.alert("e-1", scope="e").until_ms == START_MS + 3 + 10 * MINUTE_MS + HOUR_MS


def test_the_window_slides_no_time_of_its_length_sees_more_starts() -> None:
    world = World(a_book(throttle_limit=3, throttle_per_ms=HOUR_MS))
    for n in range(200):
        world.wait(7 * MINUTE_MS)
        if world.alert(f"a-{n}", scope=f"s-{n}").decision == "started":
            world.end(f"a-{n}")

    starts = [int(request.request_id[2:]) * 7 for request in world.told(RunRequested)]
    assert len(starts) > 50
    assert all(later - first >= 60 for first, later in zip(starts, starts[3:], strict=False))


def test_who_waits_has_a_place_of_the_throttle_so_that_a_turn_never_breaks_it() -> None:
    world = World(a_book(throttle_limit=3, throttle_per_ms=HOUR_MS, max_running=1))
    for n in range(3):
        world.alert(f"a-{n}", scope=f"s-{n}")

    decided = world.alert("a-3", scope="s-3")

    assert (decided.rule, decided.until_ms) == ("throttle", START_MS + 1 + HOUR_MS)
    assert decided.reason == "1 runs started in the last 1h and 2 wait in the queue, of 3 that may"
    for n in range(3):
        world.end(f"a-{n}")
    assert world.started() == ["a-0", "a-1", "a-2"]


def test_while_everybody_of_the_limit_waits_nobody_knows_when_there_is_a_place() -> None:
    world = World(a_book(throttle_limit=1, throttle_per_ms=MINUTE_MS, max_running=1))
    world.alert("a-1")
    world.wait(2 * MINUTE_MS)
    assert world.alert("b-1", scope="b").decision == "queued"
    world.wait(2 * MINUTE_MS)

    assert (world.alert("c-1", scope="c").rule, world.alert("c-1", scope="c").until_ms) == ("throttle", None)


def test_the_throttle_of_the_newest_revision_counts_the_starts_that_are_known() -> None:
    world = World(a_book(throttle_limit=5, throttle_per_ms=HOUR_MS))
    for n in range(4):
        ran(world, f"a-{n}", scope=f"s-{n}")

    def at(request: str, book: Compiled, catalog_offset: int) -> str:
        world.book = book
        alert = an_alert(id=request, scope=request)
        return world.candidate(a_candidate(request, alert, catalog_offset=catalog_offset)).decision

    assert at("b-1", a_book(throttle_limit=4, throttle_per_ms=HOUR_MS), 8) == "held_back"
    assert at("b-2", a_book(), 9) == "started"
    row = world.slots()
    assert isinstance(row, PlaybookRow) and row.throttle is None
    assert at("b-3", a_book(throttle_limit=1, throttle_per_ms=HOUR_MS), 10) == "started"
    assert at("b-4", a_book(throttle_limit=1, throttle_per_ms=HOUR_MS), 10) == "held_back"


def test_the_row_keeps_no_more_starts_than_the_limit_whoever_overrides_it() -> None:
    world = World(a_book(throttle_limit=2, throttle_per_ms=HOUR_MS))
    ran(world, "x-1", scope="x")
    for n in range(7):
        world.candidate(a_candidate(f"q-{n}", an_alert(scope=f"s-{n}"), override=True, actor="ann"))

    throttle = world.slots().throttle
    assert throttle is not None and throttle.starts == (START_MS + 8, START_MS + 9)
    assert world.alert("a-1").until_ms == START_MS + 8 + HOUR_MS


def test_a_rerun_of_an_old_revision_brings_back_none_of_its_bounds() -> None:
    world = World(a_book(throttle_limit=1, throttle_per_ms=HOUR_MS, max_running=3))
    ran(world, "a-1")

    world.book = a_book()
    rerun = a_candidate("q-1", an_alert(), override=True, via="rerun", actor="ann", catalog_offset=9)
    assert world.candidate(rerun).decision == "started"

    world.book = a_book(throttle_limit=1, throttle_per_ms=HOUR_MS, max_running=3)
    assert world.slots().max_running == 3
    assert world.alert("b-1", scope="b").rule == "throttle"


def test_a_skip_says_what_has_the_key_rather_than_the_throttle() -> None:
    world = World(a_book(throttle_limit=1, throttle_per_ms=HOUR_MS))
    world.alert("a-1")

    assert world.alert("a-2").rule == "while_running"
    assert world.alert("b-1", scope="b").rule == "throttle"


def test_a_replay_spaces_starts_the_same() -> None:
    rules = {"cooldown_ms": MINUTE_MS, "throttle_limit": 3, "throttle_per_ms": HOUR_MS, "max_running": 1}
    world = World(a_book(**rules))
    for n in range(12):
        world.alert(f"a-{n}", scope=f"s-{n % 4}")
        world.wait(MINUTE_MS // 3)
        world.end(f"a-{n}")

    again = refolded(world.inputs, world.book, world.situation)

    assert (again.sent, again.rows) == (world.sent, world.rows)
