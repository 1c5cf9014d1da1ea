"""What a worker that was killed leaves behind is legal: records written again, alerts matched twice."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from audit.verify.findings import Tally
from schemas.decisions import AlertMatched
from tests.audit.making import Making
from tests.audit.memory import verified
from tests.audit.tampering import Topics, added, closed_up


@pytest.fixture
def made() -> Making:
    """An alert that was matched before a change of the catalog, and, delivered again, after it."""
    made = Making()
    made.alert("queues")
    made.alert("queues")
    made.settle(1)
    first = made.topics["alerts"][0]
    made.apply("queues", "description: a newer revision\n")
    made.work()
    made._match(first)
    made.settle(1)
    return made


async def findings(topics: Topics, folder: Path, made: Making) -> Tally:
    return await verified(topics, folder, made.now_ms, None, made.partitions)


def of(made: Making, topic: str, kind: Any) -> list[Any]:
    """Entries of that kind about the alert that was matched twice, in order."""
    name = "alert_id" if kind is AlertMatched else "request_id"
    return [
        one
        for one in made.topics[topic]
        if isinstance(one.record, kind) and getattr(one.record, name) == "a-1"
    ]


async def test_an_alert_that_was_matched_twice_is_as_it_must_be(made: Making, tmp_path: Path) -> None:
    offsets = [one.record.catalog_offset for one in of(made, "decisions", AlertMatched)]
    assert len(set(offsets)) == 2
    tally = await findings(made.topics, tmp_path, made)
    assert tally.differences == []


async def test_either_time_may_have_been_interrupted_but_not_both(made: Making, tmp_path: Path) -> None:
    earlier, later = of(made, "decisions", AlertMatched)
    without_first = closed_up(made.topics, earlier)
    assert (await findings(without_first, tmp_path / "first", made)).differences == []
    without_second = closed_up(made.topics, later)
    assert (await findings(without_second, tmp_path / "second", made)).differences == []
    moved = dataclasses.replace(later, offset=later.offset - (earlier.partition == later.partition))
    neither = await findings(closed_up(without_first, moved), tmp_path / "neither", made)
    assert {(one.topic, one.what) for one in neither.differences} == {
        ("decisions", "missing"),
        ("admissions", "unexplained"),
    }


async def test_a_journal_record_that_was_written_again_is_a_repeat_and_no_difference(
    made: Making, tmp_path: Path
) -> None:
    topics, again = added(made.topics, made.topics["run-journal"][0])
    tally = await findings(topics, tmp_path, made)
    assert (tally.differences, tally.repeats) == ([], [(again.topic, again.partition, again.offset)])
