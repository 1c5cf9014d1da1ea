"""A consumer on a bench: upstream's or ours, with one partition of records and no broker.

The thread that talks to Kafka is played by `FakeThread`; everything else is the real thing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

import faust
from faust.types import TP
from mode import Service

from fetch_pace import FetchPace
from streams.hardened.app import HardenedApp
from streams.options import AT_ONCE, GATHERED

INPUT = TP("in", 0)
CHANGELOG = TP("app-t-changelog", 0)


class Record(NamedTuple):
    """What aiokafka's fetcher gives."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    timestamp_type: int = 1
    headers: tuple[()] = ()
    key: bytes = b"k"
    value: bytes = b"v"
    checksum: None = None
    serialized_key_size: int = 1
    serialized_value_size: int = 1


class FakeThread:
    """The broker's side of one input partition. `committed` is what the group has; `commits` what was
    asked.
    """

    def __init__(self, committed: int | None, offsets: Iterable[int]) -> None:
        self.log = sorted(offsets)
        self.committed_offset = committed
        self.position = committed or 0
        self.commits: list[Mapping[TP, int]] = []
        self.commit_works = True
        self.seeks: list[int] = []
        self.lose_next_fetch = False
        self.pause_after_seek_s = 0.0
        self.on_fetch: Callable[[], None] = lambda: None

    async def getmany(self, active: set[TP], timeout: float) -> Mapping[TP, list[Record]]:
        await asyncio.sleep(0.001)
        found = [offset for offset in self.log if offset >= self.position] if INPUT in active else []
        if not found:
            return {}
        self.on_fetch()
        self.position = found[-1] + 1
        if self.lose_next_fetch:
            self.lose_next_fetch = False
            return {}
        return {INPUT: [Record(*INPUT, offset) for offset in found]}

    async def seek_to_committed(self) -> Mapping[TP, int | None]:
        if self.committed_offset:
            self.position = self.committed_offset
        await asyncio.sleep(self.pause_after_seek_s)
        return {INPUT: self.committed_offset}

    async def committed(self, tps: Iterable[TP]) -> Mapping[TP, int | None]:
        return {INPUT: self.committed_offset}

    async def bounds(self, tps: Iterable[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        return {INPUT: self.log[0]}, {INPUT: self.log[-1] + 1}

    async def seek_wait(self, positions: Mapping[TP, int]) -> None:
        self.seeks.append(positions[INPUT])
        self.position = positions[INPUT]
        await asyncio.sleep(self.pause_after_seek_s)

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.commits.append(dict(offsets))
        return self.commit_works

    def drained(self, records: int) -> None:
        """There is no fetcher that could be told to wait."""

    def assignment(self) -> set[TP]:
        return {INPUT, CHANGELOG}

    def highwater(self, tp: TP) -> int:
        return self.log[-1] + 1


class Idle(Service):
    """Stands for the fetcher that a drain loop looks at."""


def hardened_app(**options: Any) -> HardenedApp:
    """Our app, without a broker."""
    options = {"end": ended, **options}
    return HardenedApp(
        "app",
        broker="kafka://127.0.0.1:1",
        session_timeout_s=10.0,
        fetch_pace=FetchPace(AT_ONCE, GATHERED),
        **options,
    )


class Ended(Exception):
    """The process would have ended."""


def ended(reason: str, code: int) -> Any:
    """Stands for `streams.ending.end_process`."""
    raise Ended(reason)


class Bench:
    """`ours` False: what upstream does."""

    def __init__(self, ours: bool, committed: int | None, offsets: Iterable[int]) -> None:
        self.app = cast(Any, hardened_app() if ours else faust.App("app", broker="kafka://127.0.0.1:1"))
        self.ours = ours
        self.app.finalize()
        self.app.consumer_generation_id = 1
        self.app.flow_control.resume()
        self.app.topics.acking_topics.add(INPUT.topic)
        self.app.tables._changelogs[CHANGELOG.topic] = None
        self.consumer = cast(Any, self.app.consumer)
        self.consumer._thread.thread_loop.close()
        self.thread = FakeThread(committed, offsets)
        self.consumer._thread = self.thread
        self.consumer.callback = self._deliver
        self.queue = self.app.FlowControlQueue(maxsize=1_000, clear_on_resume=True)
        self.app.producer.flush = _nothing
        self._drain: asyncio.Task[None] | None = None

    async def _deliver(self, message: Any) -> None:
        await self.queue.put(message)

    async def start(self, *, seek: bool = True) -> None:
        """Seek to where the group is, and begin to read."""
        self.consumer._active_partitions = {INPUT} if seek else {CHANGELOG}
        if seek:
            await self.consumer.perform_seek()
        self._drain = asyncio.create_task(self.consumer._drain_messages(Idle()))

    async def take(self, number: int) -> list[Any]:
        """The next messages, as an agent takes them: they count as under way."""
        messages = [await asyncio.wait_for(self.queue.get(), 2) for _ in range(number)]
        for message in messages:
            message.incref()
            self.consumer.track_message(message)
        return messages

    async def take_all(self) -> list[int]:
        """The offsets of all messages that come within a moment."""
        await asyncio.sleep(0.1)
        return [message.offset for message in await self.take(self.queue.qsize())]

    def ack(self, messages: Iterable[Any]) -> None:
        for message in messages:
            message.ack(self.consumer)

    def committable(self) -> int | None:
        """What a commit would write now."""
        return cast(int | None, self.consumer._filter_committable_offsets([INPUT]).get(INPUT))

    async def stop(self) -> None:
        if self._drain is not None:
            self._drain.cancel()
            await asyncio.wait([self._drain])
        self.app.producer._producer = None


async def _nothing() -> None:
    """Stands for a flush."""
