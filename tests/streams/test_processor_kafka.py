"""The processor on a real broker: nothing is lost, doubled or contradicted when it is killed, stopped
or moved.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.admission.rows import PlaybookRow, decode_row
from schemas.admissions import CandidateCancelled
from schemas.codec import decode
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import RunFinished
from streams.ending import EXIT_BROKEN, EXIT_REFUSED
from streams.rows import payload_of
from tests.chaos.damage import forget_commits, make_again
from tests.streams.books import ONE_AT_A_TIME, finished, received
from tests.streams.cluster import PARTITIONS, Process, World

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

Start = Callable[..., Process]
ADMISSION_ROWS = "processor-admissions-changelog"


@pytest.fixture
async def world(kafka_servers: str, topic_prefix: str) -> AsyncIterator[World]:
    async with World(kafka_servers, topic_prefix) as world:
        yield world


@pytest.fixture
async def start(kafka_servers: str, topic_prefix: str, tmp_path: Path, world: World) -> AsyncIterator[Start]:
    made: list[Process] = []

    def process(folder: str = "data", instance: str | None = "a", *books: str) -> Process:
        made.append(Process(kafka_servers, topic_prefix, tmp_path / folder, instance, books))
        return made[-1]

    yield process
    for one in made:
        one.close()


async def test_killed_in_the_middle_and_started_again_it_loses_and_doubles_nothing(
    world: World, start: Start
) -> None:
    """Killed twice: once it finds its disk again, once it has to read everything from the changelogs."""
    process = await start().ready()
    await world.alert(0, 150)
    await world.until(20)
    await process.kill()
    process = await start().ready()
    await world.alert(150, 300)
    await world.until(170)
    await process.kill()
    process = await start("another-disk").ready()
    await world.until(300)
    assert await process.stop() == 0
    assert world.contradictions == []
    assert world.gaps() == []
    assert {len(log) for log in world.journal.values()} == {4}
    assert len(world.journal) == 300
    decided = [decode(message.value) for message in await world.records("decisions")]
    matched = {record.alert_id for record in decided if isinstance(record, AlertMatched)}
    started = {record.alert_id for record in decided if isinstance(record, AdmissionDecided)}
    assert matched == started == {received(number).alert_id for number in range(300)}
    assert await world.records("dead-letters") == []


async def test_a_worker_that_was_stopped_and_wakes_writes_nothing_and_ends(
    world: World, start: Start
) -> None:
    zombie = await start("a", instance="a").ready()
    await world.alert(0, 50)
    await world.until(10)
    zombie.signal(signal.SIGSTOP)
    heir = await start("b", instance="b").ready()
    await world.alert(50, 100)
    await world.until(100)
    zombie.signal(signal.SIGCONT)
    assert await zombie.ended(10) == EXIT_BROKEN
    assert "lease" in zombie.log.read_text()
    await world.alert(100, 120)
    await world.until(120)
    assert await heir.stop() == 0
    assert world.contradictions == []
    assert world.gaps() == []
    assert {len(log) for log in world.journal.values()} == {4}


async def test_timers_of_waiting_runs_fire_after_a_kill_also_on_another_disk(
    world: World, start: Start
) -> None:
    process = await start().ready()
    world.failing_first = True
    await world.alert(0, 10)
    while sum(map(len, world.journal.values())) < 20:
        await asyncio.sleep(0.02)
    await process.kill()
    process = await start("another-disk").ready()
    await world.until(10)
    assert await process.stop() == 0
    assert world.contradictions == []
    assert world.gaps() == []
    assert {len(log) for log in world.journal.values()} == {10}


async def test_what_waits_in_the_queue_is_cancelled_and_what_just_started_is_stopped(
    world: World, start: Start
) -> None:
    """Also when the processor is killed and reads the cancels again on a new disk."""
    world.answering = False
    process = await start("data", "a", ONE_AT_A_TIME).ready()
    await world.alert(0, 3)

    async def decided() -> list[tuple[str, str, str]]:
        records = [decode(message.value) for message in await world.records("decisions")]
        return [(one.run_id, one.decision, one.rule) for one in records if isinstance(one, AdmissionDecided)]

    while len(found := await decided()) < 3:
        await asyncio.sleep(0.1)
    (active,) = (run_id for run_id, decision, _ in found if decision == "started")
    first, second = (run_id for run_id, decision, _ in found if decision == "queued")
    for run_id in (first, active):
        cancelled = CandidateCancelled(playbook="demo", run_id=run_id, actor="mira", reason="over")
        await world.send("admissions", "demo", cancelled)
    await process.kill()
    process = await start("another-disk", "a", ONE_AT_A_TIME).ready()
    world.answering = True
    await world.until(1)
    while (second, "started", "max_running") not in (found := await decided()):
        await asyncio.sleep(0.1)

    assert (first, "dropped", "cancelled") in found
    assert first not in world.journal
    ends = [
        event
        for value in world.journal[active].values()
        for event in decode(value).events  # type: ignore[attr-defined]  # a journal record
        if isinstance(event, RunFinished)
    ]
    assert [(end.status, end.message) for end in ends] == [("cancelled", "cancelled by mira: over")]
    assert await process.stop() == 0
    assert world.contradictions == []


async def test_while_its_tables_are_recovered_it_says_that_it_is_not_ready(
    world: World, start: Start
) -> None:
    process = await start().ready()
    await world.alert(0, 20)
    await world.until(20)
    assert await process.stop() == 0
    process = await start("another-disk").ready()
    before, _, _ = process.log.read_text().partition("READY")
    assert "MISSING the tables are being recovered" in before
    assert await process.stop() == 0


async def test_without_its_commits_it_goes_on_from_the_watermarks(world: World, start: Start) -> None:
    process = await start(instance=None).ready()
    await world.alert(0, 20)
    await world.until(20)
    await asyncio.sleep(1.5)
    assert await process.stop() == 0
    await forget_commits(world.kafka, f"{world.prefix}processor")
    inputs = {topic: len(await world.records(topic)) for topic in ("decisions", "run-inbox", "run-journal")}
    process = await start(instance=None).ready()
    await world.alert(20, 21)
    await world.until(21)
    assert await process.stop() == 0
    grown = {topic: len(await world.records(topic)) - before for topic, before in inputs.items()}
    assert grown == {"decisions": 2, "run-inbox": 4, "run-journal": 4}
    assert world.repeats == 0


@pytest.mark.parametrize("topic", ["alerts", "catalog", "admissions", "run-inbox", "run-journal"])
async def test_a_topic_that_was_made_again_is_refused_with_the_reason(
    world: World, start: Start, topic: str
) -> None:
    """Topics of inputs, and those that rows go by: the catalog, and the journal of what is in them."""
    process = await start(instance=None).ready()
    await world.alert(0, 3)
    await world.until(3)
    await asyncio.sleep(1.5)
    assert await process.stop() == 0
    await make_again(world.kafka, f"{world.prefix}{topic}", 1 if topic == "catalog" else PARTITIONS)
    process = start(instance=None)
    assert await process.ended() == EXIT_REFUSED
    said = process.log.read_text()
    assert f"the topic {world.prefix}{topic} is not the one" in said
    assert "deleted and made again" in said


async def test_a_second_worker_takes_its_share_and_gives_it_back(world: World, start: Start) -> None:
    first = await start("a", instance=None).ready()
    await world.alert(0, 40)
    second = await start("b", instance=None).ready()
    await world.alert(40, 80)
    await world.until(80)
    assert await first.stop() == 0
    await world.alert(80, 100)
    await world.until(100)
    assert await second.stop() == 0
    assert world.contradictions == []
    assert world.gaps() == []


async def test_garbage_on_every_topic_disturbs_nothing_else(world: World, start: Start) -> None:
    process = await start(instance=None).ready()
    for topic in ("alerts", "admissions", "run-inbox"):
        for value in (b"garbage", b"\xc3\x01truncated", b""):
            await world.producer.send_and_wait(f"{world.prefix}{topic}", value, key=b"k")
    await world.send("run-inbox", "r-unknown", finished("r-unknown", "one", 4))
    await world.alert(0, 5)
    await world.until(5)
    assert await process.stop() == 0
    assert len(await world.records("dead-letters")) == 9


async def test_rows_of_admission_that_a_zombie_left_behind_are_made_again_from_their_topic(
    world: World, start: Start
) -> None:
    """Compaction has kept what a worker without the partition wrote last, and the disk is gone."""
    process = await start(instance=None).ready()
    await world.alert(0, 5)
    await world.until(5)
    await asyncio.sleep(2)
    assert await process.stop() == 0
    rows = [row for row in await world.records(ADMISSION_ROWS) if row.key == b"demo"]
    stale, right = rows[0], rows[-1]
    assert running(stale.value) == 1 and running(right.value) == 0
    for value in (None, stale.value):
        await world.producer.send_and_wait(right.topic, value, key=b"demo", partition=right.partition)
    process = await start("another-disk", instance=None).ready()
    rows = [row for row in await world.records(ADMISSION_ROWS) if row.key == b"demo"]
    assert rows[-1].value == right.value
    await world.alert(0, 6)
    await world.until(6)
    assert await process.stop() == 0
    assert "made again from admissions, 1 were not right" in process.log.read_text()
    assert world.contradictions == []
    assert len(world.journal) == 6


def running(row: bytes) -> int:
    """Slots in use, by a playbook's row as it lies in the changelog."""
    found = decode_row(payload_of(row))
    assert isinstance(found, PlaybookRow)
    return found.running
