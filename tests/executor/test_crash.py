"""An executor that is killed, stopped or cut off: what it had in hand is never wrongly repeated."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from connectors.actions.log import Log
from connectors.local_kafka import LocalKafka
from tests.executor.live import Live, live, until
from tests.executor.records import granted, requested

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
async def topics(kafka_servers: str, topic_prefix: str) -> AsyncIterator[Live]:
    async with live(kafka_servers, topic_prefix, partitions=1) as made:
        yield made


@asynccontextmanager
async def process(topics: Live, trace: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """An executor of its own; killed at the end."""
    command = (
        "-m",
        "tests.executor.executor_program",
        topics.servers,
        topics.prefix,
        "executor-1",
        str(trace),
    )
    started = await asyncio.create_subprocess_exec(sys.executable, *command)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGKILL)
        await started.wait()


def begun(trace: Path) -> list[str]:
    return trace.read_text().split() if trace.exists() else []


async def test_a_repeatable_step_runs_again_after_kill_9(topics: Live, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    async with process(topics, trace):
        await topics.write("r-1", requested(action="touch", arguments={"seconds": 60}))
        await until(lambda: begun(trace) == ["r-1"], "the step runs")
    await topics.write("r-2", requested(action="touch", arguments={}))
    async with process(topics, trace):
        [answer] = await topics.answers(1)
        assert answer.run_id == "r-2"
        await until(lambda: sorted(begun(trace)) == ["r-1", "r-1", "r-2"], "the first step runs again")


async def test_an_unrepeatable_step_is_claimed_and_not_started_again_after_kill_9(
    topics: Live, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    step = requested(action="touch", arguments={"seconds": 60}, repeatable=False)
    async with process(topics, trace):
        await topics.write("r-1", step)
        [claim] = await topics.claims(1)
        grant = msgspec.structs.replace(granted(), boot=claim.boot, booted_at_ms=claim.booted_at_ms)
        await topics.write("r-1", grant)
        await until(lambda: begun(trace) == ["r-1"], "the step runs")
    async with process(topics, trace):
        claims = await topics.claims(2)
        assert claims[1].booted_at_ms > claims[0].booted_at_ms
        await asyncio.sleep(1)
        assert begun(trace) == ["r-1"]


async def test_a_process_that_slept_through_its_grant_starts_nothing(topics: Live, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    async with process(topics, trace) as sleeper:
        await topics.write("r-1", requested(action="touch", arguments={}, repeatable=False))
        [claim] = await topics.claims(1)
        sleeper.send_signal(signal.SIGSTOP)
        until_ms = time.time_ns() // 1_000_000 + 2_000
        await topics.write("r-1", msgspec.structs.replace(granted(until_ms=until_ms), boot=claim.boot))
        await asyncio.sleep(2.5)
        sleeper.send_signal(signal.SIGCONT)
        await topics.write("r-2", requested(action="touch", arguments={}))
        await until(lambda: bool(begun(trace)), "the process works again")
        await asyncio.sleep(0.5)
        assert begun(trace) == ["r-2"]


async def test_a_broker_that_goes_away_is_reported_and_waited_for(
    tmp_path: Path, kafka_cache_dir: Path, topic_prefix: str
) -> None:
    broker = LocalKafka(tmp_path, kafka_cache_dir, lambda line: None)
    try:
        async with live(broker.start(), topic_prefix) as topics, topics.executor({"log": Log()}) as executor:
            signal_broker(broker, signal.SIGSTOP)
            await until(lambda: bool(executor.problems()), "it says that Kafka is away", 15)
            signal_broker(broker, signal.SIGCONT)
            await until(lambda: not executor.problems(), "it is ready again", 30)
            await topics.write("r-1", requested())
            assert len(await topics.answers(1)) == 1
    finally:
        broker.stop()


def signal_broker(broker: LocalKafka, number: signal.Signals) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, number)
