"""A schedule follows from its seed; a gap is measured where it is."""

from tests.chaos.following import longest_gap_s
from tests.chaos.schedule import schedule

GROUPS = [("processor-a",), ("executor-a",), ("sink-a", "web-a")]


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another_one() -> None:
    made = schedule(7, GROUPS, ("kill", "wipe"), 12, 2.0)
    assert made == schedule(7, GROUPS, ("kill", "wipe"), 12, 2.0)
    assert made != schedule(8, GROUPS, ("kill", "wipe"), 12, 2.0)


def test_every_group_has_its_turn_and_every_moment_comes_after_the_one_before() -> None:
    made = schedule(3, GROUPS, ("kill",), 9, 2.0)
    assert sorted(moment.names for moment in made) == sorted(GROUPS * 3)
    times = [moment.at_s for moment in made]
    assert times == sorted(times)
    assert times[-1] < 18


def test_a_moment_can_be_read() -> None:
    (moment,) = schedule(1, [("sink-a", "web-a")], ("freeze",), 1, 10.0)
    assert str(moment) == f"{moment.at_s:6.1f} s freeze sink-a web-a"


def test_the_longest_gap_is_looked_for_around_a_deed() -> None:
    times = [0, 100, 200, 5_200, 5_300, 50_000]
    assert longest_gap_s(times, 250, 1_000) == 5.0
    assert longest_gap_s(times, 5_250, 0) == 0.1
    assert longest_gap_s(times, 60_000, 1_000) == 0.0
