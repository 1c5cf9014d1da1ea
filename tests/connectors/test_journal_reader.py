"""The journal of one run, for a row that is stale."""

import msgspec
import pytest

from connectors.event_log_writer import EventLogWriter
from connectors.journal_reader import JournalReader
from connectors.topics_admin import create_topics, planned_topics
from schemas.outgoing import Outgoing
from schemas.topics import RUN_JOURNAL
from tests.schemas.sample_events import journal

pytestmark = pytest.mark.kafka


async def test_repeats_are_dropped_but_not_those_that_contradict(
    kafka_servers: str, topic_prefix: str
) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    await create_topics(kafka, planned_topics(topic_prefix, 4, 1))
    third = journal()
    odd = msgspec.structs.replace(third, at_ms=third.at_ms + 1)
    second = msgspec.structs.replace(third, seq=2)
    async with EventLogWriter(kafka, topic_prefix) as writer:
        for record in (third, third, odd, second):
            await writer.send(Outgoing(RUN_JOURNAL, "run-1", record))
        await writer.send(Outgoing(RUN_JOURNAL, "run-2", odd))
    assert await JournalReader(kafka, topic_prefix).records_of("run-1") == [second, third, odd]
