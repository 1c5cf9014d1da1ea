"""Reads on in partitions that are about to be given back, for the grants of what was claimed there.

A grant that comes when the partition is somebody else's is seen by nobody who may use it: the step would end
as unknown though it never began. During a rebalance the consumer hands out nothing; this one is another.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

POLL_MS = 100


async def read_on(
    kafka: Mapping[str, Any],
    topic: str,
    starts: Mapping[int, int],
    take: Callable[[int, list[ConsumerRecord]], None],
    wanted: Callable[[], bool],
) -> None:
    """Hand over what lies from `starts` (partition to offset) on, for as long as it is `wanted`."""
    consumer = AIOKafkaConsumer(**kafka, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in starts])
        for partition, offset in starts.items():
            consumer.seek(TopicPartition(topic, partition), offset)
        while wanted():
            for tp, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
                take(tp.partition, records)
    finally:
        await consumer.stop()
