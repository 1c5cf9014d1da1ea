"""What may be committed of one partition, in every order in which messages can be settled."""

from hypothesis import given
from hypothesis import strategies as st

from streams.hardened.progress import Progress


def handed_over(offsets: list[int], position: int = 0) -> Progress:
    progress = Progress(position)
    for offset in offsets:
        progress.hand_over(offset, at_ms=1_000 + offset)
    return progress


def test_a_message_under_way_holds_the_commit_back_whatever_is_settled_after_it() -> None:
    progress = handed_over([2585, 2586, 2587], position=2585)
    progress.settle(2586)
    progress.settle(2587)
    assert progress.committable() == 2585


def test_the_commit_goes_past_all_that_is_settled_once_the_oldest_is() -> None:
    progress = handed_over([5, 6, 7], position=5)
    progress.settle(6)
    progress.settle(5)
    assert progress.committable() == 7


def test_offsets_that_do_not_exist_hold_nothing_back() -> None:
    progress = handed_over([10, 11, 15], position=10)
    for offset in (10, 11, 15):
        progress.settle(offset)
    assert progress.committable() == 16


def test_nothing_handed_over_leaves_the_position() -> None:
    assert Progress(42).committable() == 42


def test_settling_twice_or_what_was_never_handed_over_changes_nothing() -> None:
    progress = handed_over([1, 2], position=1)
    assert progress.settle(2)
    assert not progress.settle(2)
    assert not progress.settle(3)
    assert not progress.settle(0)
    assert progress.committable() == 1
    assert progress.open_count() == 1


def test_a_jump_is_doubted_once_and_then_believed() -> None:
    progress = handed_over([1], position=1)
    assert progress.doubts(5)
    assert not progress.doubts(5)
    progress.hand_over(5, 0)
    assert progress.doubts(9)
    assert not progress.doubts(6)


def test_handing_over_an_offset_again_is_refused() -> None:
    progress = handed_over([1, 2])
    try:
        progress.hand_over(2, 0)
    except ValueError as error:
        assert "handed over before" in str(error)
    else:
        raise AssertionError("offset 2 was handed over twice")


def test_the_oldest_open_message_tells_its_time() -> None:
    progress = handed_over([1, 2, 3])
    progress.settle(1)
    assert progress.oldest_open_ms() == 1_002
    assert progress.last_at_ms == 1_003
    progress.settle(2)
    progress.settle(3)
    assert progress.oldest_open_ms() is None


@given(st.lists(st.integers(1, 4), min_size=1, max_size=40), st.data())
def test_never_commits_past_an_open_message_and_at_last_past_all(
    steps: list[int], data: st.DataObject
) -> None:
    offsets = [sum(steps[: number + 1]) for number in range(len(steps))]
    progress = handed_over(offsets)
    remaining = set(offsets)
    for offset in data.draw(st.permutations(offsets)):
        assert progress.settle(offset)
        remaining.discard(offset)
        committable = progress.committable()
        assert all(offset >= committable for offset in remaining)
        assert committable == (min(remaining) if remaining else offsets[-1] + 1)


def test_a_message_that_concerns_nobody_holds_nothing_back_and_lets_nothing_pass() -> None:
    progress = handed_over([5], position=5)
    progress.pass_over(6, at_ms=1)
    progress.pass_over(7, at_ms=2)
    assert progress.committable() == 5
    progress.settle(5)
    assert progress.committable() == 8
    assert progress.open_count() == 0
