"""What is not worked off yet is no difference, what does not move any more is one; a period, and one run."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.verify.explaining import explained, plain
from audit.verify.findings import Tally
from audit.verify.frame import Positions
from audit.verify.one_run import UnknownRun, verify_run
from audit.verify.verifying import frame_of, verify
from audit.verify.work import Alone
from connectors.event_log import Entry
from schemas.codec import encode
from schemas.decisions import AdmissionDecided
from schemas.events import JournalRecord, StepSucceeded
from schemas.fields import Record
from schemas.inbox import RunRequested
from tests.audit.histories import eventful
from tests.audit.making import Making
from tests.audit.memory import MemoryLog, verified
from tests.audit.tampering import Topics, changed, dropped, first, trimmed

HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def made() -> Making:
    return eventful()


def cut(topics: Topics, name: str, partition: int, end: int) -> Topics:
    kept = [one for one in topics[name] if one.partition != partition or one.offset < end]
    return {**topics, name: kept}


async def ends_of(made: Making) -> dict[tuple[str, int], int]:
    log = MemoryLog(made.topics, made.partitions)
    return {place: end for place, (_, end) in (await log.bounds()).items()}


async def test_what_nobody_has_worked_off_yet_is_counted_and_no_difference(
    made: Making, tmp_path: Path
) -> None:
    ends = await ends_of(made)
    worked_off = {**ends, ("run-inbox", 1): 40}
    inputs = {one.offset: one for one in made.topics["run-inbox"] if one.partition == 1}
    kept = [
        one
        for one in made.topics["run-journal"]
        if one.partition == 0 or (isinstance(one.record, JournalRecord) and one.record.cause_offset < 50)
    ]
    assert len(kept) < len(made.topics["run-journal"]), "what came of the last inputs is not there"
    topics: Topics = {**made.topics, "run-journal": kept}
    waits = {**topics, "publications": published_for(topics)}
    tally = await verified(waits, tmp_path, made.now_ms, Positions(worked_off, ends, 1), made.partitions)
    others = [one for one in tally.differences if one.topic in ("run-journal", "publications")]
    assert others == []
    assert tally.counts["run-inbox", "not yet worked off"] == len(inputs) - 40
    assert tally.counts["run-journal", "pending"] > 0


def published_for(topics: Topics) -> list[Entry]:
    """Publications of the reports that the journal still has."""
    there = {
        (one.record.run_id, one.record.seq)
        for one in topics["run-journal"]
        if isinstance(one.record, JournalRecord)
    }
    said: list[Entry] = []
    for one in topics["publications"]:
        record: Any = one.record
        if (record.run_id, record.seq) in there:
            said.append(
                dataclasses.replace(one, offset=len([x for x in said if x.partition == one.partition]))
            )
    return said


async def test_without_committed_offsets_what_is_named_as_a_cause_counts_as_worked_off(
    made: Making, tmp_path: Path
) -> None:
    nothing = Positions({}, {}, members=1)
    tally = await verified(made.topics, tmp_path / "whole", made.now_ms, nothing, made.partitions)
    assert tally.differences == []
    lost = first(made.topics, AdmissionDecided)
    tally = await verified(
        dropped(made.topics, lost), tmp_path / "less", made.now_ms, nothing, made.partitions
    )
    assert {one.what for one in tally.differences} >= {"gap", "missing"}


async def test_a_run_that_nothing_moves_any_more_is_stuck_unless_nobody_is_at_work(tmp_path: Path) -> None:
    made = Making()
    for _ in range(3):
        made.alert("throttles")
    made.settle(0)
    late_ms = made.now_ms + 6 * HOUR_MS
    tally = await verified(made.topics, tmp_path / "a", late_ms, None, made.partitions)
    stuck = [one for one in tally.differences if one.what == "stuck"]
    assert {one.topic for one in stuck} == {"run-inbox", "admissions"}
    ends = await ends_of(made)
    away = Positions(ends, ends, members=0)
    tally = await verified(made.topics, tmp_path / "b", late_ms, away, made.partitions)
    assert tally.differences == []
    assert tally.unchecked["timers that are due: no processor is at work"] == len(stuck)


async def test_a_started_run_that_is_nowhere_is_missing_even_if_its_candidate_is_gone(tmp_path: Path) -> None:
    made = eventful(seed=4)
    run_id = next(
        one.record.run_id
        for one in made.topics["decisions"]
        if isinstance(one.record, AdmissionDecided)
        and (one.record.decision, one.record.partition) == ("started", 1)
    )
    key = run_id.encode()
    topics: dict[str, Any] = dict(made.topics)
    for name in ("run-inbox", "run-journal", "publications"):
        topics[name] = [one for one in topics[name] if one.key != key]
    entries = [one for one in topics["admissions"] if one.partition == 1]
    topics = dict(trimmed(topics, "admissions", 1, entries[-1].offset))
    tally = await verified(topics, tmp_path, made.now_ms, None, made.partitions)
    texts = [one.text for one in tally.differences if one.topic == "decisions"]
    assert "it says that a run started; there is none" in texts


async def test_a_period_names_what_lies_in_it_and_nothing_else(made: Making, tmp_path: Path) -> None:
    entry = first(made.topics, JournalRecord, 5)
    record: Any = entry.record
    topics = changed(made.topics, entry, replace(record, playbook="forged"))
    at_ms = record.at_ms
    whole = await verified(topics, tmp_path / "a", made.now_ms, None, made.partitions)
    inside = await verified(
        topics, tmp_path / "b", made.now_ms, None, made.partitions, at_ms - 1_000, at_ms + 1_000
    )
    outside = await verified(topics, tmp_path / "c", made.now_ms, None, made.partitions, at_ms + 1_000)
    assert [len(one.differences) for one in (whole, inside, outside)] == [1, 1, 0]
    assert 0 < inside.counts["run-journal", "equal"] < outside.counts["run-journal", "equal"]


async def one_run(topics: Topics, run_id: str, folder: Path, made: Making) -> Tally:
    log = MemoryLog(topics, made.partitions)
    ends = {place: end for place, (_, end) in (await log.bounds()).items()}

    async def ask() -> Positions:
        return Positions(ends, ends, members=1)

    folder.mkdir(exist_ok=True)
    frame = await frame_of(log, ask, made.now_ms)
    tally, _ = await verify_run(run_id, frame, Alone(log, folder, lambda count: None), log)
    return tally


async def test_one_run_alone_is_compared_with_its_journal_posts_and_decision(
    made: Making, tmp_path: Path
) -> None:
    entry = first(made.topics, JournalRecord, 5)
    record: Any = entry.record
    run_id = record.run_id
    tally = await one_run(made.topics, run_id, tmp_path / "a", made)
    assert tally.differences == []
    assert tally.counts["run-journal", "equal"] == sum(
        one.key == entry.key for one in made.topics["run-journal"]
    )
    assert tally.counts["decisions", "equal"] == 1
    forged = changed(made.topics, entry, replace(record, playbook="forged"))
    tally = await one_run(forged, run_id, tmp_path / "b", made)
    assert [(one.what, one.found) for one in tally.differences] == [
        ("differs", (entry.topic, entry.partition, entry.offset))
    ]
    others = [one for one in made.topics["decisions"] if getattr(one.record, "run_id", "") != run_id]
    tally = await one_run({**made.topics, "decisions": others}, run_id, tmp_path / "c", made)
    assert [one.text for one in tally.differences] == ["no decision started it"]
    with pytest.raises(UnknownRun, match="nothing about r-nobody"):
        await one_run(made.topics, "r-nobody", tmp_path / "d", made)


async def test_both_sides_of_a_difference_are_shown_with_the_fields_that_differ(
    made: Making, tmp_path: Path
) -> None:
    entry = first(made.topics, JournalRecord, 5)
    record: Any = entry.record
    events = tuple(
        replace(event, output="forged") if isinstance(event, StepSucceeded) else event
        for event in record.events
    )
    topics = changed(made.topics, entry, replace(record, events=events))
    asked = first(topics, RunRequested, 3)
    request: Any = asked.record
    topics = changed(topics, asked, replace(request, key="forged"))
    gone = first(topics, AdmissionDecided, 9)
    topics = dropped(topics, gone)
    log = MemoryLog(topics, made.partitions)
    ends = {place: end for place, (_, end) in (await log.bounds()).items()}

    async def ask() -> Positions:
        return Positions(ends, ends, members=1)

    frame = await frame_of(log, ask, made.now_ms)
    crew = Alone(log, tmp_path, lambda count: None)
    tally, frame = await verify(frame, crew)
    both = {
        (one.difference.what, one.difference.found): one
        for one in await explained(tally.differences, frame, crew, log)
    }
    step = both["differs", (entry.topic, entry.partition, entry.offset)]
    place = next(n for n, event in enumerate(record.events) if isinstance(event, StepSucceeded))
    assert [path for path, _, found in step.fields if found == "forged"] == [f"events[{place}].output"]
    started = both["differs", (asked.topic, asked.partition, asked.offset)]
    assert [(path, found) for path, _, found in started.fields] == [("key", "forged")]
    decision: Any = gone.record
    missing = next(
        one for (what, _), one in both.items() if what == "missing" and one.difference.topic == "decisions"
    )
    assert missing.expected is not None
    assert (missing.expected["run_id"], missing.expected["reason"]) == (decision.run_id, decision.reason)
    assert encode(request)


def test_whatever_differs_can_be_written_as_json(made: Making) -> None:
    records = [entry.record for entries in made.topics.values() for entry in entries]
    for record in records:
        if isinstance(record, Record):
            assert json.loads(json.dumps(plain(record)))["record"] == type(record).__name__
