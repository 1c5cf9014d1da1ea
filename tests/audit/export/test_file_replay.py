"""What was exported is replayed from its file alone, and gives what its topics would have given."""

from pathlib import Path

from audit.export.chain_file import verify as verify_file
from audit.export.file_log import FileLog
from audit.verify.findings import Tally
from audit.verify.frame import Positions
from audit.verify.verifying import frame_of, verify
from audit.verify.work import Alone
from schemas.events import JournalRecord
from tests.audit.histories import eventful
from tests.audit.memory import MemoryLog, Topics, verified
from tests.audit.memory_log import export_to
from tests.audit.tampering import dropped, first

PARTITIONS = 2


async def replayed(topics: Topics, folder: Path, now_ms: int, since_ms: int | None = None) -> Tally:
    """The findings about an exported file of these topics."""
    file = folder / "all.avro"
    await export_to(file, MemoryLog(topics, PARTITIONS), since_ms=since_ms, note_every_s=100)
    log = FileLog(file)
    assert verify_file(file, seen=log.note).findings == []

    async def nobody() -> Positions:
        return Positions()

    (folder / "spool").mkdir()
    tally, _ = await verify(await frame_of(log, nobody, now_ms), Alone(log, folder / "spool", lambda _: None))
    return tally


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
