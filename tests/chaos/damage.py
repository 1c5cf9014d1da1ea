"""What an operator, or bad luck, may do to Kafka and to disks while nobody looks."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.protocol.admin import DeleteGroupsRequest


async def forget_commits(kafka: Mapping[str, Any], group: str) -> None:
    """Delete a consumer group, as an operator might, or as the broker does after a week."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        node = await admin.find_coordinator(group)
        answer = await admin._send_request_to_node(node, DeleteGroupsRequest([group]))
        assert [code for _, code in answer.results] == [0], answer
    finally:
        await admin.close()


async def empty_topic(kafka: Mapping[str, Any], topic: str, partitions: int) -> None:
    """Delete all records of a topic; the topic and its offsets stay."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    consumer = AIOKafkaConsumer(**kafka)
    admin = AIOKafkaAdminClient(**kafka)
    await consumer.start()
    await admin.start()
    try:
        ends = await consumer.end_offsets(places)
        await admin.delete_records({tp: RecordsToDelete(before_offset=ends[tp]) for tp in places})
    finally:
        await consumer.stop()
        await admin.close()


async def make_again(kafka: Mapping[str, Any], topic: str, partitions: int) -> None:
    """Delete a topic and make it anew under its name."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        await asyncio.sleep(1)
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


def truncate_database(folder: Path) -> list[str]:
    """Cut every data file of the RocksDBs below a folder in half; their names."""
    cut = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".log", ".sst") and path.stat().st_size > 0:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size // 2)
            cut.append(path.name)
    return cut


def delete_manifests(folder: Path) -> list[str]:
    """Delete what tells RocksDB which files it has; their names."""
    gone = [path for path in sorted(folder.rglob("*")) if path.name.startswith(("MANIFEST", "CURRENT"))]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]
