"""What was exported is replayed from its file alone, and gives what its topics would have given."""

from pathlib import Path

from audit.export.chain_file import verify as verify_file
from audit.export.file_log import FileLog
from audit.export.manifest import manifest_path
from audit.verify.findings import Tally
from audit.verify.frame import SKEW_MS
from audit.verify.verifying import frame_of_file, verify
from audit.verify.work import Alone
from connectors.event_log import Entry
from schemas.decisions import AdmissionDecided
from schemas.events import JournalRecord
from schemas.inbox import RunRequested
from tests.audit.histories import eventful
from tests.audit.memory import MemoryLog, Topics, verified
from tests.audit.memory_log import export_to
from tests.audit.tampering import dropped, first

PARTITIONS = 2


async def replayed(topics: Topics, folder: Path, now_ms: int, since_ms: int | None = None) -> Tally:
    """The findings about a file of these topics, exported at `now_ms`."""
    folder.mkdir(exist_ok=True)
    file = folder / "all.avro"
    log_there = MemoryLog(topics, PARTITIONS)
    await export_to(file, log_there, since_ms=since_ms, note_every_s=100, now_ms=now_ms)
    log = FileLog(file)
    assert verify_file(file, seen=log.note).findings == []
    (folder / "spool").mkdir()
    tally, _ = await verify(await frame_of_file(log, now_ms), Alone(log, folder / "spool", lambda _: None))
    return tally


def until(topics: Topics, at_ms: int) -> Topics:
    """What was there at a time."""
    return {name: [one for one in entries if one.at_ms <= at_ms] for name, entries in topics.items()}


def before(topics: Topics, entry: Entry) -> Topics:
    """Its partition told its end a moment before it came."""
    kept = [
        one for one in topics[entry.topic] if one.partition != entry.partition or one.offset < entry.offset
    ]
    return {**topics, entry.topic: kept}


def a_start(topics: Topics) -> tuple[Entry, Entry]:
    """A decision in the middle that starts a run, and the request that follows from the same input."""
    requests = {one.record.run_id: one for one in topics["run-inbox"] if isinstance(one.record, RunRequested)}
    started = [
        (one, requests[one.record.run_id])
        for one in topics["decisions"]
        if isinstance(one.record, AdmissionDecided) and one.record.decision == "started"
    ]
    return started[len(started) // 2]


async def test_a_file_is_replayed_as_its_topics_are(tmp_path: Path) -> None:
    made = eventful(partitions=PARTITIONS)
    tally = await replayed(made.topics, tmp_path, made.now_ms)
    there = await verified(made.topics, tmp_path / "there", made.now_ms, partitions=PARTITIONS)
    assert tally.differences == there.differences == []
    assert tally.counts["run-journal", "equal"] == there.counts["run-journal", "equal"] > 50


async def test_a_record_that_was_gone_before_the_export_is_missing_in_the_replay(tmp_path: Path) -> None:
    made = eventful(partitions=PARTITIONS)
    topics = dropped(made.topics, first(made.topics, JournalRecord, 5))
    tally = await replayed(topics, tmp_path, made.now_ms)
    there = await verified(topics, tmp_path / "there", made.now_ms, partitions=PARTITIONS)
    assert {one.what for one in tally.differences} == {one.what for one in there.differences} != set()


async def test_a_file_that_begins_in_the_middle_says_what_cannot_be_judged_and_finds_nothing(
    tmp_path: Path,
) -> None:
    made = eventful(partitions=PARTITIONS)
    times = sorted(entry.at_ms for entries in made.topics.values() for entry in entries)
    tally = await replayed(made.topics, tmp_path, made.now_ms, since_ms=times[len(times) // 2])
    assert tally.differences == []
    assert sum(tally.unchecked.values()) > 0
    assert tally.counts["run-journal", "equal"] > 0


async def test_an_export_in_the_middle_of_the_work_misses_nothing_that_was_on_its_way(
    tmp_path: Path,
) -> None:
    made = eventful(partitions=PARTITIONS)
    decision, request = a_start(made.topics)
    topics = before(until(made.topics, decision.at_ms), request)
    tally = await replayed(topics, tmp_path / "soon", decision.at_ms)
    assert tally.differences == []
    assert tally.counts["run-inbox", "pending"] > 0
    tally = await replayed(topics, tmp_path / "late", decision.at_ms + 2 * SKEW_MS)
    assert ("run-inbox", "missing") in tally.wrong, "after more than a minute it was never written"


async def test_an_export_whose_inputs_end_before_their_outputs_finds_nothing_too_much(tmp_path: Path) -> None:
    made = eventful(partitions=PARTITIONS)
    decision, _ = a_start(made.topics)
    assert isinstance(decision.record, AdmissionDecided)
    place = decision.record.partition, decision.record.offset
    heard = next(one for one in made.topics["admissions"] if (one.partition, one.offset) == place)
    topics = before(until(made.topics, decision.at_ms), heard)
    tally = await replayed(topics, tmp_path / "soon", decision.at_ms)
    assert tally.differences == []
    assert tally.counts["decisions", "pending"] > 0
    tally = await replayed(topics, tmp_path / "late", decision.at_ms + 2 * SKEW_MS)
    assert ("decisions", "unexplained") in tally.wrong


async def test_a_manifest_says_when_the_export_began_and_never_before_the_latest_record(
    tmp_path: Path,
) -> None:
    made = eventful(partitions=PARTITIONS)
    latest_ms = max(entry.at_ms for entries in made.topics.values() for entry in entries)
    found = {}
    for began_ms in (latest_ms + 5_000, 0):
        file = tmp_path / f"{began_ms}.avro"
        await export_to(file, MemoryLog(made.topics, PARTITIONS), note_every_s=100, now_ms=began_ms)
        log = FileLog(file)
        head = verify_file(file, seen=log.note).head
        found[began_ms] = log.ends_ms(), head
        manifest_path(file).unlink()
        assert log.ends_ms() == latest_ms
    assert [ends_ms for ends_ms, _ in found.values()] == [latest_ms + 5_000, latest_ms]
    assert len({head for _, head in found.values()}) == 1, "equal periods have equal hashes"
