"""Reads the topics as a log, from any place, to the present end or on and on. Joins no group.

Topics are named without their prefix; which there are is `schemas.topics`. Writing is `event_log_writer`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from connectors.errors import NotReachable, PermanentFailure
from connectors.kafka_errors import translated
from fetch_pace import Fetching, FetchPace
from schemas.codec import decode
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.outgoing import Cause
from schemas.topics import TOPICS, Topic

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""A topic (without prefix) and a partition."""
TopicIds = Callable[[Mapping[str, Any], Iterable[str]], Awaitable[Mapping[str, str]]]

POLL_S = 0.5
"""How long to wait for records before looking whether the end is reached."""
BATCH_RECORDS_MAX = 500
NO_PROGRESS_S = 30.0
"""Without an answer of the broker for so long, reading to an end gives up."""
ALONE_WAIT_MS = 500
"""A single partition keeps nobody waiting: fewer requests while nothing happens."""
AGAIN_S = 1.0
"""Pause before a broken consumer is replaced."""
GATHERED = Fetching(min_bytes=32 * 1024, wait_ms=100)
"""How `follow` fetches while many records come."""
_CONSUMER: Mapping[str, Any] = {
    "group_id": None,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    # A partition at its end keeps a request waiting, and with it the others of that broker.
    "fetch_max_wait_ms": 100,
    # Eight topics of a dozen partitions: a buffer of each must fit into memory. Larger records still come.
    "max_partition_fetch_bytes": 256 * 1024,
}


@dataclass(frozen=True)
class Entry:
    """One message as it lies on a topic (named without prefix)."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    """The broker's timestamp."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def cause(self) -> Cause:
        """Where it stands."""
        return Cause(self.topic, self.partition, self.offset, self.at_ms)

    @cached_property
    def record(self) -> Record | MalformedMessage:
        """The record, decoded when first asked for, or why it is none. On `alerts` see `alerts_wire`."""
        try:
            return decode(self.value)
        except MalformedMessage as error:
            return error


class EventLogReader:
    """Reads some topics of a prefix; `kafka` are keyword arguments of an aiokafka client.

    Holds nothing open between calls; a generator that is left early is to be closed (`contextlib.aclosing`).
    Every method raises NotReachable when Kafka does not answer, and PermanentFailure when a topic does not
    exist or may not be read.
    """

    def __init__(
        self,
        kafka: Mapping[str, Any],
        topics: Sequence[Topic] = TOPICS,
        prefix: str = "pulsebook.",
        topic_ids: TopicIds | None = None,
    ) -> None:
        self._kafka, self._prefix = kafka, prefix
        self._topics = tuple(topic.name for topic in topics)
        alone = len(topics) == 1 and topics[0].single
        self._options = {**_CONSUMER, **({"fetch_max_wait_ms": ALONE_WAIT_MS} if alone else {}), **kafka}
        self._ask_ids = topic_ids

    async def topic_ids(self) -> Mapping[str, str]:
        """Topic to the id that Kafka gave it when it was made (another id: another topic of that name)."""
        if self._ask_ids is None:
            raise TypeError("this reader was not told how to ask for topic ids")
        found = await self._ask_ids(self._kafka, [self._prefix + topic for topic in self._topics])
        return {name.removeprefix(self._prefix): topic_id for name, topic_id in found.items()}

    async def ends(self) -> dict[Place, int]:
        """The present end: next offset of every partition that holds any record."""
        return {place: end for place, (start, end) in (await self.bounds()).items() if end > start}

    async def bounds(self) -> dict[Place, tuple[int, int]]:
        """First offset that is kept and next offset, of every partition; equal where it holds nothing."""
        async with self._consumer() as consumer:
            places = await self._places(consumer)
            starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            return {self._place(tp): (starts[tp], ends[tp]) for tp in places}

    async def partition_counts(self) -> dict[str, int]:
        """Topic to how many partitions the brokers say it has."""
        async with self._consumer() as consumer:
            return dict(Counter(self._place(tp)[0] for tp in await self._places(consumer)))

    async def offsets_at(self, at_ms: int) -> dict[Place, int]:
        """Of every partition, the first offset at or after that time; its end where there is none."""
        async with self._consumer() as consumer:
            places = await self._places(consumer)
            found = await consumer.offsets_for_times(dict.fromkeys(places, at_ms))
            ends = await consumer.end_offsets(places)
            return {self._place(tp): found[tp].offset if found[tp] else ends[tp] for tp in places}

    async def at(self, topic: str, partition: int, offset: int) -> Entry | None:
        """The message at one place; None where there is none (any more)."""
        async with self._consumer(max_partition_fetch_bytes=1) as consumer:
            tp = TopicPartition(self._prefix + topic, partition)
            if tp not in await self._places(consumer):
                return None
            start, end = await consumer.beginning_offsets([tp]), await consumer.end_offsets([tp])
            if not start[tp] <= offset < end[tp]:
                return None
            consumer.assign([tp])
            consumer.seek(tp, offset)
            async with asyncio.timeout(NO_PROGRESS_S):
                found = self._entry(await consumer.getone(tp))
        return found if found.offset == offset else None

    async def read(
        self, positions: Mapping[Place, int] | None = None, until: Mapping[Place, int] | None = None
    ) -> AsyncGenerator[list[Entry], None]:
        """In batches from `positions` (else from the oldest) to `until` (else to the present end).

        The order is that of each partition; partitions are interleaved as they come.
        """
        ends = await self.ends() if until is None else until
        open_places = {place for place, end in ends.items() if (positions or {}).get(place, 0) < end}
        async with self._consumer() as consumer:
            assigned = await self._assign(consumer, positions or {}, open_places)
            progress_s = asyncio.get_running_loop().time()
            while assigned:
                async with asyncio.timeout_at(progress_s + NO_PROGRESS_S):
                    batch = await self._poll(consumer, assigned)
                    for tp in list(assigned):
                        # Not by the last record: a transaction's marker takes an offset and is no record.
                        if await consumer.position(tp) >= ends[self._place(tp)]:
                            assigned.remove(tp)
                            consumer.pause(tp)
                wanted = [entry for entry in batch if entry.offset < ends[entry.topic, entry.partition]]
                if wanted:
                    yield wanted
                if batch:
                    progress_s = asyncio.get_running_loop().time()

    async def follow(self, positions: Mapping[Place, int] | None = None) -> AsyncGenerator[list[Entry], None]:
        """In batches from `positions` (else from the oldest), on and on, whatever happens to the brokers.

        A failure is raised only before anything could be read; later ones are logged and waited out.
        """
        next_offsets = dict(positions or {})
        pace = FetchPace(Fetching(1, self._options["fetch_max_wait_ms"]), GATHERED)
        assigned: list[TopicPartition] = []
        while True:
            try:
                async with self._consumer() as consumer:
                    assigned = await self._assign(consumer, next_offsets, None)
                    while True:
                        batch = await self._poll(consumer, assigned)
                        pace.drained(consumer, len(batch))
                        if batch:
                            yield batch
                            next_offsets |= {(one.topic, one.partition): one.offset + 1 for one in batch}
            except (NotReachable, PermanentFailure) as error:
                if not assigned:
                    raise
                log.warning("following %s: %s; trying again", ", ".join(self._topics), error)
                await asyncio.sleep(AGAIN_S)

    @asynccontextmanager
    async def _consumer(self, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(**{**self._options, **more})
        try:
            with translated(f"reading from {self._kafka.get('bootstrap_servers')}"):
                await consumer.start()
                # aiokafka 0.14: a consumer that is stopped before its own task ran raises CancelledError.
                await asyncio.sleep(0)
                yield consumer
        finally:
            await consumer.stop()

    async def _places(self, consumer: AIOKafkaConsumer) -> list[TopicPartition]:
        """Every partition of the topics. Raises PermanentFailure for a topic that does not exist."""
        # Of all topics at once: asking for one by name could make it, where the cluster is set to do so.
        cluster = await consumer._client.fetch_all_metadata()
        places = []
        for topic in self._topics:
            partitions = cluster.partitions_for_topic(self._prefix + topic)
            if not partitions:
                raise PermanentFailure(
                    f"the topic {self._prefix}{topic} does not exist: `pulsebook topics create` makes it"
                )
            places += [TopicPartition(self._prefix + topic, partition) for partition in sorted(partitions)]
        # Else the first request finds no leader, and waits 100 ms before it asks who leads.
        await consumer._client.set_topics({tp.topic for tp in places})
        return places

    async def _assign(
        self, consumer: AIOKafkaConsumer, positions: Mapping[Place, int], only: set[Place] | None
    ) -> list[TopicPartition]:
        places = [tp for tp in await self._places(consumer) if only is None or self._place(tp) in only]
        consumer.assign(places)
        for tp in places:
            if self._place(tp) in positions:
                consumer.seek(tp, positions[self._place(tp)])
        return places

    async def _poll(self, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> list[Entry]:
        found = await consumer.getmany(*places, timeout_ms=int(POLL_S * 1_000), max_records=BATCH_RECORDS_MAX)
        return [self._entry(message) for messages in found.values() for message in messages]

    def _place(self, tp: TopicPartition) -> Place:
        return tp.topic.removeprefix(self._prefix), tp.partition

    def _entry(self, message: "ConsumerRecord[bytes, bytes]") -> Entry:
        return Entry(
            topic=message.topic.removeprefix(self._prefix),
            partition=message.partition,
            offset=message.offset,
            at_ms=message.timestamp,
            key=message.key,
            value=message.value,
            headers=tuple(message.headers),
        )
