"""A partition is read again from wherever it is still kept, for whoever makes rows anew."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from connectors.event_log_writer import EventLogWriter
from connectors.partition_reader import PartitionReader
from connectors.topics_admin import create_topics, planned_topics
from schemas.catalog import SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG

pytestmark = pytest.mark.kafka


async def test_what_is_kept_of_a_partition_is_read_in_order(kafka_servers: str, topic_prefix: str) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    await create_topics(kafka, planned_topics(topic_prefix, 1, 1))
    reader = PartitionReader(kafka, CATALOG, topic_prefix)
    assert await reader.bounds(0) == (0, 0)
    assert [one async for one in reader.read(0, 0, 0)] == []
    async with EventLogWriter(kafka, topic_prefix) as writer:
        sent = [
            await writer.send(Outgoing(CATALOG, "k", SwitchSet(name="n", value=n, actor="a", at_ms=n)))
            for n in range(5)
        ]
    assert await offsets(reader, 0, 5) == [0, 1, 2, 3, 4]
    assert await offsets(reader, 2, 4) == [2, 3]
    assert await reader.offset_at(0, sent[0].at_ms) == 0
    assert await reader.offset_at(0, sent[4].at_ms + 1) == 5

    await forget(kafka, f"{topic_prefix}catalog", 3)

    assert await reader.bounds(0) == (3, 5)
    assert await offsets(reader, 0, 5) == [3, 4]
    assert await offsets(reader, 0, 3) == []


async def offsets(reader: PartitionReader, since: int, until: int) -> list[int]:
    return [one.offset async for batch in reader.read(0, since, until) for one in batch]


async def forget(kafka: dict[str, str], topic: str, before: int) -> None:
    """Let the broker delete what is older, as retention does."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()
