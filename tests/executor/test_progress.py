"""What may be committed when steps finish in any order, and what a restart from it knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.progress import Progress


def read(progress: Progress, first: int, *parts: int) -> None:
    for i, count in enumerate(parts):
        progress.read(first + i, count)


def test_records_without_steps_are_finished_when_read() -> None:
    progress = Progress(10)
    read(progress, 10, 0, 0, 0)
    assert progress.position().offset == 13
    assert progress.position().metadata == ""


def test_the_first_open_step_holds_the_offset_back() -> None:
    progress = Progress(10)
    read(progress, 10, 0, 1, 1, 1)
    progress.finish(12)
    assert progress.position().offset == 11


def test_a_record_with_two_steps_is_finished_after_both() -> None:
    progress = Progress(0)
    read(progress, 0, 2)
    progress.finish(0)
    assert progress.position().offset == 0
    progress.finish(0)
    assert progress.position().offset == 1


def test_what_was_finished_beyond_the_commit_is_known_after_a_restart() -> None:
    progress = Progress(0)
    read(progress, 0, 1, 1, 0, 1)
    progress.finish(1)
    position = progress.position()
    again = Progress(position.offset, position.metadata)
    assert [again.was_finished(offset) for offset in range(5)] == [False, True, True, False, False]


def test_a_commit_made_while_reading_again_keeps_what_the_last_one_knew() -> None:
    progress = Progress(0)
    read(progress, 0, 1, 1, 1, 1)
    progress.finish(3)
    position = progress.position()
    again = Progress(position.offset, position.metadata)
    again.read(0, 1)
    position = again.position()
    assert Progress(position.offset, position.metadata).was_finished(3)


def test_offsets_that_retention_removed_count_as_finished() -> None:
    progress = Progress(5)
    progress.read(100, 1)
    assert progress.position().offset == 100


def test_finishing_twice_is_an_error() -> None:
    progress = Progress(0)
    read(progress, 0, 1)
    progress.finish(0)
    with pytest.raises(KeyError):
        progress.finish(0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=200), st.data())
def test_a_restart_repeats_exactly_what_was_not_finished(parts: list[int], data: st.DataObject) -> None:
    progress = Progress(0)
    read(progress, 0, *parts)
    finished = data.draw(st.sets(st.sampled_from(range(len(parts)))))
    for offset in finished:
        for _ in range(parts[offset]):
            progress.finish(offset)
    position = progress.position()
    again = Progress(position.offset, position.metadata)
    for offset, count in enumerate(parts):
        done = offset < position.offset or again.was_finished(offset)
        assert done == (count == 0 or offset in finished)
