"""Timers fire once due, again until their row drops them, and are gone with it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.timers import AGAIN_FIRST_MS, AGAIN_MAX_MS, Due, Timers

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000


def test_a_timer_fires_when_it_is_due_and_not_before() -> None:
    timers = Timers()
    timers.changed(3, "r-1", {"retry": NOW_MS + 500}, NOW_MS)
    assert timers.due(NOW_MS + 499, 10) == []
    assert timers.due(NOW_MS + 500, 10) == [Due(3, "r-1", "retry", NOW_MS + 500)]


def test_a_timer_that_was_overdue_at_the_start_fires_at_once() -> None:
    timers = Timers()
    timers.changed(0, "r-1", {"deadline": NOW_MS - HOUR_MS}, NOW_MS)
    assert len(timers.due(NOW_MS, 10)) == 1


def test_it_fires_again_with_growing_delays_until_the_row_drops_it() -> None:
    timers = Timers()
    timers.changed(0, "r-1", {"t": NOW_MS}, NOW_MS)
    fired_ms = [at for at in range(NOW_MS, NOW_MS + 200_000, 250) if timers.due(at, 10)]
    gaps = [later - earlier for earlier, later in pairwise(fired_ms)]
    assert gaps[:5] == [AGAIN_FIRST_MS, 4_000, 8_000, 16_000, 32_000]
    assert max(gaps) == AGAIN_MAX_MS
    timers.changed(0, "r-1", {}, NOW_MS + 200_000)
    assert timers.due(NOW_MS + HOUR_MS, 10) == []
    assert len(timers) == 0


def test_a_timer_that_is_put_off_fires_at_its_new_time_only() -> None:
    timers = Timers()
    timers.changed(0, "r-1", {"t": NOW_MS + 1_000}, NOW_MS)
    timers.changed(0, "r-1", {"t": NOW_MS + 5_000}, NOW_MS)
    assert timers.due(NOW_MS + 4_999, 10) == []
    assert timers.due(NOW_MS + 5_000, 10) == [Due(0, "r-1", "t", NOW_MS + 5_000)]


def test_the_longest_due_fire_first_and_only_so_many_at_once() -> None:
    timers = Timers()
    for number in range(5):
        timers.changed(0, f"r-{number}", {"t": NOW_MS - number}, NOW_MS)
    assert [due.row for due in timers.due(NOW_MS, 2)] == ["r-4", "r-3"]
    assert [due.row for due in timers.due(NOW_MS, 9)] == ["r-2", "r-1", "r-0"]


def test_far_timers_come_near_and_are_told_again_by_the_row() -> None:
    timers = Timers()
    due_ms = NOW_MS + 24 * HOUR_MS
    timers.changed(1, "r-1", {"forget": due_ms}, NOW_MS)
    assert len(timers) == 0
    near_ms = due_ms - 10_000
    assert timers.coming_near(near_ms, 10) == [(1, "r-1")]
    timers.changed(1, "r-1", {"forget": due_ms}, near_ms)
    assert timers.due(due_ms, 10) == [Due(1, "r-1", "forget", due_ms)]


def test_a_far_timer_that_stays_as_it_was_is_noted_once() -> None:
    timers = Timers()
    far = {"deadline": NOW_MS + HOUR_MS}
    timers.changed(1, "r-1", far, NOW_MS)
    noted_bytes = timers.far_bytes()
    timers.changed(1, "r-1", {**far, "retry": NOW_MS + 5}, NOW_MS, before=far)
    assert timers.far_bytes() == noted_bytes


def test_revoked_partitions_fire_nothing() -> None:
    timers = Timers()
    timers.changed(0, "r-0", {"t": NOW_MS, "far": NOW_MS + HOUR_MS}, NOW_MS)
    timers.changed(1, "r-1", {"t": NOW_MS}, NOW_MS)
    timers.revoke({0})
    assert [due.row for due in timers.due(NOW_MS + 2 * HOUR_MS, 10)] == ["r-1"]
    assert timers.coming_near(NOW_MS + 2 * HOUR_MS, 10) == []


def test_timers_that_came_and_went_leave_no_heap_behind() -> None:
    timers = Timers()
    for number in range(50_000):
        timers.changed(0, f"r-{number}", {"t": NOW_MS + 60_000}, NOW_MS)
        timers.changed(0, f"r-{number}", {}, NOW_MS)
    assert len(timers) == 0
    assert timers.heap_size() <= 1_001


ROWS = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 30_000), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(["r-1", "r-2"]), ROWS), max_size=30))
def test_what_fires_is_what_the_rows_hold_when_it_is_due(changes: list[tuple[str, dict[str, int]]]) -> None:
    timers = Timers()
    rows: dict[str, dict[str, int]] = {}
    for row, due_in_ms in changes:
        rows[row] = {timer: NOW_MS + due_ms for timer, due_ms in due_in_ms.items()}
        timers.changed(0, row, rows[row], NOW_MS)
    expected = {(row, timer, due_ms) for row, held in rows.items() for timer, due_ms in held.items()}
    fired = timers.due(NOW_MS + 30_000, 1_000)
    assert {(due.row, due.timer, due.due_ms) for due in fired} == expected
    assert len(fired) == len(expected) == len(timers)
