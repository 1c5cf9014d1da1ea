"""Rows of runs come out of the journal as the table has them, and only of runs that are not forgotten."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.run.advancing import decode_row, encode_row, refold
from engine.run.state import Run
from schemas.codec import decode
from schemas.events import JournalRecord, RunFinished, StepRequested
from schemas.inbox import TimerFired
from streams.rebuild.fresh import FreshRows
from streams.rebuild.runs import RunsAgain, looks_forgotten
from streams.rows import packed, payload_of
from tests.streams.agents.bench import AgentBench, advance_bench
from tests.streams.agents.test_advance import requested
from tests.streams.bench import Bench
from tests.streams.books import Followed, finished
from tests.streams.logs import MemoryLog


class Runs:
    """advance on a bench, and the journal that it wrote."""

    def __init__(self, one: AgentBench, followed: Followed, folder: Path) -> None:
        self.one = one
        self.followed = followed
        self.folder = folder
        self.journal = MemoryLog("run-journal")

    async def take(self, record: Any, run_id: str) -> list[JournalRecord]:
        sent = await self.one.take(record, run_id)
        told = [found for topic, found in sent if topic == "run-journal"]
        for found in told:
            self.journal.add(run_id, found)
        return told

    async def begin(self, run_id: str) -> None:
        await self.take(requested(self.followed, run_id), run_id)

    async def answer(self, run_id: str, step: str) -> list[JournalRecord]:
        row = self.row(run_id)
        assert row is not None
        return await self.take(finished(run_id, step, row.seq), run_id)

    async def end(self, run_id: str) -> None:
        for step in ("one", "two", "three"):
            await self.answer(run_id, step)

    async def forget(self, run_id: str) -> None:
        """The timer of its row, a day later."""
        record = TimerFired(row=run_id, timer="forget", due_ms=0)
        row = self.row(run_id)
        assert row is not None
        self.one.offset += 1
        at = self.one.message(record, run_id)
        at.timestamp = (row.timers["forget"] + 1) / 1000
        before = len(self.one.bench.broker.records)
        await self.one.agent.handle(at)
        for topic, found in self.one.sent(before):
            if topic == "run-journal":
                self.journal.add(run_id, found)

    def row(self, run_id: str) -> Run | None:
        found = self.one.ledger.get(0, run_id)
        assert found is None or isinstance(found, Run)
        return found

    def there(self, key: bytes) -> bytes | None:
        return self.one.bench.table().row(0, key)

    def table(self) -> dict[str, Run]:
        rows = self.one.bench.table().store.rows_after(0, None, 999)
        return {key.decode(): decode_row(payload_of(row)) for key, row in rows}

    async def made(self, until: int | None = None, again: RunsAgain | None = None) -> dict[str, Run]:
        fresh: FreshRows[Run] = FreshRows(self.folder / "fresh", encode_row, decode_row)
        until = self.one.offset + 1 if until is None else until
        await (again or RunsAgain(self.journal)).run(0, until, self.there, fresh)
        fresh.flush()
        found = {key.decode(): decode_row(payload_of(row)) for key, row in fresh.after(None, 999)}
        fresh.close()
        return found


@pytest.fixture
async def runs(bench: Bench, tmp_path: Path) -> Runs:
    followed = Followed()
    return Runs(await advance_bench(bench, followed), followed, tmp_path)


async def test_runs_of_all_kinds_come_out_as_the_table_has_them(runs: Runs) -> None:
    for number in range(7):
        await runs.begin(f"r-{number}")
    await runs.answer("r-1", "one")
    await runs.end("r-2")
    await runs.end("r-3")
    await runs.forget("r-3")

    made = await runs.made()

    assert made == runs.table()
    assert set(made) == {"r-0", "r-1", "r-2", "r-4", "r-5", "r-6"}


async def test_of_forgotten_runs_nothing_but_the_end_is_decoded(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await runs.begin(f"r-{number}")
        await runs.end(f"r-{number}")
        await runs.forget(f"r-{number}")
    decoded: list[bytes | None] = []

    def counted(value: bytes | None) -> Any:
        decoded.append(value)
        return decode(value)

    monkeypatch.setattr("tests.streams.logs.decode", counted)

    assert await runs.made() == {}

    assert len(runs.journal.records) == 15
    assert len(decoded) == 3


async def test_what_inputs_led_to_that_are_not_settled_is_left_out(runs: Runs) -> None:
    """They come again, and with them what is sent beside the journal: it was perhaps not sent."""
    await runs.begin("r-1")
    before = runs.table()
    settled = runs.one.offset + 1
    await runs.answer("r-1", "one")
    await runs.begin("r-2")

    assert await runs.made(settled) == before


async def test_a_forgotten_run_is_there_while_its_end_is_not_settled(runs: Runs) -> None:
    await runs.begin("r-1")
    await runs.end("r-1")
    before = runs.table()
    settled = runs.one.offset + 1
    await runs.forget("r-1")

    assert await runs.made(settled) == before


async def test_records_that_were_written_again_after_a_crash_count_once(runs: Runs) -> None:
    await runs.begin("r-1")
    await runs.answer("r-1", "one")
    for one in list(runs.journal.records):
        runs.journal.add("r-1", one.value or b"")
    await runs.answer("r-1", "two")

    assert await runs.made() == runs.table()


async def test_a_run_that_came_again_after_it_was_forgotten_is_the_new_one(runs: Runs) -> None:
    await runs.begin("r-0")
    await runs.begin("r-1")
    await runs.end("r-1")
    await runs.forget("r-1")
    await runs.begin("r-1")

    made = await runs.made()

    assert made == runs.table()
    assert made["r-1"].seq == 1


async def test_garbage_in_the_journal_is_passed_over(runs: Runs) -> None:
    await runs.begin("r-1")
    runs.journal.add("r-1", b"garbage")
    runs.journal.add("r-9", b"\x02\x24\x00")
    await runs.answer("r-1", "one")

    assert await runs.made() == runs.table()


async def test_a_run_whose_beginning_is_gone_goes_on_from_the_row_that_is_there(runs: Runs) -> None:
    """The row is old, as in a changelog that lost its end; the journal has lost the beginning."""
    await runs.begin("r-1")
    old = runs.there(b"r-1")
    await runs.answer("r-1", "one")
    await runs.answer("r-1", "two")
    right = runs.table()
    runs.one.bench.table().store.write(0, {b"r-1": old}, None)
    runs.journal.cut = 1

    assert await runs.made() == right


def kept(run: Run) -> bytes:
    return packed(run.applied, encode_row(run))


async def test_a_row_that_is_older_than_the_journal_stays_and_a_later_one_does_not(runs: Runs) -> None:
    for number in range(4):
        await runs.begin(f"r-{number}")
    run = runs.table()["r-0"]
    runs.journal.cut = 3
    again = RunsAgain(runs.journal)
    await runs.made(again=again)
    since_ms = runs.journal.records[3].cause.at_ms

    assert again.since_ms == since_ms
    assert again.keeps("r-0", kept(replace(run, at_ms=since_ms - 1)), None)
    assert not again.keeps("r-0", kept(replace(run, at_ms=since_ms)), None)
    assert not again.keeps("r-0", None, kept(run))


async def test_with_the_whole_journal_no_row_stays_that_is_not_in_it(runs: Runs) -> None:
    await runs.begin("r-0")
    run = runs.table()["r-0"]
    again = RunsAgain(runs.journal)
    await runs.made(again=again)

    assert again.since_ms == 0
    assert not again.keeps("r-9", kept(replace(run, at_ms=0)), None)
    assert not again.keeps("r-0", b"\x00" * 8 + b"no row", kept(run))


async def test_a_row_that_is_further_than_the_journal_stays(runs: Runs) -> None:
    await runs.begin("r-0")
    run = runs.table()["r-0"]
    again = RunsAgain(runs.journal)

    assert again.keeps("r-0", kept(replace(run, seq=2)), kept(run))
    assert not again.keeps("r-0", kept(run), kept(run))


async def test_the_end_of_a_record_tells_whether_it_may_be_a_forgotten_run(runs: Runs) -> None:
    await runs.begin("r-0")
    await runs.end("r-0")
    await runs.forget("r-0")
    looks = [looks_forgotten(one.value) for one in runs.journal.records]

    assert looks == [False, False, False, False, True]
    assert not looks_forgotten(None)


async def test_a_refold_of_one_run_gives_the_same(runs: Runs) -> None:
    await runs.begin("r-0")
    await runs.answer("r-0", "one")
    told = [one.record for one in runs.journal.records if isinstance(one.record, JournalRecord)]
    assert any(isinstance(event, StepRequested | RunFinished) for one in told for event in one.events)

    assert (await runs.made())["r-0"] == refold(told)
