"""How far a consumer group has come: what it has committed, and how many members it has. Joins nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka_errors import translated


@dataclass(frozen=True, slots=True)
class GroupOffsets:
    """A group as its coordinator tells it; one that nobody knows has neither offsets nor members.

    `offsets`: topic (without prefix) and partition to the next offset to be read.
    """

    offsets: Mapping[tuple[str, int], int]
    members: int


async def group_offsets(kafka: Mapping[str, Any], group: str, prefix: str) -> GroupOffsets:
    """Ask for one group. `kafka`: keyword arguments of an aiokafka client; `group`: its whole name.

    Raises NotReachable when Kafka does not answer, and PermanentFailure where it may not be asked.
    """
    client = AIOKafkaAdminClient(**kafka)
    try:
        with translated(f"asking Kafka at {kafka.get('bootstrap_servers')} how far {group} has come"):
            await client.start()
            committed = await client.list_consumer_group_offsets(group)
            described = await client.describe_consumer_groups([group])
    finally:
        await client.close()
    offsets = {
        (tp.topic.removeprefix(prefix), tp.partition): said.offset
        for tp, said in committed.items()
        if tp.topic.startswith(prefix) and said.offset >= 0
    }
    members = sum(len(each[5]) for answer in described for each in answer.groups)
    return GroupOffsets(offsets, members)
