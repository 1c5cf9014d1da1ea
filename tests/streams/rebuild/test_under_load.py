"""Rows come out equal whenever a rebuild is asked for: while inputs flow, and acknowledgements and posts take
their time.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from faust.types import Message

from engine.rebuilds import Request
from engine.run.advancing import decode_row, encode_row
from schemas.catalog import RebuildReported
from schemas.codec import decode, encode
from schemas.events import JournalRecord, RunFinished, StepRequested
from schemas.fields import Record
from schemas.outgoing import Cause
from streams import notified
from streams.agents.notify import Notify
from streams.gate import Gate
from streams.hardened.producer import NO_HEADERS, Headers
from streams.hardened.progress import Progress
from streams.metrics import SinkMetrics
from streams.rebuild.notified import NotifiedAgain
from streams.rebuild.rebuilding import Rebuilding
from streams.rebuild.reports import Requests
from streams.rebuild.runs import RunsAgain
from streams.reporter import Reporter
from streams.stage import RowForm
from tests.streams.agents.bench import advance_bench
from tests.streams.agents.test_advance import requested
from tests.streams.bench import Bench, FakeBroker, Metadata, message
from tests.streams.books import Followed, finished
from tests.streams.logs import Lying, MemoryLog
from tests.streams.rebuild.bench import HERE, Consumer
from tests.streams.test_reporter import FakePoster, journal

AT_MS = 1_795_000_000_000


class SlowBroker(FakeBroker):
    """Acknowledges in order, each topic a little later; what is acknowledged lies on a log."""

    def __init__(self, drawn: random.Random) -> None:
        super().__init__()
        self.drawn = drawn
        self.logs: defaultdict[str, MemoryLog] = defaultdict(lambda: MemoryLog("run-journal"))
        self.heard: list[Callable[[str, Record], None]] = []
        self._turns: dict[str, asyncio.Task[None]] = {}

    async def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Headers = NO_HEADERS,
    ) -> "asyncio.Future[Metadata]":
        self.hold = True
        acked = await super().put(topic, key, value, partition=partition, headers=headers)
        sent, offset = self._waiting.pop()
        before = self._turns.get(topic)

        async def acknowledge() -> None:
            if before is not None:
                await asyncio.wait([before])
            if self.drawn.random() < 0.3:
                await asyncio.sleep(self.drawn.uniform(0, 0.004))
            if "-changelog" not in topic and value is not None:
                record = decode(value)
                self.logs[topic].records.append(
                    Lying(
                        key, value, Cause("run-journal", 0, len(self.logs[topic].records), 1_795_000_000_000)
                    )
                )
                for hear in self.heard:
                    hear(topic, record)
            sent.acked.set_result(Metadata(offset))

        self._turns[topic] = asyncio.create_task(acknowledge())
        return acked


class Counting(Consumer):
    """A consumer whose acks count."""

    def ack(self, message: Message) -> bool:
        super().ack(message)
        return self.at[HERE].settle(message.offset)


class Flow:
    """An agent behind its gate, fed from a queue as Faust does."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.drawn = random.Random(seed)  # noqa: S311  # delays, no secret
        self.broker = SlowBroker(self.drawn)
        self.consumer = Counting()
        self.consumer.at[HERE] = Progress(0)
        bench.broker = self.broker
        bench.consumer = self.consumer
        bench.app.producer = cast(Any, self.broker)
        bench.app.consumer = cast(Any, self.consumer)
        self.bench = bench
        self.gate = Gate(bench.app, "p.in")
        self.queue: asyncio.Queue[Message] = asyncio.Queue()
        self.offset = -1
        self.request: Request | None = None
        self.reports: list[RebuildReported] = []

    def send(self, key: str, record: Record) -> None:
        self.offset += 1
        self.consumer.at[HERE].hand_over(self.offset, AT_MS)
        self.queue.put_nowait(message(self.offset, encode(record), key.encode()))

    async def work(self) -> None:
        while True:
            await self.gate.handle(await self.queue.get())

    def again(self, table: Any, ledger: Any, form: RowForm[Any], folder: Path) -> Rebuilding[Any]:
        async def tell(report: RebuildReported) -> None:
            self.reports.append(report)

        assert form.refold is not None
        requests = Requests(lambda: self.request, tell, "p", folder / "again")
        made = Rebuilding(
            self.bench.app, "p.in", table, ledger, self.gate, form, form.refold, requests, self.bench.metrics
        )
        self.bench.start_background()
        return made

    async def ask_often(self, times: int) -> Sequence[RebuildReported]:
        """Ask again and again while inputs flow; what came of each."""
        for number in range(times):
            await asyncio.sleep(self.drawn.uniform(0, 0.05))
            self.request = Request(100 + number, "mira", 1, "")
            async with asyncio.timeout(20):
                while sum(one.state == "done" for one in self.reports) <= number:
                    await asyncio.sleep(0.002)
        return [one for one in self.reports if one.state == "done"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.rebuild.rebuilding.LOOK_EVERY_S", 0.003)
    monkeypatch.setattr("streams.rebuild.rebuilding.QUIET_POLL_S", 0.001)


@pytest.mark.parametrize("seed", range(3))
async def test_rows_of_runs_come_out_equal(bench: Bench, tmp_path: Path, seed: int) -> None:
    flow, followed = Flow(bench, seed), Followed()
    one = await advance_bench(bench, followed)
    flow.gate.before(one.agent)
    ended: list[str] = []

    def answer(topic: str, record: Record) -> None:
        if isinstance(record, JournalRecord):
            for event in record.events:
                if isinstance(event, StepRequested):
                    flow.send(record.run_id, finished(record.run_id, event.step, record.seq))
                elif isinstance(event, RunFinished):
                    ended.append(record.run_id)
                    flow.send(f"n-{len(ended)}", requested(followed, f"n-{len(ended)}"))

    flow.broker.heard.append(answer)
    form = RowForm(encode_row, decode_row, refold=lambda: RunsAgain(flow.broker.logs["p.run-journal"]))
    again = flow.again(bench.table(), one.ledger, form, tmp_path)
    again.assigned([0])
    working = asyncio.create_task(flow.work())
    for number in range(20):
        flow.send(f"r-{number}", requested(followed, f"r-{number}"))

    done = await flow.ask_often(12)

    assert [(one.differing, one.kept) for one in done] == [(0, 0)] * 12
    assert done[-1].rows > 20 and len(ended) > 5
    working.cancel()


@pytest.mark.parametrize("seed", range(3))
async def test_rows_of_the_sink_come_out_equal(bench: Bench, tmp_path: Path, seed: int) -> None:
    flow = Flow(bench, seed)
    ledger = await bench.ledger("notified", notified.encode_row, notified.decode_row)
    metrics = SinkMetrics()
    poster = SlowPoster(flow.drawn)
    reporter = Reporter(bench.app, ledger, bench.outbox, metrics, poster, wait_min_s=0.01)
    flow.gate.before(Notify(ledger, bench.outbox, metrics, reporter))
    log = MemoryLog("run-journal")
    form = RowForm(
        notified.encode_row,
        notified.decode_row,
        refold=lambda: NotifiedAgain(log, MemoryLog("publications")),
    )
    again = flow.again(bench.table(), ledger, form, tmp_path)
    again.assigned([0])
    working = asyncio.create_task(flow.work())

    async def feed() -> None:
        for number in range(400):
            run_id = f"r-{flow.drawn.randrange(40)}"
            record = journal(run_id, number + 1, *["a", "b", "c"][: flow.drawn.randrange(4)])
            log.add(run_id, record)
            flow.send(run_id, record)
            if flow.drawn.random() < 0.3:
                await asyncio.sleep(flow.drawn.uniform(0, 0.01))

    feeding = asyncio.create_task(feed())
    done = await flow.ask_often(12)

    assert [(one.differing, one.kept) for one in done] == [(0, 0)] * 12
    assert done[-1].rows > 10
    feeding.cancel()
    working.cancel()
    await reporter.stop()


class SlowPoster(FakePoster):
    """Takes its time."""

    def __init__(self, drawn: random.Random) -> None:
        super().__init__()
        self.drawn = drawn

    async def post(self, event: Any) -> Any:
        await asyncio.sleep(self.drawn.uniform(0, 0.01))
        return await super().post(event)
