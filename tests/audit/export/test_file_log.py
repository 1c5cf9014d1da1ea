"""An exported file read as a log says what the log said that it was made of."""

from pathlib import Path

import pytest

from audit.export.chain_file import verify
from audit.export.file_log import FileLog
from audit.log import Entry, Log, Place
from tests.audit.memory_log import BEGAN_MS, STEP_MS, MemoryLog, export_to, history


async def file_log(file: Path, log: MemoryLog, note_every_s: float) -> FileLog:
    await export_to(file, log, note_every_s=note_every_s)
    made = FileLog(file)
    assert verify(file, seen=made.note).findings == []
    return made


def said(entry: Entry | None) -> object:
    if entry is None:
        return None
    return entry.cause, entry.key, entry.value, entry.headers, str(entry.record)


async def read(log: Log, positions: dict[Place, int], until: dict[Place, int]) -> list[object]:
    return [said(one) async for batch in log.read(positions, until) for one in batch]


@pytest.mark.parametrize("note_every_s", [0.0, 100.0], ids=["many blocks", "one block"])
async def test_bounds_and_every_reading_are_those_of_the_log(tmp_path: Path, note_every_s: float) -> None:
    log = history()
    there = await file_log(tmp_path / "all.avro", log, note_every_s)
    bounds = await log.bounds()
    assert await there.bounds() == bounds
    for place, (_, end) in bounds.items():
        for start in range(0, end, 3):
            for stop in (start, (start + end) // 2, end):
                assert await read(there, {place: start}, {place: stop}) == await read(
                    log, {place: start}, {place: stop}
                )
        for offset in range(-1, end + 2):
            assert said(await there.at(*place, offset)) == said(await log.at(*place, offset))
    for at_ms in range(BEGAN_MS - STEP_MS, BEGAN_MS + (log.count + 1) * STEP_MS, STEP_MS // 2):
        assert await there.offsets_at(at_ms) == await log.offsets_at(at_ms)


async def test_partitions_that_are_not_named_are_not_read(tmp_path: Path) -> None:
    log = history()
    there = await file_log(tmp_path / "all.avro", log, 0.0)
    until: dict[Place, int] = {("alerts", 0): 2, ("catalog", 0): 1}
    assert await read(there, {}, until) == await read(log, {}, until)
