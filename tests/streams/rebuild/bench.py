"""A table that is made again, on a bench: its agent behind a gate, its consumer, and what it reports."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from faust.types import TP

from engine.rebuilds import Request
from engine.run.advancing import decode_row, encode_row
from engine.run.state import Run
from schemas.catalog import RebuildReported
from streams.entries import Kept
from streams.gate import Gate
from streams.hardened.progress import Progress
from streams.rebuild.rebuilding import Rebuilding
from streams.rebuild.reports import Requests
from streams.rebuild.runs import RunsAgain
from streams.stage import RowForm
from tests.streams.bench import Bench, FakeConsumer
from tests.streams.rebuild.test_runs import Runs

HERE = TP("p.in", 0)


class Consumer(FakeConsumer):
    """A consumer that knows how far each partition is."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[TP, Progress] = {}
        self.commits: dict[TP, int] = {}

    def progress(self) -> dict[TP, Progress]:
        return self.at

    def committed(self, tp: TP) -> int | None:
        return self.commits.get(tp)


class Rebuilt:
    """Runs on a bench whose table is made again on request."""

    def __init__(self, runs: Runs, bench: Bench, consumer: Consumer, folder: Path) -> None:
        self.runs = runs
        self.bench = bench
        self.consumer = consumer
        self.folder = folder / "again"
        self.request: Request | None = None
        self.reports: list[RebuildReported] = []
        self.kept: list[Kept[Run]] = []
        runs.one.ledger.on_kept = self.kept.append
        self.gate = Gate(bench.app, "p.in").before(runs.one.agent)
        self.form: RowForm[Run] = RowForm(encode_row, decode_row, refold=lambda: RunsAgain(runs.journal))
        requests = Requests(lambda: self.request, self._tell, "processor-a", self.folder)
        assert self.form.refold is not None
        self.rebuilding = Rebuilding(
            bench.app,
            "p.in",
            bench.table(),
            runs.one.ledger,
            self.gate,
            self.form,
            self.form.refold,
            requests,
            bench.metrics,
        )
        bench.start_background()

    async def _tell(self, report: RebuildReported) -> None:
        self.reports.append(report)

    def position(self, offset: int, committed: int | None = None) -> None:
        """The consumer has sought: inputs before `offset` are settled."""
        self.consumer.at[HERE] = Progress(offset)
        if committed is not None:
            self.consumer.commits[HERE] = committed

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():
                await asyncio.sleep(0.01)

    async def done(self) -> RebuildReported:
        await self.until(lambda: any(one.state == "done" for one in self.reports))
        await self.until(lambda: not self.gate.is_closed(0))
        return self.reports[-1]

    def store(self, key: str, row: bytes | None) -> None:
        self.bench.table().store.write(0, {key.encode(): row}, None)
