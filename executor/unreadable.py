"""The dead letter of a journal record that the executor cannot read."""

from aiokafka.structs import ConsumerRecord

from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetter
from schemas.topics import RUN_JOURNAL


def unreadable(partition: int, message: ConsumerRecord, reason: str) -> DeadLetter:
    """What it was and what is wrong with it."""
    return DeadLetter(
        topic=RUN_JOURNAL.name,
        partition=partition,
        offset=message.offset,
        at_ms=message.timestamp,
        key=message.key,
        value=message.value and message.value[:VALUE_BYTES_MAX],
        headers=dict(message.headers),
        stage="executor",
        reason=reason,
    )
