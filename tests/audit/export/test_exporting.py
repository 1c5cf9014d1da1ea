"""What an export holds, and that it is the same however it came about."""

import asyncio
import io
import time
from pathlib import Path
from typing import Any

import pytest
from avro.datafile import DataFileReader
from avro.io import DatumReader

from audit.export import part_file
from audit.export.chain_file import verify
from audit.export.part_file import CannotExport, FileInUse, note_path, opened, part_path
from audit.export.plan import Selection
from schemas.avro_container import DEFLATE, PLAIN, ZSTD, block
from schemas.json import parsed
from schemas.topics import ALERTS, RUN_JOURNAL, TOPICS
from tests.audit.memory_log import BEGAN_MS, IDS, STEP_MS, Broken, MemoryLog, export_to, history


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "all.avro"


def rows_by_apache(file: Path) -> list[dict[str, Any]]:
    """As the reference library reads them."""
    with DataFileReader(io.BytesIO(file.read_bytes()), DatumReader()) as reader:
        rows: list[dict[str, Any]] = list(reader)  # type: ignore[arg-type]  # rows of a record schema
    return rows


@pytest.mark.parametrize("codec", [DEFLATE, ZSTD, PLAIN])
async def test_the_reference_library_reads_every_message_as_it_lay_there(file: Path, codec: str) -> None:
    log = history()
    await export_to(file, log, codec=codec)
    rows = rows_by_apache(file)
    order = [topic.name for topic in TOPICS]
    wanted = [
        one for place in sorted(log.entries, key=lambda at: order.index(at[0])) for one in log.entries[place]
    ]
    assert [
        (row["topic"], row["partition"], row["offset"], row["at_ms"], row["key"], row["value"])
        for row in rows
    ] == [(one.topic, one.partition, one.offset, one.at_ms, one.key, one.value) for one in wanted]
    assert [[(one["name"], one["value"]) for one in row["headers"]] for row in rows] == [
        list(one.headers) for one in wanted
    ]
    assert [row["number"] for row in rows] == list(range(1, len(wanted) + 1))


async def test_a_person_can_read_every_record_that_is_ours_and_json(file: Path) -> None:
    await export_to(file, history())
    rows = rows_by_apache(file)
    for row in rows:
        ours = (row["value"] or b"").startswith(b"\xc3\x01")
        assert bool(row["type"]) == ours
        assert (row["record"] is not None) == (ours or (row["value"] or b"").startswith(b"{")), row
    (finished,) = [row for row in rows if row["type"] == "StepFinished"]
    assert parsed(finished["record"])["status"] in ("succeeded", "failed")
    (elsewhere,) = [row for row in rows if (row["record"] or "").startswith('{"title"')]
    assert parsed(elsewhere["record"]) == {"title": "from \xe9lsewhere"}


async def test_the_file_is_as_it_was_exported_and_its_manifest_says_what_it_holds(file: Path) -> None:
    log = history()
    made = await export_to(file, log)
    verdict = verify(file)
    assert (verdict.findings, verdict.notes, verdict.manifest) == ([], [], True)
    assert (verdict.records, verdict.head) == (log.count, made.head)
    assert verify(file, made.head.upper() + "\n").findings == []
    journals = made.topics["run-journal"]
    assert {number: (one.records, one.first, one.last) for number, one in journals.items()} == {
        str(number): (len(held), 0, len(held) - 1)
        for number in range(2)
        for held in [log.entries["run-journal", number]]
    }
    assert made.export["topics"]["alerts"]["id"] == "id-of-alerts"
    assert "JournalRecord" in made.schemas.values()
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in sorted(file.parent.iterdir())] == ["all.avro", "all.avro.manifest.json"]


async def test_two_exports_of_one_period_have_one_head_whatever_packs_them(tmp_path: Path) -> None:
    log = history()
    first = await export_to(tmp_path / "a.avro", log)
    log.batch = 3
    second = await export_to(tmp_path / "b.avro", log, codec=ZSTD)
    assert first.head == second.head
    log.write(RUN_JOURNAL, log.entries["run-journal", 0][0].record)  # type: ignore[arg-type]  # it is a record
    assert (await export_to(tmp_path / "c.avro", log)).head != first.head


@pytest.mark.parametrize("breaks_at", [0, 8, 20, 47, 70])
async def test_an_interrupted_export_goes_on_and_has_the_same_head(tmp_path: Path, breaks_at: int) -> None:
    whole = await export_to(tmp_path / "whole.avro", history())
    log, file = history(), tmp_path / "part.avro"
    log.breaks_at = breaks_at
    with pytest.raises(Broken):
        await export_to(file, log)
    assert not file.exists()
    log.breaks_at = None
    log.write(RUN_JOURNAL, log.entries["run-journal", 0][0].record)  # type: ignore[arg-type]  # it is a record
    made = await export_to(file, log)
    assert made.head == whole.head
    assert verify(file, whole.head).findings == []


async def test_what_stands_behind_the_noted_place_is_cut_off(tmp_path: Path) -> None:
    """As after a kill -9, or a power cut: the file is longer than its note says, and what is there is
    garbage.
    """
    whole = await export_to(tmp_path / "whole.avro", history())
    log, file = history(), tmp_path / "part.avro"
    log.breaks_at = 40
    with pytest.raises(Broken):
        await export_to(file, log)
    with part_path(file).open("ab") as stream:
        stream.write(b"half a block")
    log.breaks_at = None
    assert (await export_to(file, log)).head == whole.head
    assert verify(file).findings == []


async def test_an_interruption_while_a_block_is_packed_loses_none_of_its_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(rows: bytes, count: int, codec: str, sync: bytes) -> bytes:
        time.sleep(0.01)
        return block(rows, count, codec, sync)

    monkeypatch.setattr(part_file, "block", slowly)
    log = history()
    for number in range(300):
        log.put(ALERTS, 0, b'{"title": "%d", "much": "%s"}' % (number, b"x" * 3_000))
    whole = await export_to(tmp_path / "whole.avro", log, note_every_s=1_000)
    for turns in range(20, 60, 8):
        file = tmp_path / f"{turns}.avro"
        task = asyncio.create_task(export_to(file, log, note_every_s=1_000))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await export_to(file, log, note_every_s=1_000)).head == whole.head
        assert verify(file).findings == []


async def test_a_finished_file_is_replaced_only_when_told(file: Path) -> None:
    log = history()
    first = await export_to(file, log)
    with pytest.raises(CannotExport, match="there already: --force"):
        await export_to(file, log)
    log.put(ALERTS, 0, b"{}")
    assert (await export_to(file, log, anew=True)).head != first.head
    assert verify(file).findings == []


async def test_a_replacement_that_was_interrupted_goes_on_without_force(file: Path) -> None:
    log = history()
    await export_to(file, log)
    log.breaks_at = 30
    with pytest.raises(Broken):
        await export_to(file, log, anew=True)
    assert verify(file).findings == []
    log.breaks_at = None
    assert verify(file, (await export_to(file, log)).head).findings == []


async def test_part_of_another_export_is_not_continued(file: Path) -> None:
    log = history()
    log.breaks_at = 30
    with pytest.raises(Broken):
        await export_to(file, log)
    log.breaks_at = None
    with pytest.raises(CannotExport, match=r"part of another export \(codec deflate\).*--force begins anew"):
        await export_to(file, log, codec=ZSTD)
    note_path(file).write_text("{")
    with pytest.raises(CannotExport, match="cannot be read: --force"):
        await export_to(file, log)
    await export_to(file, log, anew=True)


async def test_a_part_that_lost_its_end_is_not_continued(file: Path) -> None:
    log = history()
    log.breaks_at = 30
    with pytest.raises(Broken):
        await export_to(file, log)
    part_path(file).write_bytes(part_path(file).read_bytes()[:-1])
    with pytest.raises(CannotExport, match="shorter than its note says"):
        await export_to(file, log)


async def test_two_exports_to_one_file_at_once_are_refused(file: Path) -> None:
    part = opened(file, {})
    try:
        with pytest.raises(FileInUse, match="another export writes"):
            opened(file, {})
    finally:
        part.close()
    opened(file, {}).close()


async def test_a_topic_that_was_made_again_meanwhile_is_not_mixed_in(file: Path) -> None:
    log = history()
    log.breaks_at = 30
    with pytest.raises(Broken):
        await export_to(file, log)
    log.breaks_at = None
    with pytest.raises(CannotExport, match="alerts was deleted and made again"):
        await export_to(file, log, ids={**IDS, "alerts": "another"})


async def test_records_that_went_out_of_retention_meanwhile_are_said_to_be_lost(file: Path) -> None:
    log = history()
    log.breaks_at = 0
    with pytest.raises(Broken):
        await export_to(file, log)
    log.breaks_at = None
    log.oldest["run-journal", 1] = 9
    made = await export_to(file, log)
    assert [(one.topic, one.partition, one.first, one.last) for one in made.lost] == [
        ("run-journal", 1, 0, 8)
    ]
    assert verify(file).findings == []


async def test_a_period_takes_its_records_and_the_catalog_until_its_end(file: Path) -> None:
    log = history()
    since_ms, until_ms = BEGAN_MS + 30 * STEP_MS, BEGAN_MS + 60 * STEP_MS
    made = await export_to(file, log, since_ms=since_ms, until_ms=until_ms)
    times = {row["at_ms"] for row in rows_by_apache(file) if row["topic"] != "catalog"}
    assert times == {
        one.at_ms
        for (topic, _), held in log.entries.items()
        for one in held
        if since_ms <= one.at_ms < until_ms and topic != "catalog"
    }
    assert made.topics["catalog"]["0"].first == 0
    assert (made.export["since_ms"], made.export["until_ms"]) == (since_ms, until_ms)


async def test_a_period_without_records_is_a_file_too(file: Path) -> None:
    made = await export_to(file, MemoryLog())
    assert (made.records, made.first_sha256) == (0, None)
    assert rows_by_apache(file) == []
    verdict = verify(file, made.head)
    assert (verdict.findings, verdict.records, verdict.head) == ([], 0, made.head)


async def test_the_largest_records_are_exported_with_a_block_each(file: Path) -> None:
    log = MemoryLog()
    text = b'{"title": "%s"}' % ("\N{SNOWMAN}".encode() * 300 * 1024)
    log.put(ALERTS, 0, text)
    log.put(ALERTS, 0, b"\xff" * 2 * 1024 * 1024)
    await export_to(file, log)
    assert verify(file).findings == []
    assert [row["value"] for row in rows_by_apache(file)] == [text, b"\xff" * 2 * 1024 * 1024]


async def test_a_selection_says_so_in_the_file_and_leaves_no_trace_of_a_removal(file: Path) -> None:
    log = history()
    made = await export_to(file, log, selection=Selection(runs=("r-1",)))
    assert made.export["selection"]["runs"] == ["r-1"]
    assert {row["key"] for row in rows_by_apache(file) if row["topic"] == "run-journal"} == {b"r-1"}
    assert verify(file).findings == []
