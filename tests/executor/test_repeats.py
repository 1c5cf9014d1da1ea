"""A record that comes again must say the same."""

from executor.repeats import Repeats


def test_a_repeat_with_the_same_content_is_no_contradiction() -> None:
    repeats = Repeats()
    assert [repeats.contradicts("r", seq, b"a") for seq in (1, 2, 2, 1)] == [False] * 4


def test_a_repeat_with_other_content_is_one_each_time() -> None:
    repeats = Repeats()
    assert not repeats.contradicts("r", 2, b"a")
    assert repeats.contradicts("r", 2, b"b")
    assert repeats.contradicts("r", 2, b"b")
    assert not repeats.contradicts("other", 2, b"b")


def test_it_remembers_so_many_runs_and_no_more() -> None:
    repeats = Repeats(runs_max=2)
    for run, seq in (("a", 1), ("b", 1), ("a", 2), ("c", 1)):
        repeats.contradicts(run, seq, b"x")
    assert repeats.contradicts("a", 2, b"y")
    assert repeats.contradicts("c", 1, b"y")
    assert not repeats.contradicts("b", 1, b"y")
