"""The log in memory, for tests of the web process: a writer and a reader in one that run the codec on every
record.

What it cannot do that Kafka can is said in `tests/console/test_with_kafka.py`, which runs the same on the
real one.
"""

import asyncio
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from console.read_model.log import FOLLOWED, LogRecord, Place
from schemas import codec
from schemas.fields import Record
from schemas.outgoing import AsItCame, Outgoing
from schemas.topics import TOPICS, Topic

NAMES = frozenset(topic.name for topic in FOLLOWED)


@dataclass(frozen=True, slots=True)
class Stored:
    """One message as it lies on a topic."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None


class BrokerGone(Exception):
    """The writer's error while `broken`."""


class MemoryLog:
    """Topics in memory. `broken`: sends fail; `stuck`: they never end, as with a broker that is gone."""

    def __init__(self, partitions: int = 4) -> None:
        self.messages: defaultdict[Place, list[Stored]] = defaultdict(list)
        self.ids = {topic.name: f"id-of-{topic.name}" for topic in TOPICS}
        self.partitions = partitions
        self.broken = False
        self.stuck = False
        self.put: list[AsItCame] = []
        """What was put back, with its headers."""
        self.asked = 0
        """How often somebody wanted to know whether it can be written to."""
        self._grew = asyncio.Condition()

    async def send(self, send: Outgoing) -> Stored:
        """Encode, keep, and say where it stands."""
        value = codec.encode(send.record)
        if self.stuck:
            await asyncio.Event().wait()
        if self.broken:
            raise BrokerGone("no broker")
        return await self.append(send.topic, send.key.encode(), value)

    async def put_back(self, message: AsItCame) -> Stored:
        """Keep bytes as they are, and say where they stand."""
        if self.broken:
            raise BrokerGone("no broker")
        self.put.append(message)
        return await self.append(message.topic, message.key, message.value, partition=message.partition)

    async def reachable(self, topic: Topic) -> None:
        """As a broker that is asked, and writes nothing."""
        self.asked += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.broken:
            raise BrokerGone("no broker")

    async def append(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        at_ms: int | None = None,
        partition: int | None = None,
    ) -> Stored:
        """Bytes as they are, as any producer may write them."""
        if partition is None:
            partition = 0 if topic.single else zlib.crc32(key or b"") % self.partitions
        messages = self.messages[topic.name, partition]
        stamp = time.time_ns() // 1_000_000 if at_ms is None else at_ms
        stored = Stored(topic.name, partition, len(messages), stamp, key, value)
        messages.append(stored)
        async with self._grew:
            self._grew.notify_all()
        return stored

    async def write(self, topic: Topic, key: str, *records: Record) -> None:
        """Records, one after the other."""
        for record in records:
            await self.append(topic, key.encode(), codec.encode(record))

    def records(self, topic: Topic) -> list[Record]:
        """All records of a topic, partition by partition."""
        places = sorted(place for place in self.messages if place[0] == topic.name)
        return [codec.decode(each.value or b"") for place in places for each in self.messages[place]]

    def keys(self, topic: Topic) -> list[bytes | None]:
        """The keys of a topic's messages, partition by partition."""
        places = sorted(place for place in self.messages if place[0] == topic.name)
        return [each.key for place in places for each in self.messages[place]]

    async def topic_ids(self) -> Mapping[str, str]:
        return dict(self.ids)

    async def ends(self) -> Mapping[Place, int]:
        return {place: len(held) for place, held in self.messages.items() if place[0] in NAMES and held}

    async def follow(self, positions: Mapping[Place, int]) -> AsyncGenerator[Sequence[LogRecord], None]:
        at = dict(positions)
        while True:
            batch = list(self._since(at))
            if batch:
                at.update({(each.topic, each.partition): each.offset + 1 for each in batch})
                yield batch
                continue
            async with self._grew:
                await self._grew.wait_for(lambda: any(True for _ in self._since(at)))

    async def at(self, topic: str, partition: int, offset: int) -> LogRecord | None:
        held = self.messages.get((topic, partition), [])
        return held[offset] if offset < len(held) else None

    def _since(self, positions: Mapping[Place, int]) -> Iterable[Stored]:
        for place, held in list(self.messages.items()):
            if place[0] in NAMES:
                yield from held[positions.get(place, 0) :]
