"""The sink on a real broker, in this process: it posts what the journal reports, and goes on where it was."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from connectors.partition_reader import PartitionReader
from connectors.topic_ids import topic_ids
from schemas.codec import decode
from schemas.posting import PostLater
from schemas.publications import Published
from schemas.topics import PUBLICATIONS, RUN_JOURNAL, TOPICS
from streams.app import Worker, create_sink
from streams.ending import EXIT_REFUSED, End, end_process
from streams.options import WorkerOptions
from streams.running import run
from tests.chaos.damage import make_again
from tests.streams.books import Followed
from tests.streams.cluster import PARTITIONS, World
from tests.streams.test_reporter import FakePoster, journal

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
async def world(kafka_servers: str, topic_prefix: str) -> AsyncIterator[World]:
    async with World(kafka_servers, topic_prefix) as world:
        world.answering = False
        yield world


class Running:
    """A sink that runs in this loop."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.asked = asyncio.Event()
        self.task = asyncio.create_task(run(worker, self.asked))

    async def ready(self) -> "Running":
        async with asyncio.timeout(30):
            while self.worker.missing():
                assert not self.task.done(), self.task
                await asyncio.sleep(0.02)
        return self

    async def stop(self) -> int:
        self.asked.set()
        return await asyncio.wait_for(self.task, 30)


async def sink(
    world: World,
    folder: Path,
    poster: FakePoster,
    end: End = end_process,
    catalog: Followed | None = None,
) -> Running:
    options = WorkerOptions(
        kafka=world.kafka,
        prefix=world.prefix,
        partitions=PARTITIONS,
        data_dir=folder,
        topic_ids=await topic_ids(world.kafka, [world.prefix + topic.name for topic in TOPICS]),
        session_timeout_s=6.0,
        heartbeat_s=1.0,
    )
    worker = create_sink(
        options,
        poster=poster,
        catalog=catalog or Followed(),
        journal=PartitionReader(world.kafka, RUN_JOURNAL, world.prefix),
        publications=PartitionReader(world.kafka, PUBLICATIONS, world.prefix),
        end=end,
    )
    return Running(worker)


async def posted(poster: FakePoster, number: int) -> None:
    async with asyncio.timeout(20):
        while len(poster.events) < number:
            await asyncio.sleep(0.02)


async def report(world: World, *run_ids: str) -> None:
    for run_id in run_ids:
        await world.send("run-journal", run_id, journal(run_id, 1, f"{run_id} is done"))


async def test_reports_are_posted_once_and_recorded_over_a_restart(world: World, tmp_path: Path) -> None:
    poster = FakePoster()
    running = await (await sink(world, tmp_path / "one", poster)).ready()
    await report(world, "r-1", "r-2", "r-3")
    await posted(poster, 3)
    assert await running.stop() == 0
    running = await (await sink(world, tmp_path / "another-disk", poster)).ready()
    await report(world, "r-3", "r-4")
    await posted(poster, 4)
    assert await running.stop() == 0
    assert sorted(poster.titles()) == [f"r-{number} is done" for number in (1, 2, 3, 4)]
    published = [decode(message.value) for message in await world.records("publications")]
    assert sorted(record.run_id for record in published if isinstance(record, Published)) == [
        "r-1",
        "r-2",
        "r-3",
        "r-4",
    ]


async def test_while_datadog_is_away_it_stays_alive_and_stops_in_time(world: World, tmp_path: Path) -> None:
    poster = FakePoster()
    poster.answers = [PostLater(None, "503", 503) for _ in range(100)]
    running = await (await sink(world, tmp_path / "data", poster)).ready()
    await report(world, *(f"r-{number}" for number in range(20)))
    await posted(poster, 3)
    assert running.worker.missing() == []
    assert await running.stop() == 0
    poster.answers.clear()
    running = await (await sink(world, tmp_path / "data", poster)).ready()
    async with asyncio.timeout(20):
        while len(await world.records("publications")) < 20:
            await asyncio.sleep(0.1)
    assert await running.stop() == 0
    assert len({event.title for event in poster.events}) == 20


async def test_a_journal_that_was_made_again_is_refused_with_the_reason(world: World, tmp_path: Path) -> None:
    poster, ended = FakePoster(), list[tuple[str, int]]()
    running = await (await sink(world, tmp_path / "one", poster)).ready()
    await report(world, "r-1", "r-2", "r-3")
    await posted(poster, 3)
    await asyncio.sleep(1.5)
    assert await running.stop() == 0
    await make_again(world.kafka, f"{world.prefix}run-journal", PARTITIONS)
    again = await sink(world, tmp_path / "another-disk", poster, cast(End, lambda *how: ended.append(how)))
    async with asyncio.timeout(30):
        while not ended:
            await asyncio.sleep(0.05)
    reason, code = ended[0]
    assert code == EXIT_REFUSED
    assert f"the topic {world.prefix}run-journal is not the one" in reason
    assert await again.stop() == 0
