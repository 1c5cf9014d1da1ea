"""Whatever is done to a record of any topic is named: changed, dropped, written again, moved, made up."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.verify.findings import Tally
from connectors.event_log import Entry
from schemas.admissions import Candidate, RunEnded
from schemas.alerts import AlertReceived
from schemas.catalog import RevisionAdded
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord
from schemas.fields import Record
from schemas.inbox import RunRequested, StepFinished
from schemas.publications import Published
from tests.audit.histories import eventful
from tests.audit.making import Making
from tests.audit.memory import verified
from tests.audit.tampering import (
    CHANGES,
    Topics,
    added,
    changed,
    closed_up,
    dropped,
    first,
    inserted,
    swapped,
)

OUTSIDE = (AlertReceived, StepFinished)
"""Nothing says what these must be; what follows from them does."""


@pytest.fixture(scope="module")
def made() -> Making:
    return eventful()


async def findings(topics: Topics, folder: Path, made: Making) -> Tally:
    return await verified(topics, folder, made.now_ms, partitions=made.partitions)


def place(entry: Entry) -> tuple[str, int, int]:
    return entry.topic, entry.partition, entry.offset


def named(tally: Tally) -> set[tuple[str, int, int]]:
    """Every place that any difference is about."""
    return {each for one in tally.differences for each in (one.expected, one.found) if each is not None}


async def test_what_was_not_touched_is_as_it_must_be(made: Making, tmp_path: Path) -> None:
    tally = await findings(made.topics, tmp_path, made)
    assert (tally.differences, dict(tally.unchecked), tally.repeats) == ([], {}, [])
    counts = {topic: tally.counts[topic, "equal"] for topic in ("decisions", "run-journal", "publications")}
    assert counts == {topic: len(made.topics[topic]) for topic in counts}


@pytest.mark.parametrize(("kind", "change"), CHANGES, ids=[kind.__name__ for kind, _ in CHANGES])
async def test_a_change_is_named(
    kind: type[Record], change: Callable[[Any], Record], made: Making, tmp_path: Path
) -> None:
    entry = first(made.topics, kind)
    tally = await findings(changed(made.topics, entry, change(entry.record)), tmp_path, made)
    assert place(entry) in named(tally), tally.differences
    if kind not in OUTSIDE and kind is not RevisionAdded:
        mine = [one for one in tally.differences if place(entry) == one.found]
        assert {one.what for one in mine} <= {"differs", "unexplained"}


@pytest.mark.parametrize("kind", [kind for kind, _ in CHANGES], ids=lambda kind: kind.__name__)
async def test_a_record_that_is_gone_is_named(kind: type[Record], made: Making, tmp_path: Path) -> None:
    entry = first(made.topics, kind)
    tally = await findings(dropped(made.topics, entry), tmp_path, made)
    gaps = [one.found for one in tally.differences if one.what == "gap"]
    assert gaps == [place(entry)]
    if kind not in OUTSIDE and kind is not RevisionAdded:
        assert "missing" in {one.what for one in tally.differences if one.topic == entry.topic}


@pytest.mark.parametrize("kind", [kind for kind, _ in CHANGES], ids=lambda kind: kind.__name__)
async def test_a_copy_without_one_record_is_no_copy(kind: type[Record], made: Making, tmp_path: Path) -> None:
    entry = first(made.topics, kind)
    tally = await findings(closed_up(made.topics, entry), tmp_path, made)
    assert tally.differences


@pytest.mark.parametrize(
    "kind", [kind for kind, _ in CHANGES if kind not in OUTSIDE], ids=lambda kind: kind.__name__
)
async def test_a_record_that_was_written_again_is_counted_and_its_place_kept(
    kind: type[Record], made: Making, tmp_path: Path
) -> None:
    topics, again = added(made.topics, first(made.topics, kind))
    tally = await findings(topics, tmp_path, made)
    assert place(again) in {*tally.repeats, *named(tally)}


async def test_an_alert_that_was_written_again_lacks_what_would_follow(made: Making, tmp_path: Path) -> None:
    topics, again = added(made.topics, first(made.topics, AlertReceived))
    tally = await findings(topics, tmp_path, made)
    assert [(one.what, one.expected) for one in tally.differences] == [("missing", place(again))]


async def test_an_answer_that_comes_again_leads_to_nothing_and_is_no_difference(
    made: Making, tmp_path: Path
) -> None:
    topics, _ = added(made.topics, first(made.topics, StepFinished))
    tally = await findings(topics, tmp_path, made)
    assert tally.differences == []


@pytest.mark.parametrize(
    "kind",
    [AlertReceived, AlertMatched, AdmissionDecided, Candidate, RunRequested, StepFinished, JournalRecord],
    ids=lambda kind: kind.__name__,
)
async def test_records_that_changed_places_are_named(
    kind: type[Record], made: Making, tmp_path: Path
) -> None:
    entry = first(made.topics, kind, 4)
    topics, other = swapped(made.topics, entry)
    tally = await findings(topics, tmp_path, made)
    assert named(tally) & {place(entry), place(other)}, tally.differences


def forged(entry: Entry, kind: type[Record]) -> tuple[bytes, bytes]:
    """Key and value of a record that nobody wrote."""
    record: Any = entry.record
    if kind is AlertMatched:
        return b"a-forged", encode(replace(record, alert_id="a-forged"))
    if kind is AdmissionDecided:
        return entry.key or b"", encode(replace(record, run_id="r-forged", decision="started"))
    if kind is Candidate:
        return entry.key or b"", encode(replace(record, request_id="a-forged", run_id="r-forged"))
    return b"r-forged", encode(replace(record, run_id="r-forged"))


@pytest.mark.parametrize(
    "kind",
    [AlertMatched, AdmissionDecided, Candidate, RunRequested, JournalRecord, Published],
    ids=lambda kind: kind.__name__,
)
async def test_a_record_that_was_made_up_is_named(kind: type[Record], made: Making, tmp_path: Path) -> None:
    entry = first(made.topics, kind)
    key, value = forged(entry, kind)
    topics, new = added(made.topics, entry, key=key, value=value)
    tally = await findings(topics, tmp_path, made)
    mine = [one for one in tally.differences if one.found == place(new)]
    assert [one.what for one in mine] == ["unexplained"], tally.differences


async def test_an_alert_that_nobody_received_lacks_its_decision(made: Making, tmp_path: Path) -> None:
    entry = first(made.topics, AlertReceived)
    record: Any = entry.record
    topics, new = added(made.topics, entry, value=encode(replace(record, alert_id="a-forged")))
    tally = await findings(topics, tmp_path, made)
    assert [(one.what, one.expected) for one in tally.differences] == [("missing", place(new))]


@pytest.mark.parametrize(
    ("kind", "fields", "what"),
    [
        (RunEnded, {"run_id": "r-forged"}, "unexplained"),
        (DeadLetter, {"offset": 1_000_000}, "unexplained"),
        (RevisionAdded, {"digest": "0" * 64}, "altered"),
    ],
    ids=["RunEnded", "DeadLetter", "RevisionAdded"],
)
async def test_an_end_a_letter_and_a_revision_that_were_made_up_are_named(
    kind: type[Record], fields: dict[str, Any], what: str, made: Making, tmp_path: Path
) -> None:
    entry = first(made.topics, kind)
    record: Any = entry.record
    topics, new = added(made.topics, entry, value=encode(replace(record, **fields)))
    tally = await findings(topics, tmp_path, made)
    assert [(one.what, one.found) for one in tally.differences] == [(what, place(new))]


async def test_reports_of_one_run_that_changed_places_are_named(made: Making, tmp_path: Path) -> None:
    def of_one(entry: Entry) -> list[Entry]:
        return [one for one in made.topics["publications"] if one.key == entry.key]

    one, other = next(of_one(each)[:2] for each in made.topics["publications"] if len(of_one(each)) > 1)
    swap = {one.offset: other.value, other.offset: one.value}
    moved = [
        dataclasses.replace(each, value=swap.get(each.offset, each.value))
        if each.partition == one.partition
        else each
        for each in made.topics["publications"]
    ]
    tally = await findings({**made.topics, "publications": moved}, tmp_path, made)
    assert {each.what for each in tally.differences} == {"out of order"}
    assert named(tally) & {place(one), place(other)}


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (AlertMatched, {"offset": 10**12}),
        (AdmissionDecided, {"offset": 10**12}),
        (JournalRecord, {"cause_offset": 10**12}),
        (JournalRecord, {"cause_partition": 99, "cause_offset": 10**12}),
        (JournalRecord, {"cause_topic": "alerts", "cause_offset": 10**12}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else ",".join(value),
)
async def test_a_made_up_cause_accuses_nobody_behind_it(
    kind: type[Record], cause: dict[str, Any], made: Making, tmp_path: Path
) -> None:
    entry = first(made.topics, kind)
    record: Any = entry.record
    topics, new = inserted(made.topics, entry, value=encode(replace(record, **cause)))
    tally = await findings(topics, tmp_path, made)
    assert {one.found for one in tally.differences} == {place(new)}, tally.differences


async def test_another_content_under_the_same_run_and_seq_contradicts(made: Making, tmp_path: Path) -> None:
    entry = first(made.topics, JournalRecord)
    record: Any = entry.record
    topics, new = added(made.topics, entry, value=encode(replace(record, playbook="forged")))
    tally = await findings(topics, tmp_path, made)
    (difference,) = tally.differences
    assert (difference.what, difference.found) == ("contradicts", place(new))
    # What it follows from: by that both sides are shown, and the fields that differ.
    assert difference.expected == (record.cause_topic, record.cause_partition, record.cause_offset)


async def test_bytes_that_are_no_record_are_named(made: Making, tmp_path: Path) -> None:
    for topic in ("decisions", "run-journal", "publications", "dead-letters"):
        entry = made.topics[topic][0]
        topics, new = added(made.topics, entry, value=b"garbage")
        tally = await findings(topics, tmp_path / topic, made)
        assert [(one.what, one.found) for one in tally.differences] == [("unreadable", place(new))]
        before = await verified(
            topics, tmp_path / topic, made.now_ms, partitions=made.partitions, until_ms=new.at_ms
        )
        assert [one for one in before.differences if one.what == "unreadable"] == []
