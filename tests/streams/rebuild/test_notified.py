"""Rows of the sink come out of the journal; where they were lost, the publications say what may repeat."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.events import RunForgotten
from schemas.publications import Published
from streams.notified import Notified, decode_row, encode_row
from streams.rebuild.fresh import FreshRows
from streams.rebuild.notified import NotifiedAgain
from streams.reporting_header import NOTHING
from streams.rows import packed, payload_of
from tests.streams.logs import MemoryLog
from tests.streams.test_reporter import journal


def published(run_id: str, seq: int, index: int) -> Published:
    return Published(
        run_id=run_id,
        seq=seq,
        index=index,
        event_id="e",
        url="",
        sent={},
        attempts=1,
        may_repeat=False,
        at_ms=1,
    )


class Sink:
    """What a sink has: the journal, its publications, and rows that may be lost."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal, self.publications = MemoryLog("run-journal"), MemoryLog("publications")
        self.again = NotifiedAgain(self.journal, self.publications)
        self.lost = False

    def report(self, run_id: str, seq: int, *titles: str) -> int:
        headers = () if titles else NOTHING
        return self.journal.add(run_id, journal(run_id, seq, *titles), headers=headers)

    async def made(self, until: int) -> dict[str, Notified]:
        fresh: FreshRows[Notified] = FreshRows(self.folder / "fresh", encode_row, decode_row)
        await self.again.run(0, until, lambda key: None, fresh, self.lost)
        fresh.flush()
        found = {key.decode(): decode_row(payload_of(row)) for key, row in fresh.after(None, 99)}
        fresh.close()
        return found


@pytest.fixture
def sink(tmp_path: Path) -> Sink:
    return Sink(tmp_path)


async def test_all_reports_of_a_run_s_latest_record_are_settled(sink: Sink) -> None:
    sink.report("r-1", 1)
    sink.report("r-1", 2, "a", "b")
    sink.report("r-2", 5, "c")
    sink.report("r-1", 3, "d")
    end = sink.report("r-1", 2, "a", "b")  # again, after a crash

    assert await sink.made(end + 1) == {"r-1": Notified(3, 1), "r-2": Notified(5, 1)}


async def test_a_forgotten_run_has_no_row(sink: Sink) -> None:
    sink.report("r-1", 2, "a")
    sink.journal.add("r-1", replace(journal("r-1", 3), events=(RunForgotten(),)))

    assert await sink.made(2) == {}


async def test_what_is_not_settled_has_no_row_while_the_rows_are_there(sink: Sink) -> None:
    sink.report("r-0", 1)
    until = sink.report("r-1", 2, "a")

    assert await sink.made(until) == {}
    assert sink.again.keeps("r-1", packed(until, b"trying"), None)
    assert not sink.again.keeps("r-1", packed(until - 1, b""), None)


async def test_with_the_rows_lost_the_first_open_report_of_each_run_may_repeat(sink: Sink) -> None:
    sink.lost = True
    sink.report("r-0", 1, "settled")
    until = sink.report("r-1", 2, "a", "b")
    sink.report("r-1", 3, "c")
    sink.report("r-2", 4, "d")
    sink.report("r-2", 5, "e")
    sink.publications.add("r-1", published("r-1", 2, 0))
    sink.publications.add("r-2", published("r-2", 4, 0))

    assert await sink.made(until) == {
        "r-0": Notified(1, 1),
        "r-1": Notified(2, 1, trying=True),
        "r-2": Notified(5, 0, trying=True),
    }


async def test_rows_of_runs_that_the_journal_no_longer_tells_of_stay(sink: Sink) -> None:
    for seq in (1, 2, 3):
        sink.report("r-1", seq, "a")
    sink.journal.cut = 2
    await sink.made(3)

    assert sink.again.since_ms == sink.journal.records[2].cause.at_ms
    assert sink.again.keeps("r-9", packed(0, b""), None)
    assert not sink.again.keeps("r-1", packed(0, b""), packed(2, b""))
    assert not sink.again.keeps("r-1", None, packed(2, b""))
