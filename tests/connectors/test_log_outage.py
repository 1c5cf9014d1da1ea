"""What the log's reader and writer do when the broker goes away and comes back."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from connectors.catalog_reader import CatalogReader
from connectors.errors import NotDurable, NotReachable
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.local_kafka import LocalKafka
from connectors.topics_admin import create_topics, planned_topics
from schemas.catalog import SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def broker(tmp_path: Path, kafka_cache_dir: Path) -> Iterator[LocalKafka]:
    broker = LocalKafka(tmp_path / "kafka", kafka_cache_dir)
    broker.start()
    yield broker
    broker.stop()


def switched(value: int) -> Outgoing:
    return Outgoing(CATALOG, "switch/n", SwitchSet(actor="mira", at_ms=1, name="n", value=value))


async def test_readers_go_on_after_a_restart_and_the_writer_says_what_was_not_durable(
    broker: LocalKafka,
) -> None:
    kafka = {"bootstrap_servers": broker.start()}
    planned = [topic for topic in planned_topics("p.", 1, 1) if topic.name == "p.catalog"]
    await create_topics(kafka, planned)
    log = EventLogReader(kafka, [CATALOG], "p.")
    catalog = CatalogReader(log)
    async with EventLogWriter(kafka, "p.", durable_within_s=3.0) as writer, asyncio.timeout(90):
        await catalog.start()
        await writer.send(switched(1))
        await catalog.reached(1)

        await asyncio.to_thread(broker.stop)
        with pytest.raises(NotDurable):
            await writer.send(switched(2))
        with pytest.raises(NotReachable):
            await log.ends()
        assert catalog.ready

        await asyncio.to_thread(broker.start)
        sent = await _once_it_works(writer, switched(3))
        await catalog.reached(sent + 1)
        assert catalog.catalog.switch("n") == 3
        await catalog.stop()

        async with aclosing(log.read()) as batches:
            records = [entry.record async for batch in batches for entry in batch]
    values = [record.value for record in records if isinstance(record, SwitchSet)]
    # What was refused may have become durable later (and was sent again then), but never out of order.
    assert values == sorted(values)
    assert {1, 3} <= set(values)
    assert values.count(1) == 1 and values.count(2) <= 1


async def _once_it_works(writer: EventLogWriter, outgoing: Outgoing) -> int:
    while True:
        try:
            return (await writer.send(outgoing)).offset
        except NotDurable:
            await asyncio.sleep(0.2)
