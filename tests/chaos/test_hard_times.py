"""Poison on every topic, a storm on one key, disks that are full, clocks that are wrong."""

import asyncio
import resource
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from schemas.admissions import Candidate
from schemas.codec import encode
from schemas.ids import run_id
from schemas.inbox import StepFinished, TimerFired
from streams.ending import EXIT_BROKEN
from tests.chaos.bench import Bench, bench
from tests.chaos.broker import Broker
from tests.chaos.world import World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 5
ALERTS, OVER_S = 30, 4.0
STORM = 400
CLOCK = Path(__file__).parent / "clock"
HOUR_S = 3_600
WITH_CLOCKS = ("processor-a", "executor-a", "sink-a", "web-a")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("hard"))
    async with bench(World(folder, chaos_broker.servers, f"h{uuid4().hex[:8]}."), SEED) as made:
        yield made


def poison() -> list[tuple[str, bytes, bytes]]:
    """Topic, key, value: bytes that are no record, records that are not of this topic, or under another's
    key, or about what there is not.
    """
    finished = StepFinished(run_id="r-nobody", step="act", attempt=1, answers_seq=4, status="succeeded")
    unknown = Candidate(
        request_id="a-nobody",
        playbook="mixed",
        revision="0" * 64,
        catalog_offset=0,
        run_id=run_id("mixed", "a-nobody"),
    )
    garbage = [
        (topic, b"key", value)
        for topic in ("admissions", "run-inbox", "run-journal")
        for value in (b"\x8fgarbage", b"\xc3\x01cut", b"")
    ]
    return [
        *garbage,
        ("run-inbox", b"another-run", encode(finished)),
        ("run-inbox", b"r-nobody", encode(finished)),
        ("run-inbox", b"r-nobody", encode(TimerFired(row="r-nobody", timer="timeout", due_ms=1))),
        ("run-inbox", b"mixed", encode(unknown)),
        ("run-journal", b"r-nobody", encode(finished)),
        ("admissions", b"mixed", encode(finished)),
        ("admissions", b"another", encode(unknown)),
        ("admissions", b"mixed", encode(unknown)),
        ("admissions", b"mixed", encode(TimerFired(row="mixed@r-nobody", timer="slot", due_ms=1))),
    ]


async def test_poison_on_every_topic_stops_nothing_and_is_buried_with_a_reason(one_of_each: Bench) -> None:
    world = one_of_each.world

    async def pour() -> None:
        producer = AIOKafkaProducer(**world.kafka)
        await producer.start()
        for topic, key, value in poison():
            await producer.send_and_wait(f"{world.prefix}{topic}", value, key=key)
        await producer.stop()

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=pour)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert outcome.unknown == []


async def test_a_storm_on_one_key_starts_one_run_at_a_time_and_decides_about_every_alert(
    one_of_each: Bench,
) -> None:
    before = len(one_of_each.following.ended)
    outcome = await one_of_each.trial(STORM, 2.0, only="skips")
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert 1 <= len(one_of_each.following.ended) - before < STORM / 4


async def test_a_full_disk_ends_a_worker_before_it_loses_anything(one_of_each: Bench) -> None:
    """No file may grow any more, as on a full disk; whoever starts it again has made room."""
    world = one_of_each.world

    async def fill() -> None:
        await asyncio.sleep(1.0)
        for name in ("processor-a", "sink-a"):
            process = world.workers[name].process
            assert process is not None
            psutil.Process(process.pid).rlimit(resource.RLIMIT_FSIZE, (1, 1))

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=fill)
    assert outcome.violations == []
    assert sorted(outcome.unplanned) == [
        f"{name} ended by itself with {EXIT_BROKEN}" for name in ("processor-a", "sink-a")
    ]


@pytest.mark.parametrize("shift_s", [HOUR_S, -HOUR_S])
async def test_clocks_that_are_an_hour_off_change_nothing(one_of_each: Bench, shift_s: int) -> None:
    """Times are the broker's: steps start, retries come, reports arrive as ever."""
    world = one_of_each.world
    await world.stop(*WITH_CLOCKS)
    for name in WITH_CLOCKS:
        world.workers[name].environment |= {"CHAOS_CLOCK_SHIFT_S": str(shift_s), "PYTHONPATH": str(CLOCK)}
    world.allow(*WITH_CLOCKS)
    await world.ready()

    async def fail_for_a_while() -> None:
        one_of_each.target.moody_only = ("PUT",)
        one_of_each.target.take_on("failing")
        await asyncio.sleep(2.0)
        one_of_each.target.take_on("well")

    failures = len(one_of_each.following.failures)
    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=fail_for_a_while, within_s=30)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert set(one_of_each.following.failures[failures:]) == {"bad_input"}
    assert outcome.settled_s < 15
