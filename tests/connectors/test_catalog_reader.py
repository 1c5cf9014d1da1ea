"""The reader over a log that is told what to say, and over the real one."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from connectors.catalog_reader import PLACE, CatalogReader, Place
from connectors.errors import NotReachable, PermanentFailure
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topics_admin import create_topics, planned_topics
from engine.catalog import Catalog
from schemas.catalog import SwitchSet
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG


def switched(value: int) -> SwitchSet:
    return SwitchSet(actor="mira", at_ms=1, name="partitions", value=value)


@dataclass(frozen=True)
class Told:
    offset: int
    record: Record | MalformedMessage


@dataclass
class ToldLog:
    """A log in memory, with the faults it is told to have. Faults come first, one for each call."""

    entries: list[Told] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    added: asyncio.Event = field(default_factory=asyncio.Event)
    end: int | None = None

    def add(self, record: Record | MalformedMessage) -> None:
        self.entries.append(Told(len(self.entries), record))
        self.added.set()

    async def ends(self) -> dict[Place, int]:
        self._fail()
        return {PLACE: len(self.entries) if self.end is None else self.end} if self.entries else {}

    async def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int], /
    ) -> AsyncGenerator[list[Told], None]:
        for entry in self.entries[positions[PLACE] : until[PLACE]]:
            yield [entry]

    async def follow(self, positions: Mapping[Place, int], /) -> AsyncGenerator[list[Told], None]:
        self._fail()
        offset = positions[PLACE]
        while True:
            self.added.clear()
            if self.entries[offset:]:
                batch, offset = self.entries[offset:], len(self.entries)
                yield batch
            self._fail()
            await self.added.wait()

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


@asynccontextmanager
async def started(log: Any, **more: Any) -> AsyncIterator[CatalogReader]:
    reader = CatalogReader(log, **more, again_s=0.01)
    await reader.start()
    try:
        async with asyncio.timeout(20):
            yield reader
    finally:
        await reader.stop()


async def test_it_is_ready_when_the_present_end_was_read() -> None:
    log = ToldLog()
    log.add(switched(4))
    reader = CatalogReader(log)
    assert not reader.ready
    async with started(log) as reader:
        assert reader.ready
        assert reader.catalog.switch("partitions") == 4
        await reader.reached(1)


async def test_an_empty_catalog_is_ready_at_once() -> None:
    async with started(ToldLog()) as reader:
        assert reader.ready and reader.catalog.offset == 0


async def test_an_offset_without_a_record_at_the_end_counts_as_read() -> None:
    log = ToldLog(end=2)
    log.add(switched(4))
    async with started(log) as reader:
        await reader.reached(2)


async def test_whoever_waits_for_an_offset_is_woken_when_it_is_known_and_not_before() -> None:
    log = ToldLog()
    async with started(log) as reader:
        first, second = asyncio.create_task(reader.reached(1)), asyncio.create_task(reader.reached(2))
        log.add(switched(1))
        await first
        assert not second.done()
        log.add(switched(2))
        await second
        assert reader.catalog.switch("partitions") == 2


async def test_a_wait_that_was_given_up_disturbs_nobody() -> None:
    log = ToldLog()
    async with started(log) as reader:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await reader.reached(1)
        log.add(switched(1))
        await reader.reached(1)


async def test_every_later_change_is_told() -> None:
    log = ToldLog()
    log.add(switched(1))
    told: list[int] = []

    def tell(catalog: Catalog) -> None:
        told.append(catalog.switch("partitions"))

    async with started(log, on_change=tell) as reader:
        assert told == []
        log.add(switched(2))
        await reader.reached(2)
        log.add(switched(3))
        await reader.reached(3)
    assert told == [2, 3]


async def test_a_record_that_cannot_be_read_is_logged_and_passed(caplog: pytest.LogCaptureFixture) -> None:
    log = ToldLog()
    log.add(MalformedMessage("garbage"))
    with caplog.at_level(logging.WARNING):
        async with started(log) as reader:
            log.add(switched(2))
            await reader.reached(2)
            assert reader.catalog.switch("partitions") == 2
    assert [record.getMessage() for record in caplog.records] == ["catalog offset 0: record: garbage"]


async def test_an_outage_at_the_start_or_later_is_waited_out() -> None:
    log = ToldLog(faults=[NotReachable("away"), NotReachable("away")])
    log.add(switched(1))
    async with started(log) as reader:
        log.faults += [NotReachable("away"), PermanentFailure("no rights for a moment")]
        log.add(switched(2))
        await reader.reached(2)
        log.add(switched(3))
        await reader.reached(3)


async def test_a_topic_that_does_not_exist_stops_the_start() -> None:
    with pytest.raises(PermanentFailure, match="does not exist"):
        await CatalogReader(ToldLog(faults=[PermanentFailure("it does not exist")])).start()


async def test_nobody_waits_for_a_reader_that_broke(caplog: pytest.LogCaptureFixture) -> None:
    log = ToldLog()
    async with started(log) as reader:
        waiting = asyncio.create_task(reader.reached(5))
        await asyncio.sleep(0)
        log.faults.append(ZeroDivisionError())
        log.added.set()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(RuntimeError, match="not followed any more"):
            await reader.reached(5)
    assert "not followed any more" in caplog.text


@pytest.mark.kafka
async def test_changes_on_the_real_topic_arrive(kafka_servers: str, topic_prefix: str) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    planned = [one for one in planned_topics(topic_prefix, 1, 1) if one.name == topic_prefix + CATALOG.name]
    await create_topics(kafka, planned)
    log = EventLogReader(kafka, [CATALOG], topic_prefix)
    async with EventLogWriter(kafka, topic_prefix) as writer:
        await writer.send(Outgoing(CATALOG, "switch/partitions", switched(4)))
        async with started(log) as reader:
            assert reader.catalog.switch("partitions") == 4
            sent = await writer.send(Outgoing(CATALOG, "switch/partitions", switched(12)))
            await reader.reached(sent.offset + 1)
            assert reader.catalog.switch("partitions") == 12


@pytest.mark.kafka
async def test_a_missing_topic_is_named(kafka_servers: str, topic_prefix: str) -> None:
    log = EventLogReader({"bootstrap_servers": kafka_servers}, [CATALOG], topic_prefix)
    with pytest.raises(PermanentFailure, match=rf"{topic_prefix}catalog does not exist"):
        await CatalogReader(log).start()
