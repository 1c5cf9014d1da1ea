"""The workers of an audit: one that dies or fails ends it; closing ends them all."""

import asyncio
import dataclasses
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from audit.verify.frame import Frame
from audit.verify.work import Part
from cli.audit_crew import ENDS_WITHIN_S, Crew, WorkerFailed
from settings import Settings

FRAME = Frame(bounds={}, ends={}, settled={}, begins_ms={}, now_ms=0, buckets=1)


@pytest.fixture
def nowhere() -> Settings:
    """Settings of a Kafka that nobody answers for."""
    return dataclasses.replace(Settings(), kafka="127.0.0.1:1")


async def work(crew: Crew, *parts: Part) -> int:
    count = 0
    async for _ in crew.work(parts, FRAME):
        count += 1
    return count


async def test_parts_are_handed_out_until_all_are_done(nowhere: Settings, tmp_path: Path) -> None:
    crew = Crew(nowhere, tmp_path, 2, lambda count: None)
    try:
        assert await work(crew, *(Part("join", number=number) for number in range(9))) == 9
    finally:
        crew.close()
    assert not any(process.is_alive() for process, _ in crew._all)


async def test_a_worker_that_cannot_do_its_part_says_why(nowhere: Settings, tmp_path: Path) -> None:
    crew = Crew(nowhere, tmp_path, 1, lambda count: None)
    try:
        with pytest.raises(WorkerFailed, match=r"catalog /0: .*127\.0\.0\.1:1"):
            await work(crew, Part("catalog"))
    finally:
        crew.close()


async def test_a_worker_that_dies_is_no_pass(nowhere: Settings, tmp_path: Path) -> None:
    crew = Crew(nowhere, tmp_path, 1, lambda count: None)
    try:
        assert await work(crew, Part("join")) == 1
        (pid,) = [process.pid for process, _ in crew._all]
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        with pytest.raises(WorkerFailed, match="died"):
            await work(crew, Part("join"))
    finally:
        crew.close()


async def test_whoever_gives_up_ends_workers_that_are_in_the_middle_of_something(tmp_path: Path) -> None:
    with socket.socket() as mute:  # a Kafka that takes connections and never answers
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        settings = dataclasses.replace(Settings(), kafka=f"127.0.0.1:{mute.getsockname()[1]}")
        crew = Crew(settings, tmp_path, 2, lambda count: None)
        working = asyncio.create_task(work(crew, Part("catalog"), Part("catalog")))
        await asyncio.sleep(2.0)
        assert not working.done()
        working.cancel()
        await asyncio.wait([working])
        began_s = time.monotonic()
        crew.close()
    assert time.monotonic() - began_s < ENDS_WITHIN_S
    assert not any(process.is_alive() for process, _ in crew._all)
