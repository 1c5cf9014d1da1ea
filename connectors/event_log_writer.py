"""Adds records to the topics durably: acknowledged by every in-sync replica, or an error in bounded time.

One idempotent producer; a retry inside it writes nothing twice. Reading is `connectors.event_log`.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
)

from connectors.errors import NotDurable, NotReachable, PermanentFailure, TooLarge
from connectors.kafka_errors import said, translated
from schemas.codec import encode
from schemas.errors import MalformedMessage
from schemas.outgoing import AsItCame, Outgoing
from schemas.topics import MESSAGE_BYTES_MAX, Topic

log = logging.getLogger(__name__)

PENDING_MAX = 10_000
"""Records under way at once; one more is refused, as memory must not grow with an outage."""
CLOSE_S = 2.0
"""How long an old producer may take to close."""
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)


@dataclass(frozen=True, slots=True)
class RecordMetadata:
    """Where a record stands, once acknowledged. `topic` is without prefix, `at_ms` the broker's timestamp."""

    topic: str
    partition: int
    offset: int
    at_ms: int


class EventLogWriter:
    """Use as `async with`, or `open` and `close`.

    `durable_within_s` bounds every send, `record_bytes_max` is the largest record (key and value).
    """

    def __init__(
        self,
        kafka: Mapping[str, Any],
        prefix: str = "pulsebook.",
        *,
        durable_within_s: float = 10.0,
        record_bytes_max: int = 921_600,
        linger_ms: int = 3,
        pending_max: int = PENDING_MAX,
    ) -> None:
        self._kafka, self._prefix = kafka, prefix
        self._durable_within_s = durable_within_s
        self._record_bytes_max = record_bytes_max
        self._linger_ms = linger_ms
        self._pending_max = pending_max
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()
        self._in_order: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._pending: set[asyncio.Task[RecordMetadata]] = set()
        self._closed = False

    async def open(self) -> None:
        """Connect. Raises NotReachable, PermanentFailure. Not needed: the first send connects as well."""
        await self._working()

    async def close(self) -> None:
        """Wait for what is under way (at most `durable_within_s`), then disconnect."""
        self._closed = True
        if self._pending:
            await asyncio.wait(self._pending)
        if self._producer is not None:
            await _closed(self._producer)
            self._producer = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, outgoing: Outgoing) -> RecordMetadata:
        """Add a record, and return once it is durable.

        Raises NotDurable when that is not so within the bound (it may become so later: sending it again may
        write it twice), TooLarge, and MalformedMessage.
        """
        return await self.start(outgoing)

    async def reachable(self, topic: Topic) -> None:
        """Return if every partition of the topic could take a record now. Writes nothing, asks the brokers.

        Raises NotReachable and PermanentFailure as `open` does.
        """
        name = self._prefix + topic.name
        try:
            async with asyncio.timeout(self._durable_within_s):
                producer = await self._working()
                with translated(f"asking who leads {name}"):
                    cluster = await producer.client.fetch_all_metadata()
        except TimeoutError as error:
            raise NotReachable(f"not answered within {self._durable_within_s:g} s") from error
        partitions = cluster._partitions.get(name) or {}
        if not partitions or not all(_takes_records(one) for one in partitions.values()):
            raise NotReachable(f"not every partition of {name} has a leader and enough replicas in sync")

    def start(self, outgoing: Outgoing) -> "asyncio.Task[RecordMetadata]":
        """The same without waiting: records of one topic are added in the order of the calls.

        TooLarge, MalformedMessage and, where too many are under way, NotDurable are raised at once.
        """
        message = AsItCame(outgoing.topic, _key_bytes(outgoing.key), encode(outgoing.record))
        return self._start(message, type(outgoing.record).__name__)

    async def put_back(self, message: AsItCame) -> RecordMetadata:
        """`send` for bytes, key and headers as somebody else wrote them."""
        return await self._start(message, "message")

    def _start(self, message: AsItCame, name: str) -> "asyncio.Task[RecordMetadata]":
        if self._closed:
            raise NotDurable("the writer is closed")
        if len(self._pending) >= self._pending_max:
            raise NotDurable(f"{self._pending_max} records are under way already")
        size_bytes = _bytes_of(message)
        if size_bytes > self._record_bytes_max:
            text = f"a {name} of {size_bytes} bytes; the largest may have {self._record_bytes_max}"
            raise TooLarge(text, size_bytes, self._record_bytes_max)
        task = asyncio.create_task(self._send(message))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return task

    async def _send(self, message: AsItCame) -> RecordMetadata:
        topic = message.topic.name
        producer = None
        try:
            async with asyncio.timeout(self._durable_within_s):
                async with self._in_order[topic]:
                    producer = await self._working()
                    delivery = await producer.send(
                        self._prefix + topic,
                        message.value,
                        key=message.key,
                        partition=message.partition,
                        headers=list(message.headers),
                    )
                written = await delivery
        except (NotReachable, PermanentFailure) as error:
            raise NotDurable(str(error)) from error
        except TimeoutError as error:
            raise NotDurable(f"not acknowledged within {self._durable_within_s:g} s") from error
        except _TOO_LARGE as error:
            await self._give_up(producer)
            size_bytes = _bytes_of(message)
            raise TooLarge("the broker refuses this size", size_bytes, self._record_bytes_max) from error
        except KafkaError as error:
            if not isinstance(error, KafkaTimeoutError):
                await self._give_up(producer)
            raise NotDurable(said(error)) from error
        return RecordMetadata(topic, written.partition, written.offset, written.timestamp)

    async def _working(self) -> AIOKafkaProducer:
        async with self._renewing:
            if self._producer is None:
                self._producer = await self._connected()
            return self._producer

    async def _give_up(self, producer: AIOKafkaProducer | None) -> None:
        """What a producer does not mend itself breaks its sequence numbers: the next send makes another."""
        async with self._renewing:
            if producer is None or producer is not self._producer:
                return
            self._producer = None
        log.warning("a record was not accepted; the producer is replaced")
        await _closed(producer)

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._kafka,
            acks="all",
            enable_idempotence=True,
            linger_ms=self._linger_ms,
            compression_type="lz4",
            max_batch_size=256 * 1024,
            max_request_size=MESSAGE_BYTES_MAX,
        )
        try:
            with translated(f"writing to {self._kafka.get('bootstrap_servers')}"):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


def _takes_records(partition: Any) -> bool:
    """As our topics are made: one replica may be missing (`connectors.topics_admin`)."""
    return bool(partition.leader >= 0 and len(partition.isr) >= max(1, len(partition.replicas) - 1))


def _key_bytes(key: str) -> bytes:
    try:
        return key.encode()
    except UnicodeEncodeError:
        raise MalformedMessage("a key that is not Unicode (a lone surrogate)") from None


def _bytes_of(message: AsItCame) -> int:
    """Key and value; headers too, though a producer's own records have none."""
    headers = sum(len(name) + len(value) for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers


async def _closed(producer: AIOKafkaProducer) -> None:
    """Close a producer in whatever state it is, without waiting for a broker that is away."""
    with contextlib.suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await producer.stop()
