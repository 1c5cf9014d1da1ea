"""What a commit's metadata holds: nothing that is not finished, and all of it as long as it fits."""

from hypothesis import given
from hypothesis import strategies as st

from executor.commit_metadata import CHARS_MAX, Interval, decoded, encoded

OFFSET = 1_000


@st.composite
def finished_intervals(draw: st.DrawFn) -> list[Interval]:
    """Disjoint rising intervals beyond OFFSET, with a gap between each and the next."""
    pairs = draw(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), max_size=300))
    at, intervals = OFFSET, []
    for gap, run in pairs:
        intervals.append((at + gap, at + gap + run))
        at += gap + run
    return intervals


def offsets(intervals: tuple[Interval, ...] | list[Interval]) -> set[int]:
    return {offset for start, stop in intervals for offset in range(start, stop)}


@given(finished_intervals())
def test_a_window_that_fits_comes_back_as_it_was(finished: list[Interval]) -> None:
    assert list(decoded(encoded(finished, OFFSET), OFFSET)) == finished


@given(st.sets(st.integers(OFFSET + 1, OFFSET + 20_000), max_size=5_000))
def test_any_window_of_20_000_offsets_fits_and_comes_back(finished: set[int]) -> None:
    text = encoded([(offset, offset + 1) for offset in sorted(finished)], OFFSET)
    assert len(text) <= CHARS_MAX
    assert offsets(decoded(text, OFFSET)) == finished


def test_every_second_offset_of_a_long_window_is_cut_to_what_fits_and_nothing_is_made_up() -> None:
    finished = [(offset, offset + 1) for offset in range(OFFSET + 1, OFFSET + 200_000, 2)]
    text = encoded(finished, OFFSET)
    kept = offsets(decoded(text, OFFSET))
    assert len(text) <= CHARS_MAX
    assert kept < offsets(finished)
    assert len(kept) > 12_000


def test_one_long_step_and_five_million_finished_ones_after_it_take_a_few_characters() -> None:
    text = encoded([(OFFSET + 1, OFFSET + 5_000_000)], OFFSET)
    assert len(text) < 12
    assert decoded(text, OFFSET) == ((OFFSET + 1, OFFSET + 5_000_000),)


def test_nothing_finished_is_no_text() -> None:
    assert encoded([], OFFSET) == ""


@given(st.text(max_size=50) | st.text("1rb-_AQgz09", max_size=5_000))
def test_text_that_is_not_ours_never_raises(text: str) -> None:
    for start, stop in decoded(text, OFFSET):
        assert OFFSET <= start < stop


def test_text_of_a_later_version_says_nothing() -> None:
    assert decoded("2rAQE", OFFSET) == ()
