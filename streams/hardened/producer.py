"""Faust's producer: idempotent, never silent about a failed send, never writing without the lease.

Closes L3 (a flush that gives up after 0.1 s) and L4 (a failed send is only logged and the offset committed).
`put` is the way to send for everything that is ours: straight to aiokafka, without Faust's per-message work.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import aiokafka
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender
from aiokafka.structs import TopicPartition
from faust.exceptions import ProducerSendError
from faust.transport.drivers.aiokafka import Producer as UpstreamProducer
from faust.transport.producer import ProducerBuffer
from faust.types import HeadersArg
from faust.types.tuples import FutureMessage, RecordMetadata

from streams.ending import EXIT_BROKEN
from streams.lease import Lease

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

RETRY_BACKOFF_MS = 100
KEYS_KEPT = 20_000
QUICK_BYTES_MAX = 1 << 20
"""Larger values are sent by aiokafka's own way, which refuses what no broker would take."""

Acked = asyncio.Future[RecordMetadata]
Headers = list[tuple[str, bytes]]
NO_HEADERS: Headers = []
"""aiokafka takes a list only; nobody adds to this one."""


class StrictBuffer(ProducerBuffer):
    """L3: `flush` returns only when nothing is queued and nothing is between the queue and aiokafka."""

    max_messages = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self._unsent = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, fut: FutureMessage) -> None:
        """Queue a message that Faust itself sends."""
        self._unsent += 1
        self._idle.clear()
        super().put(fut)

    async def _send_pending(self, fut: FutureMessage) -> None:
        try:
            await super()._send_pending(fut)
        finally:
            self._unsent -= 1
            if not self._unsent:
                self._idle.set()

    @property
    def size(self) -> int:
        """How many messages are not handed to aiokafka yet."""
        return self._unsent

    async def flush(self) -> None:
        """Wait until every message that was put has been handed to aiokafka."""
        await self._idle.wait()

    async def flush_atmost(self, max_messages: int | None) -> int:
        """Wait until at most `max_messages` are queued."""
        while self.size > (max_messages or 0):
            self.message_sent.clear()
            await self.message_sent.wait()
        return 0


class LeasedSender(Sender):  # type: ignore[misc]  # aiokafka ships no types
    """Law 6 at the last moment: a stopped process that wakes sends nothing of what it had gathered."""

    lease: Lease

    async def _send_produce_req(self, node_id: int, batches: Mapping[Any, Any]) -> None:
        await self.lease.ready()
        await super()._send_produce_req(node_id, batches)


class QuickAccumulator(MessageAccumulator):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's accumulator; takes a record without a coroutine where nothing has to be waited for."""

    def put_now(
        self, tp: TopicPartition, key: bytes | None, value: bytes | None, headers: Headers
    ) -> "Acked | None":
        """The record's future; None where its batch is full, or nothing is taken any more."""
        if self._closed or self._exception is not None:
            return None
        batches = self._batches.get(tp)
        batch = batches[-1] if batches else self._append_batch(self.create_builder(), tp)
        sent = batch.append(key, value, None, _create_future=self._loop.create_future, headers=headers)
        return cast("Acked | None", sent)


class LeasedProducer(aiokafka.AIOKafkaProducer):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's producer with a `LeasedSender`, and a way to send that waits for nothing it need not."""

    def __init__(self, *, lease: Lease, acks: str, **settings: Any) -> None:
        super().__init__(acks=acks, retry_backoff_ms=RETRY_BACKOFF_MS, **settings)
        accumulator: Any = self._message_accumulator
        self._message_accumulator: Any = QuickAccumulator(
            self._metadata,
            accumulator._batch_size,
            accumulator._compression_type,
            accumulator._batch_ttl,
            txn_manager=self._txn_manager,
            loop=accumulator._loop,
            linger_ms=accumulator._linger_time * 1000,
        )
        self._partitions: dict[str, list[TopicPartition]] = {}
        self._sender = LeasedSender(
            self.client,
            acks=-1,
            txn_manager=self._txn_manager,
            message_accumulator=self._message_accumulator,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            request_timeout_ms=self._request_timeout_ms,
        )
        self._sender.lease = lease

    async def put(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None, headers: Headers
    ) -> "Acked":
        """Like `send`, for bytes. The partition of a key is that of Kafka's own default partitioner."""
        partitions = self._partitions.get(topic)
        if partitions and (partition is not None or key is not None) and len(value or b"") < QUICK_BYTES_MAX:
            number = partition if partition is not None else key_hash(cast(bytes, key)) % len(partitions)
            sent: Acked | None = self._message_accumulator.put_now(partitions[number], key, value, headers)
            if sent is not None:
                return sent
        sent = await self.send(topic, value, key=key, partition=partition, headers=headers)
        found = sorted(self._metadata.partitions_for_topic(topic) or ())
        self._partitions[topic] = [TopicPartition(topic, number) for number in found]
        return cast(Acked, sent)


@lru_cache(maxsize=KEYS_KEPT)
def key_hash(key: bytes) -> int:
    """Of a key, as Kafka's default partitioner takes it: the same key comes again for each input of a run."""
    return int(murmur2(key)) & 0x7FFFFFFF


class StrictProducer(UpstreamProducer):
    """The one producer of a worker."""

    app: "HardenedApp"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.send_failure: BaseException | None = None
        self.buffer = StrictBuffer(loop=self.loop, beacon=self.beacon)
        self.buffer.app = self.app

    def _settings_extra(self) -> Mapping[str, Any]:
        # Batches of an idempotent producer never expire, and a retry after a lost answer writes nothing
        # twice.
        return {"acks": "all", "enable_idempotence": True, "lease": self.app.lease}

    @property
    def _producer_type(self) -> type[aiokafka.AIOKafkaProducer]:
        return LeasedProducer

    async def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: Headers = NO_HEADERS,
    ) -> Acked:
        """Send now. The future resolves when all in-sync replicas have it; a failure ends the process."""
        producer = self._ensure_producer()
        try:
            sent = await cast(LeasedProducer, producer).put(topic, key, value, partition, headers)
        except aiokafka.errors.KafkaError as failure:
            self.app.end(f"a record for {topic} could not be sent: {failure!r}", EXIT_BROKEN)
        sent.add_done_callback(self._note)
        return sent

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: HeadersArg | None,
        *,
        transactional_id: str | None = None,
    ) -> Awaitable[RecordMetadata]:
        """Faust's own way of sending; its failure is kept, so that no later flush, and so no commit,
        succeeds."""
        sent = await super().send(
            topic, key, value, partition, timestamp, headers, transactional_id=transactional_id
        )
        cast("asyncio.Future[RecordMetadata]", sent).add_done_callback(self._note)
        return sent

    def _note(self, sent: "asyncio.Future[RecordMetadata]") -> None:
        if not sent.cancelled() and (failure := sent.exception()) is not None and self.send_failure is None:
            self.send_failure = failure
            if not self.app.should_stop:
                self.app.end(f"a record was not taken by the broker: {failure!r}", EXIT_BROKEN)

    async def flush(self) -> None:
        """L4: returns only when everything sent so far is acknowledged; raises if anything ever was not."""
        await super().flush()
        if self.send_failure is not None:
            raise ProducerSendError(f"a record was not taken by the broker: {self.send_failure!r}")
