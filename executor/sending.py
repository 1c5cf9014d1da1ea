"""What the executor writes: answers and claims to the inbox, unreadable records to the dead letters.

One idempotent producer (acks=all). Nothing is given up: a record is sent until the broker acknowledged it. A
producer that broke for good is replaced; a repeat does no harm, as the fold ignores it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from executor.broker_clock import now_s
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.inbox import StepClaimed, StepFinished
from schemas.topics import DEAD_LETTERS, MESSAGE_BYTES_MAX, RUN_INBOX

log = logging.getLogger(__name__)

LINGER_MS = 2
RETRY_WAIT_S = 0.5


@dataclass(slots=True, eq=False)
class _Letter:
    topic: str
    key: bytes | None
    value: bytes
    acknowledged: "asyncio.Future[None]"


class Sender:
    """The executor's only way to write. Needs a running event loop."""

    def __init__(
        self,
        kafka: Mapping[str, Any],
        prefix: str,
        on_stamped: Callable[[float, int], None] = lambda sent_s, stamp_ms: None,
    ) -> None:
        """`on_stamped` is told when each record was sent (`now_s`) and what time the broker gave it (ms)."""
        self._kafka, self._prefix = kafka, prefix
        self._on_stamped = on_stamped
        self._producer: AIOKafkaProducer | None = None
        self._broken: AIOKafkaProducer | None = None
        self._queue: asyncio.Queue[_Letter] = asyncio.Queue()
        self._pending: dict[asyncio.Future[None], float] = {}
        self._pump: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect. Raises KafkaError where that fails."""
        self._producer = await self._connected()
        self._pump = asyncio.create_task(self._send_all())

    def send(self, record: StepClaimed | StepFinished) -> "asyncio.Future[None]":
        """Send to the inbox; done when the broker acknowledged it, cancelled if we stop before."""
        return self._post(RUN_INBOX.name, record.run_id.encode(), encode(record))

    def send_dead_letter(self, key: bytes | None, letter: DeadLetter) -> "asyncio.Future[None]":
        """Send to the dead letters, under the key of the record that nobody could read."""
        return self._post(DEAD_LETTERS.name, key, encode(letter))

    async def stop(self, timeout_s: float) -> None:
        """Wait that long for acknowledgements, then close; what is not acknowledged is cancelled."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=timeout_s)
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        for future in list(self._pending):
            future.cancel()
        if self._producer is not None:
            await _closed(self._producer)

    def oldest_s(self) -> float:
        """How long the oldest record that is not acknowledged has been waiting; 0 where none is."""
        return time.monotonic() - next(iter(self._pending.values())) if self._pending else 0.0

    def _post(self, topic: str, key: bytes | None, value: bytes) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending[future] = time.monotonic()
        future.add_done_callback(self._pending.pop)
        self._queue.put_nowait(_Letter(self._prefix + topic, key, value, future))
        return future

    async def _send_all(self) -> None:
        while True:
            letter = await self._queue.get()
            while not letter.acknowledged.done():
                producer = await self._working()
                sent_s = now_s()
                try:
                    delivery = await producer.send(letter.topic, letter.value, key=letter.key)
                except KafkaError as error:
                    self._failed(producer, error)
                    await asyncio.sleep(RETRY_WAIT_S)
                    continue
                delivery.add_done_callback(partial(self._delivered, producer, letter, sent_s))
                break

    def _delivered(
        self, producer: AIOKafkaProducer, letter: _Letter, sent_s: float, delivery: "asyncio.Future[Any]"
    ) -> None:
        error = asyncio.CancelledError() if delivery.cancelled() else delivery.exception()
        if letter.acknowledged.done():
            return
        if error is None:
            letter.acknowledged.set_result(None)
            self._on_stamped(sent_s, delivery.result().timestamp)
            return
        self._failed(producer, error)
        self._queue.put_nowait(letter)

    def _failed(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        """A producer says itself what passes; what it does not retry, another producer has to."""
        if producer is not self._broken:
            log.warning("a record was not accepted, it is sent again: %s", _said(error))
        if not getattr(error, "retriable", False):
            self._broken = producer

    async def _working(self) -> AIOKafkaProducer:
        while self._producer is None or self._producer is self._broken:
            try:
                fresh = await self._connected()
            except KafkaError as error:
                log.warning("cannot write to Kafka, trying again: %s", _said(error))
                await asyncio.sleep(RETRY_WAIT_S)
                continue
            if self._producer is not None:
                await _closed(self._producer)
            self._producer = fresh
        return self._producer

    async def _connected(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._kafka,
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            compression_type="lz4",
            max_batch_size=256 * 1024,
            max_request_size=MESSAGE_BYTES_MAX,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer


async def _closed(producer: AIOKafkaProducer) -> None:
    """Close a producer, whatever state it is in, without waiting for a broker that is away."""
    try:
        async with asyncio.timeout(2):
            await producer.stop()
    except (KafkaError, TimeoutError) as error:
        log.info("a producer did not close in order: %s", _said(error))


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
