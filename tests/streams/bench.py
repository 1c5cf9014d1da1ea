"""A worker's inside on a bench: real ledger, table and RocksDB; a broker that acknowledges when it is
told to.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from faust.types import TP, Message

from fetch_pace import FetchPace
from streams.hardened.app import HardenedApp
from streams.hardened.producer import NO_HEADERS, Headers
from streams.ledger import Ledger
from streams.metrics import ProcessorMetrics
from streams.options import AT_ONCE, GATHERED
from streams.outbox import Outbox
from streams.table import RowTable
from streams.watermarks import Watermarks
from tests.streams.hardened.bench import Ended, ended

__all__ = ["Bench", "Ended", "FakeBroker", "message", "settled"]

PREFIX = "p."
GENERATION = 3


class Metadata(NamedTuple):
    """What the broker says of a record it has."""

    offset: int


class Sent(NamedTuple):
    """A record on its way."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    acked: "asyncio.Future[Metadata]"


class FakeBroker:
    """Stands for the producer. `hold`: nothing is acknowledged until `acknowledge`."""

    def __init__(self) -> None:
        self.records: list[Sent] = []
        self.hold = False
        self._offsets: dict[tuple[str, int | None], int] = {}
        self._waiting: list[tuple[Sent, int]] = []

    async def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Headers = NO_HEADERS,
    ) -> "asyncio.Future[Metadata]":
        sent = Sent(topic, partition, key, value, headers, asyncio.get_running_loop().create_future())
        offset = self._offsets[(topic, partition)] = self._offsets.get((topic, partition), -1) + 1
        self.records.append(sent)
        if self.hold:
            self._waiting.append((sent, offset))
        else:
            sent.acked.set_result(Metadata(offset))
        return sent.acked

    def acknowledge(self) -> None:
        """Acknowledge everything that waits, and from now on at once."""
        self.hold = False
        for sent, offset in self._waiting:
            sent.acked.set_result(Metadata(offset))
        self._waiting = []

    def of(self, topic: str) -> list[Sent]:
        """The records of one topic (with its prefix), in order."""
        return [sent for sent in self.records if sent.topic == topic]


class FakeConsumer:
    """Takes acks."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.paused: set[TP] = set()
        self.aside: list[int] = []

    def ack(self, message: Message) -> bool:
        message.acked = True
        self.acked.append(message.offset)
        return True

    def set_aside(self, message: Message) -> None:
        self.aside.append(message.offset)

    def pause_partitions(self, tps: set[TP]) -> None:
        self.paused |= tps

    def resume_partitions(self, tps: set[TP]) -> None:
        self.paused -= tps


class AckedMessage(Message):
    """A message of a consumer: its last ack reaches it."""

    __slots__ = ()

    def on_final_ack(self, consumer: Any) -> bool:
        return bool(consumer.ack(self))


def message(
    offset: int,
    value: bytes | None = b"",
    key: bytes | None = b"k",
    *,
    partition: int = 0,
    at_ms: int = 1_795_000_000_000,
    topic: str = "p.in",
    headers: Mapping[str, bytes] | None = None,
    generation: int = GENERATION,
) -> Message:
    """A message as an agent takes it."""
    made = AckedMessage(
        topic,
        partition,
        offset,
        at_ms / 1000,
        1,
        cast(Any, headers or {}),
        key,
        value,
        None,
        tp=TP(topic, partition),
        generation_id=generation,
    )
    made.incref()
    return made


class Bench:
    """One table of one app. `make` is to be used inside a running loop; `stop` afterwards."""

    def __init__(self, folder: Path) -> None:
        self.app = HardenedApp(
            f"{PREFIX}processor",
            broker="kafka://127.0.0.1:1",
            session_timeout_s=10.0,
            fetch_pace=FetchPace(AT_ONCE, GATHERED),
            end=ended,
            datadir=str(folder),
            topic_partitions=4,
        )
        self.broker = FakeBroker()
        self.consumer = FakeConsumer()
        self.app.producer = cast(Any, self.broker)
        self.app.consumer = cast(Any, self.consumer)
        self.app.finalize()
        self.app.consumer_generation_id = GENERATION
        self.app._create_directories()
        self.app.lease.assigned()
        self.metrics = ProcessorMetrics()
        self.outbox = Outbox(self.app, PREFIX, 100_000)
        self._tables: list[RowTable] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def ledger(
        self, table: str, encode: Any, decode: Any, partitions: tuple[int, ...] = (0,)
    ) -> Ledger[Any]:
        """A ledger over a new table, with its background tasks, and its partitions assigned."""
        rows = cast(RowTable, self.app.Table(table, key_type=bytes, value_type=bytes))
        self._tables.append(rows)
        watermarks = Watermarks(f"{PREFIX}in", "topic-id", lambda reason: ended(reason, 78))
        ledger: Ledger[Any] = Ledger(self.app, rows, watermarks, encode, decode)
        await ledger.assigned(partitions)
        self.start_background()
        return ledger

    def start_background(self) -> None:
        """Start what was registered with the app since."""
        tasks, self.app._background = self.app._background, []
        self._tasks += [asyncio.ensure_future(task()) for task in tasks]

    def table(self, number: int = 0) -> RowTable:
        return self._tables[number]

    def failure(self) -> BaseException | None:
        """What ended a background task, if anything did."""
        return next((task.exception() for task in self._tasks if task.done() and task.exception()), None)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for table in self._tables:
            await table.store.stop()


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)
