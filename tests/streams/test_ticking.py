"""Timers of a real table: found again after a recovery, fired to the partition of their row, counted."""

import asyncio
from typing import Any

import msgspec
import pytest

from schemas.codec import decode
from schemas.inbox import TimerFired
from streams.entries import Kept
from streams.rows import packed
from streams.ticking import ROWS_PER_STEP, Ticking, now_ms
from tests.streams.bench import Bench, message, settled

HOUR_MS = 3_600_000
Timers = dict[str, int]


class Worker:
    """A table whose rows are nothing but their timers."""

    def __init__(self, bench: Bench, ledger: Any) -> None:
        self.bench = bench
        self.ledger = ledger
        self.found: list[str] = []
        self.moved: list[Kept[Timers]] = []
        self.ticking: Ticking[Timers] = Ticking(
            bench.app,
            bench.table(),
            bench.outbox,
            bench.metrics,
            "p.admissions",
            lambda row: row.partition("|")[0],
            msgspec.json.Decoder(Timers).decode,
            lambda row: row,
        )
        self.ticking.on_found = lambda key, row: self.found.append(key)
        self.ticking.on_moved = self.moved.append
        ledger.on_kept = self.ticking.kept
        bench.start_background()

    def store(self, key: str, timers: Timers, partition: int = 0) -> None:
        """A row that is there before the worker."""
        self.bench.table().store.write(
            partition, {key.encode(): packed(1, msgspec.json.encode(timers))}, None
        )

    async def fired(self, wait_s: float = 0.2) -> list[tuple[int | None, bytes | None, TimerFired]]:
        await asyncio.sleep(wait_s)
        found = []
        for one in self.bench.broker.of("p.admissions"):
            record = decode(one.value)
            assert isinstance(record, TimerFired)
            found.append((one.partition, one.key, record))
        return found


@pytest.fixture
async def worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setattr("streams.ticking.TICK_S", 0.03)
    monkeypatch.setattr("streams.ticking.STEP_PAUSE_S", 0.05)
    ledger = await bench.ledger("rows", msgspec.json.encode, msgspec.json.Decoder(Timers).decode, (0, 1))
    return Worker(bench, ledger)


async def test_overdue_timers_of_rows_that_were_there_fire_after_a_recovery(worker: Worker) -> None:
    due_ms = now_ms() - 1_000
    worker.store("demo|key", {"slot": due_ms}, partition=1)
    worker.ticking.assigned({0, 1})
    [(partition, key, fired)] = await worker.fired()
    assert (partition, key) == (1, b"demo")
    assert fired == TimerFired(row="demo|key", timer="slot", due_ms=due_ms)


async def test_a_timer_of_a_new_row_fires_when_it_is_due_and_not_before(worker: Worker) -> None:
    worker.ticking.assigned({0})
    await asyncio.sleep(0.04)
    await worker.ledger.put(message(5), {"demo": {"t": now_ms() + 200}})
    await settled()
    assert await worker.fired(0.1) == []
    assert len(await worker.fired(0.2)) == 1


async def test_a_timer_that_the_row_dropped_does_not_fire(worker: Worker) -> None:
    worker.ticking.assigned({0})
    await worker.ledger.put(message(5), {"demo": {"t": now_ms() + 100}})
    await worker.ledger.put(message(6), {"demo": None})
    assert await worker.fired() == []


async def test_many_rows_are_looked_through_in_steps(worker: Worker) -> None:
    for number in range(ROWS_PER_STEP + 50):
        worker.store(f"r-{number:04}", {"t": now_ms() + HOUR_MS})
    worker.ticking.assigned({0})
    await asyncio.sleep(0.04)
    assert len(worker.found) == ROWS_PER_STEP
    await asyncio.sleep(0.1)
    assert len(worker.found) == ROWS_PER_STEP + 50


async def test_each_row_is_counted_once_when_it_changes_while_rows_are_looked_through(worker: Worker) -> None:
    for number in range(ROWS_PER_STEP + 50):
        worker.store(f"r-{number:04}", {})
    worker.ticking.assigned({0})
    await asyncio.sleep(0.04)
    await worker.ledger.put(message(5), {"r-0001": {"t": now_ms() + HOUR_MS}})
    await worker.ledger.put(message(6), {"r-0140": {"t": now_ms() + HOUR_MS}})
    await asyncio.sleep(0.1)
    assert sorted(worker.found) == sorted(set(worker.found))
    assert [kept.key for kept in worker.moved] == ["r-0001"]


async def test_a_partition_that_was_revoked_fires_nothing(worker: Worker) -> None:
    worker.store("demo", {"t": now_ms() + 100})
    worker.ticking.assigned({0})
    await asyncio.sleep(0.04)
    worker.ticking.revoke({0})
    assert await worker.fired() == []


async def test_without_the_lease_nothing_fires_and_the_process_goes_on(worker: Worker) -> None:
    worker.store("demo", {"t": now_ms()})
    worker.bench.app.lease._renewed_s -= 11
    worker.ticking.assigned({0})
    assert await worker.fired() == []
    worker.bench.app.lease.assigned()
    assert len(await worker.fired()) == 1


async def test_a_row_that_cannot_be_read_does_not_stop_the_timers_of_others(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    worker.bench.table().store.write(0, {b"bad": packed(1, b"no row")}, None)
    worker.store("demo", {"t": now_ms()})
    worker.ticking.assigned({0})
    assert len(await worker.fired()) == 1
    assert "the row bad of rows cannot be read" in caplog.text
