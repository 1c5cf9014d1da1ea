"""What retention has deleted makes nothing wrong: what cannot be checked any more is counted, with the
reason.
"""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from audit.verify.adopting import memories_ms
from audit.verify.findings import Tally
from connectors.event_log import Entry
from schemas.codec import encode
from schemas.decisions import AdmissionDecided
from schemas.events import JournalRecord
from tests.audit.histories import long
from tests.audit.making import Making
from tests.audit.memory import verified
from tests.audit.tampering import Topics, changed, trimmed

TOPICS = ("alerts", "decisions", "admissions", "run-inbox", "run-journal", "publications")
GONE = "what follows from inputs that are gone: "


@pytest.fixture(scope="module")
def made() -> Making:
    return long()


async def findings(topics: Topics, folder: Path, made: Making) -> Tally:
    return await verified(topics, folder, made.now_ms, partitions=made.partitions)


def start_of(made: Making, topic: str, share: float) -> int:
    entries = [one for one in made.topics[topic] if one.partition == 1]
    return entries[int(len(entries) * share)].offset


async def test_a_long_history_is_as_it_must_be_and_no_dull_one(made: Making, tmp_path: Path) -> None:
    tally = await findings(made.topics, tmp_path, made)
    assert (tally.differences, dict(tally.unchecked)) == ([], {})
    decided = {
        one.record.decision for one in made.topics["decisions"] if isinstance(one.record, AdmissionDecided)
    }
    assert decided >= {"started", "queued", "held_back", "expired", "dropped"}


@pytest.mark.parametrize("share", [0.4])
@pytest.mark.parametrize("topic", TOPICS)
async def test_a_beginning_that_is_gone_makes_no_difference(
    topic: str, share: float, made: Making, tmp_path: Path
) -> None:
    topics = trimmed(made.topics, topic, 1, start_of(made, topic, share))
    tally = await findings(topics, tmp_path, made)
    assert tally.differences == []
    assert sum(tally.unchecked.values()) > 0
    assert tally.counts["run-journal", "equal"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13])
async def test_whatever_went_on_when_the_beginning_of_admission_was_deleted(
    seed: int, tmp_path: Path
) -> None:
    other = long(3, 6, seed)
    for share in (0.2, 0.4, 0.6):
        topics: Topics = other.topics
        for partition in range(other.partitions):
            entries = [one for one in topics["admissions"] if one.partition == partition]
            topics = trimmed(topics, "admissions", partition, entries[int(len(entries) * share)].offset)
        tally = await findings(topics, tmp_path / str(share), other)
        assert tally.differences == []


async def test_a_decision_is_judged_again_once_nothing_from_before_can_matter(
    made: Making, tmp_path: Path
) -> None:
    start = start_of(made, "admissions", 0.3)
    topics = trimmed(made.topics, "admissions", 1, start)
    began_ms = next(one.at_ms for one in topics["admissions"] if one.partition == 1)
    certain_ms = began_ms + max(memories_ms(made.catalog).values())

    def of(entry: Entry) -> Any:
        return entry.record

    kept = [
        one
        for one in topics["decisions"]
        if isinstance(one.record, AdmissionDecided)
        and (of(one).partition, of(one).offset >= start) == (1, True)
    ]
    late = next(one for one in kept if one.at_ms > certain_ms)
    early = next(one for one in kept if one.at_ms < began_ms + 3_600_000)
    assert (await named(topics, late, tmp_path / "late", made)) == {"differs"}
    assert (await named(topics, early, tmp_path / "early", made)) == set()


async def named(topics: Topics, entry: Entry, folder: Path, made: Making) -> set[str]:
    """What is said of a decision whose reason somebody changed."""
    record: Any = entry.record
    tally = await findings(changed(topics, entry, replace(record, reason="forged")), folder, made)
    return {one.what for one in tally.differences}


async def test_the_summary_says_which_partition_lost_what(made: Making, tmp_path: Path) -> None:
    start = start_of(made, "run-inbox", 0.5)
    tally = await findings(trimmed(made.topics, "run-inbox", 1, start), tmp_path, made)
    assert f"{GONE}run-inbox/1 begins at {start}" in tally.unchecked
    assert f"runs that began before what is kept: run-inbox/1 begins at {start}" in tally.unchecked


async def test_a_revision_that_is_nowhere_is_named_and_its_runs_are_not_judged(
    made: Making, tmp_path: Path
) -> None:
    revision = next(
        one for one in made.topics["catalog"] if one.key is not None and one.key.startswith(b"revision/")
    )
    record: Any = revision.record
    rest = [
        dataclasses.replace(one, value=encode(replace(record, digest="0" * 64))) if one is revision else one
        for one in made.topics["catalog"]
    ]
    tally = await findings({**made.topics, "catalog": rest}, tmp_path, made)
    assert {(one.topic, one.what) for one in tally.differences} >= {
        ("catalog", "altered"),
        ("catalog", "missing revision"),
    }
    assert tally.unchecked["their playbook's revision is not in the catalog"] > 0
    assert "run-journal" not in {one.topic for one in tally.differences}
    others = [one for one in made.topics["run-journal"] if isinstance(one.record, JournalRecord)]
    assert 0 < tally.counts["run-journal", "equal"] < len(others)
