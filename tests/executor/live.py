"""An executor against a real broker: topics, a journal that the test writes, the inbox that it reads."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from prometheus_client import CollectorRegistry

from executor.config import ExecutorConfig
from executor.process import Executor
from schemas.actions import Action
from schemas.codec import decode, encode
from schemas.events import RunEvent
from schemas.fields import Record
from schemas.inbox import StepClaimed, StepFinished
from schemas.topics import DEAD_LETTERS, RUN_INBOX, RUN_JOURNAL
from tests.executor.records import journal

WAIT_S = 20


class Live:
    """The topics of one prefix, from a test's side."""

    def __init__(self, servers: str, prefix: str, partitions: int = 2) -> None:
        self.partitions = partitions
        self.servers = servers
        self.kafka = {"bootstrap_servers": servers}
        self.prefix = prefix
        self.producer = AIOKafkaProducer(**self.kafka)
        self._seqs: dict[str, int] = {}

    async def make_topics(self) -> None:
        admin = AIOKafkaAdminClient(**self.kafka)
        await admin.start()
        try:
            names = [self.prefix + topic.name for topic in (RUN_JOURNAL, RUN_INBOX, DEAD_LETTERS)]
            await admin.create_topics([NewTopic(name, self.partitions, 1) for name in names])
        finally:
            await admin.close()

    async def write(self, run_id: str, *events: RunEvent) -> None:
        """Add a record to the journal of a run."""
        self._seqs[run_id] = self._seqs.get(run_id, 0) + 1
        await self.write_raw(run_id, encode(journal(self._seqs[run_id], *events, run_id=run_id)))

    async def write_raw(self, run_id: str, value: bytes) -> None:
        await self.producer.send_and_wait(self.prefix + RUN_JOURNAL.name, value, key=run_id.encode())

    async def read(self, topic: str, count: int, wait_s: float = WAIT_S) -> list[Record]:
        """The records of a topic from its beginning: `count`, or fewer if no more come in time."""
        consumer = AIOKafkaConsumer(**self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([TopicPartition(self.prefix + topic, i) for i in range(self.partitions)])
            found: list[Record] = []
            try:
                async with asyncio.timeout(wait_s):
                    while len(found) < count:
                        for records in (await consumer.getmany(timeout_ms=200)).values():
                            found += [decode(record.value) for record in records]
            except TimeoutError:
                pass
            return found
        finally:
            await consumer.stop()

    async def answers(self, count: int, wait_s: float = WAIT_S) -> list[StepFinished]:
        """Waits for `count` records in the inbox and returns the answers among them."""
        return [
            record
            for record in await self.read("run-inbox", count, wait_s)
            if isinstance(record, StepFinished)
        ]

    async def claims(self, count: int, wait_s: float = WAIT_S) -> list[StepClaimed]:
        return [
            record
            for record in await self.read("run-inbox", count, wait_s)
            if isinstance(record, StepClaimed)
        ]

    @asynccontextmanager
    async def executor(
        self, actions: Mapping[str, Action], instance: str = "executor-1", **given: Any
    ) -> AsyncIterator[Executor]:
        """A running executor that is ready; stopped in order at the end."""
        config = quick_config(self.servers, self.prefix, instance, **given)
        executor = Executor(config, actions, lambda name: None, CollectorRegistry())
        task = asyncio.create_task(executor.run())
        try:
            await until(lambda: not executor.problems(), "the executor is ready")
            yield executor
        finally:
            executor.request_stop()
            async with asyncio.timeout(30):
                await task


def quick_config(servers: str, prefix: str, instance: str = "executor-1", **given: Any) -> ExecutorConfig:
    """A configuration whose intervals are short."""
    fields: dict[str, Any] = {
        "kafka": {"bootstrap_servers": servers},
        "prefix": prefix,
        "instance": instance,
        "commit_every_s": 0.1,
        "session_timeout_s": 6.0,
        "heartbeat_every_s": 0.5,
    }
    return ExecutorConfig(**(fields | given))


async def until(holds: Any, what: str, wait_s: float = WAIT_S) -> None:
    """Wait for a condition."""
    try:
        async with asyncio.timeout(wait_s):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {wait_s} s in vain until {what}") from None


@asynccontextmanager
async def live(servers: str, prefix: str, partitions: int = 2) -> AsyncIterator[Live]:
    """Topics and a producer for one test."""
    made = Live(servers, prefix, partitions)
    await made.make_topics()
    await made.producer.start()
    try:
        yield made
    finally:
        await made.producer.stop()
