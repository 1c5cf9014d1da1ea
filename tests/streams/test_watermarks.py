"""Watermarks: what they cover, when one is due, and that another topic of the same name is refused."""

import pytest

from streams.watermarks import Watermarks


class Refused(Exception):
    """The process would not have started."""


def refuse(reason: str) -> None:
    raise Refused(reason)


@pytest.fixture
def marks() -> Watermarks:
    marks = Watermarks("p.run-inbox", "id-1", refuse)
    marks.assigned({0: (7, "id-1"), 1: None})
    return marks


def test_inputs_up_to_the_watermark_are_covered(marks: Watermarks) -> None:
    assert marks.covers(0, 7)
    assert not marks.covers(0, 8)
    assert marks.covered(0) == 7


def test_a_partition_without_a_watermark_covers_nothing(marks: Watermarks) -> None:
    assert not marks.covers(1, 0)
    assert marks.covered(1) is None
    assert marks.covered(2) is None


def test_a_watermark_is_due_once_for_what_has_passed(marks: Watermarks) -> None:
    assert marks.due(0) is None
    marks.passed(0, 9)
    assert marks.due(0) == (9, "id-1")
    assert marks.due(0) is None
    assert marks.covers(0, 9)


def test_offset_zero_can_be_covered(marks: Watermarks) -> None:
    marks.passed(1, 0)
    assert marks.due(1) == (0, "id-1")
    assert marks.covered(1) == 0


def test_partitions_that_went_away_are_forgotten(marks: Watermarks) -> None:
    marks.revoke({0})
    marks.passed(0, 9)
    assert marks.partitions() == [1]
    assert marks.due(0) is None
    assert not marks.covers(0, 3)


def test_a_topic_that_was_made_again_is_refused_with_the_reason(marks: Watermarks) -> None:
    with pytest.raises(Refused, match=r"p\.run-inbox.*id-1.*id-0.*deleted and made again"):
        marks.assigned({3: (5, "id-0")})


@pytest.fixture
def two() -> Watermarks:
    """Of rows that go by two topics."""
    return Watermarks("p.run-inbox", "id-1", refuse, {"p.run-journal": "id-j"})


def test_a_watermark_has_the_ids_of_all_topics_that_its_rows_go_by(two: Watermarks) -> None:
    two.assigned({0: (7, "id-1 id-j")})
    two.passed(0, 9)
    assert two.due(0) == (9, "id-1 id-j")


def test_a_topic_beside_the_input_that_was_made_again_is_refused_as_well(two: Watermarks) -> None:
    with pytest.raises(Refused, match=r"p\.run-journal.*id-j.*id-0.*deleted and made again"):
        two.assigned({0: (7, "id-1 id-0")})


def test_a_watermark_of_earlier_days_has_the_id_of_its_input_only(two: Watermarks) -> None:
    two.assigned({0: (7, "id-1")})
    assert two.covered(0) == 7
    with pytest.raises(Refused, match=r"p\.run-inbox"):
        two.assigned({1: (7, "id-0")})
