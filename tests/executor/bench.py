"""A dispatcher on a workbench: a journal that the test writes, an inbox that acknowledges when it says so."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from executor.dispatcher import Dispatcher
from executor.metrics import Metrics
from executor.partition_work import PartitionWork
from executor.run_step import StepRunner
from schemas.actions import ActionSpec, Call, Done, Failed, PinnedAction
from schemas.events import RunEvent
from schemas.inbox import StepClaimed, StepFinished
from tests.executor.records import ME, journal

NOW_MS = 1_000_000


class GatedAction:
    """An action that works until the test opens its gate; counts what it began."""

    spec = ActionSpec(
        name="log",
        description="Gated.",
        category="enrich",
        inputs={},
        outputs={},
        pinned=PinnedAction(name="log", repeatable=True),
    )

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[tuple[str, str]] = []
        self.timeouts_s: list[float] = []

    async def __call__(self, call: Call) -> Done | Failed:
        self.begun.append((call.run_id, call.step))
        self.timeouts_s.append(call.timeout_s)
        await self.gate.wait()
        return Done("done")


class Inbox:
    """Keeps what was sent; acknowledges at once, or on `acknowledge` if `holds`."""

    def __init__(self) -> None:
        self.sent: list[StepClaimed | StepFinished] = []
        self.holds = False
        self._waiting: list[asyncio.Future[None]] = []

    def send(self, record: StepClaimed | StepFinished) -> "asyncio.Future[None]":
        self.sent.append(record)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if not self.holds:
            self.acknowledge()
        return future

    def acknowledge(self) -> None:
        for future in self._waiting:
            future.set_result(None)
        self._waiting.clear()

    @property
    def claims(self) -> list[StepClaimed]:
        return [record for record in self.sent if isinstance(record, StepClaimed)]

    @property
    def answers(self) -> list[StepFinished]:
        return [record for record in self.sent if isinstance(record, StepFinished)]


class Bench:
    """Partition 0 of a journal, a dispatcher, and the levers around them."""

    def __init__(self, concurrency: int = 2) -> None:
        self.action, self.inbox = GatedAction(), Inbox()
        self.now_ms, self.member = NOW_MS, True
        self.dispatcher = Dispatcher(
            StepRunner({"log": self.action}, lambda name: None),
            self.inbox,
            ME,
            Metrics(CollectorRegistry()),
            concurrency=concurrency,
            now_ms=lambda: self.now_ms,
            is_member=lambda: self.member,
        )
        self._log: list[tuple[str, int, tuple[RunEvent, ...]]] = []

    def write(self, *events: RunEvent, run_id: str = "r-1") -> None:
        """Add a record to the journal."""
        seq = 1 + sum(1 for run, _, _ in self._log if run == run_id)
        self._log.append((run_id, seq, events))

    def assign(self, offset: int = 0, metadata: str = "") -> None:
        """The partition becomes ours."""
        self.dispatcher.assign(PartitionWork(0, offset, metadata, len(self._log)))
        self._read_at = offset

    async def read(self) -> None:
        """Read the journal to its end and let everything settle."""
        for offset in range(self._read_at, len(self._log)):
            run_id, seq, events = self._log[offset]
            self.dispatcher.read(0, offset, journal(seq, *events, run_id=run_id), 100)
        self._read_at = len(self._log)
        self.dispatcher.go_live()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Let what works finish."""
        self.action.gate.set()
        await self.settle()

    def restarted(self) -> "Bench":
        """A new process that finds the same journal and the last commit."""
        again = Bench()
        again._log = self._log
        position = self.dispatcher.positions()[0]
        again.assign(position.offset, position.metadata)
        return again

    @property
    def committed(self) -> int:
        return self.dispatcher.positions()[0].offset

    def answer(self) -> tuple[Any, ...]:
        """The one answer that was sent, in short."""
        [answer] = self.inbox.answers
        return answer.status, answer.kind
