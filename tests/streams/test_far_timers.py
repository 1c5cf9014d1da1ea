"""Far timers: found again in time, in few bytes."""

from hypothesis import given
from hypothesis import strategies as st

from streams.far_timers import NEAR_MS, SLOT_MS, FarTimers, earliest_far_ms, is_near

NOW_MS = 1_795_000_000_000
DAY_MS = 86_400_000


def test_a_row_comes_near_before_its_timer_is_due() -> None:
    far = FarTimers()
    due_ms = NOW_MS + DAY_MS
    far.add(2, "r-1", due_ms)
    assert far.take(NOW_MS, 10) == []
    assert far.take(due_ms - NEAR_MS, 10) == [(2, "r-1")]
    assert far.take(due_ms, 10) == []


def test_only_so_many_come_at_once() -> None:
    far = FarTimers()
    for number in range(25):
        far.add(number % 3, f"r-{number}", NOW_MS)
    taken = [far.take(NOW_MS, 10) for _ in range(4)]
    assert [len(rows) for rows in taken] == [10, 10, 5, 0]
    assert {row for rows in taken for _, row in rows} == {f"r-{number}" for number in range(25)}


def test_any_key_comes_back_as_it_was() -> None:
    far = FarTimers()
    keys = ["", "a b|c\n\x00", "ü" * 300]
    for key in keys:
        far.add(0, key, NOW_MS)
    assert [row for _, row in far.take(NOW_MS, 10)] == keys


def test_revoked_partitions_are_forgotten() -> None:
    far = FarTimers()
    far.add(0, "a", NOW_MS)
    far.add(1, "b", NOW_MS)
    far.revoke({0})
    assert far.take(NOW_MS, 10) == [(1, "b")]


def test_a_hundred_thousand_runs_that_wait_to_be_forgotten_take_few_bytes() -> None:
    far = FarTimers()
    for number in range(100_000):
        far.add(number % 12, f"r-{number:026d}", NOW_MS + DAY_MS)
    assert far.size_bytes() == 100_000 * 30


@given(st.integers(0, 3 * DAY_MS))
def test_what_is_due_soon_is_near_and_what_is_due_late_is_not(due_in_ms: int) -> None:
    near = is_near(NOW_MS + due_in_ms, NOW_MS)
    assert near or due_in_ms > NEAR_MS
    assert not near or due_in_ms < NEAR_MS + SLOT_MS


def test_the_earliest_far_timer_is_the_one_to_wake_for() -> None:
    timers = {"soon": NOW_MS + 1_000, "later": NOW_MS + DAY_MS, "last": NOW_MS + 2 * DAY_MS}
    assert earliest_far_ms(timers, NOW_MS) == NOW_MS + DAY_MS
    assert earliest_far_ms({"soon": NOW_MS + 1_000}, NOW_MS) is None
