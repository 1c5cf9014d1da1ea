"""L3 and L4: a flush that returns too early, and a failed send that nobody notices; and the lease of a
sender.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import faust
import pytest
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.structs import TopicPartition
from faust.exceptions import ProducerSendError
from faust.transport.drivers.aiokafka import Producer as UpstreamProducer
from faust.transport.producer import ProducerBuffer
from faust.types.tuples import FutureMessage, PendingMessage

from streams.ending import EXIT_BROKEN
from streams.hardened.producer import LeasedProducer, LeasedSender, StrictBuffer, StrictProducer
from streams.lease import Lease
from tests.streams.hardened.bench import Ended, ended, hardened_app

BOTH = pytest.mark.parametrize("ours", [False, True], ids=["upstream", "ours"])


class SlowChannel:
    """Takes its time to hand a message on, as a topic does whose producer is busy."""

    def __init__(self) -> None:
        self.published = 0

    async def publish_message(self, message: Any, wait: bool) -> None:
        await asyncio.sleep(0.15)
        self.published += 1


def queued(channel: SlowChannel) -> FutureMessage:
    fields: list[Any] = [channel, b"k", b"v", *[None] * 6]
    return FutureMessage(PendingMessage(*fields))


@pytest.fixture
async def app() -> faust.App:
    return faust.App("app", broker="kafka://127.0.0.1:1")


async def test_l3_upstream_returns_from_a_flush_with_messages_unsent(app: faust.App) -> None:
    assert await _published_after_flush(ProducerBuffer(), app) < 3


async def test_l3_ours_returns_when_all_is_sent(app: faust.App) -> None:
    assert await _published_after_flush(StrictBuffer(), app) == 3


async def _published_after_flush(buffer: ProducerBuffer, app: faust.App) -> int:
    buffer.app = app
    channel = SlowChannel()
    await buffer.start()
    for _ in range(3):
        buffer.put(queued(channel))
    await buffer.flush()
    published = channel.published
    buffer.flush = _nothing  # type: ignore[method-assign]  # stopping flushes again
    await buffer.stop()
    return published


async def _nothing() -> None:
    """Stands for a flush."""


async def test_l3_ours_waits_while_too_many_are_queued(app: faust.App) -> None:
    buffer, channel = StrictBuffer(), SlowChannel()
    buffer.app = app
    await buffer.start()
    for _ in range(4):
        buffer.put(queued(channel))
    await buffer.flush_atmost(1)
    assert buffer.size <= 1
    await buffer.flush()
    await buffer.stop()


class Refusing:
    """A producer of aiokafka's whose broker takes nothing."""

    async def send(self, topic: str, *_: Any, **__: Any) -> asyncio.Future[None]:
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_exception(MessageSizeTooLargeError("too large"))
        return sent

    async def put(self, topic: str, *_: Any) -> asyncio.Future[None]:
        return await self.send(topic)

    async def flush(self) -> None:
        """aiokafka's flush does not care what came of it."""


@BOTH
async def test_l4_after_a_failed_send_no_flush_succeeds(ours: bool) -> None:
    reasons: list[str] = []
    app: Any = hardened_app(end=lambda reason, code: reasons.append(reason)) if ours else None
    app = app or faust.App("app", broker="kafka://127.0.0.1:1")
    producer = app.producer
    producer._producer = Refusing()
    sent = await producer.send("t", b"k", b"v", None, None, None)
    await asyncio.wait([sent])
    if ours:
        with pytest.raises(ProducerSendError, match="not taken by the broker"):
            await producer.flush()
        assert len(reasons) == 1 and "too large" in reasons[0]
    else:
        await producer.flush()


async def test_l4_a_failed_put_ends_the_process() -> None:
    reasons: list[str] = []
    app: Any = hardened_app(end=lambda reason, code: reasons.append(reason))
    app.producer._producer = Refusing()
    await asyncio.wait([await app.strict_producer.put("t", b"k", b"v")])
    await asyncio.sleep(0)
    assert reasons == ["a record was not taken by the broker: MessageSizeTooLargeError('too large')"]


async def test_ours_is_idempotent_and_waits_for_all_replicas_upstream_is_not() -> None:
    upstream: Any = faust.App("app", broker="kafka://127.0.0.1:1").producer
    ours: Any = hardened_app().producer
    assert isinstance(upstream, UpstreamProducer) and not isinstance(upstream, StrictProducer)
    assert "enable_idempotence" not in upstream._settings_extra()
    assert ours._settings_extra()["enable_idempotence"] is True
    assert ours._settings_extra()["acks"] == "all"


@pytest.fixture
async def lapsed() -> Lease:
    times = iter([0.0])
    lease = Lease(10.0, clock=lambda: next(times, 1_000.0), end=ended)
    lease.assigned()
    return lease


@pytest.fixture
async def producer(lapsed: Lease) -> AsyncIterator[Any]:
    producer = LeasedProducer(
        lease=lapsed, acks="all", enable_idempotence=True, bootstrap_servers="127.0.0.1:1"
    )
    yield producer
    producer._closed = True


async def test_a_stopped_process_that_wakes_sends_nothing_of_what_it_had_gathered(producer: Any) -> None:
    assert isinstance(producer._sender, LeasedSender)
    with pytest.raises(Ended, match="the lease has lapsed"):
        await producer._sender._send_produce_req(1, {TopicPartition("t", 0): None})


async def test_the_code_of_a_broken_process_is_that_of_broken_software() -> None:
    assert EXIT_BROKEN == 70
