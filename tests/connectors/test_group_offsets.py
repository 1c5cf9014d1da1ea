"""How far a group has come, asked of a real coordinator."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from connectors.errors import NotReachable
from connectors.group_offsets import group_offsets
from connectors.topics_admin import create_topics, planned_topics


@pytest.mark.kafka
async def test_what_was_committed_is_told_without_prefix_and_members_are_counted(
    kafka_servers: str, topic_prefix: str
) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    await create_topics(kafka, planned_topics(topic_prefix, 2, 1))
    group = f"{topic_prefix}processor"
    assert (await group_offsets(kafka, group, topic_prefix)).members == 0
    consumer = AIOKafkaConsumer(f"{topic_prefix}alerts", **kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    await consumer.commit({TopicPartition(f"{topic_prefix}alerts", 1): OffsetAndMetadata(0, "")})
    found = await group_offsets(kafka, group, topic_prefix)
    assert (dict(found.offsets), found.members) == ({("alerts", 1): 0}, 1)
    await consumer.stop()
    left = await group_offsets(kafka, group, topic_prefix)
    assert (dict(left.offsets), left.members) == ({("alerts", 1): 0}, 0)


async def test_a_kafka_that_is_not_there_is_named() -> None:
    with pytest.raises(NotReachable, match=r"127\.0\.0\.1:1"):
        await group_offsets({"bootstrap_servers": "127.0.0.1:1"}, "nobody", "p.")
