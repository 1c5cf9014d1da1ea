"""A schema registry that is away, with a real broker: alerts that need it wait, the others go on, and neither
a stop nor a rebalance waits for what waits.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.codec import encode
from tests.connectors.http_server import answer, http_server, says
from tests.streams.books import received
from tests.streams.cluster import Process, World

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SCHEMA = {"type": "record", "name": "x.Titled", "fields": [{"name": "title", "type": "string"}]}
FRAMED = b"\x00\x00\x00\x00\x07" + b"\x08disk"


@pytest.fixture
async def world(kafka_servers: str, topic_prefix: str) -> AsyncIterator[World]:
    async with World(kafka_servers, topic_prefix) as world:
        yield world


@pytest.fixture
def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def said(process: Process, words: str, within_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + within_s
    while words not in process.log.read_text():
        assert time.monotonic() < deadline_s, process.log.read_text()
        await asyncio.sleep(0.05)


async def test_alerts_wait_for_the_registry_and_nothing_else_does(
    world: World, kafka_servers: str, topic_prefix: str, tmp_path: Path, port: int
) -> None:
    registry = f"http://127.0.0.1:{port}"
    alerts = f"{world.prefix}alerts"
    first = await Process(kafka_servers, topic_prefix, tmp_path / "a", registry=registry).ready()
    try:
        await world.producer.send_and_wait(alerts, FRAMED, partition=0, headers=[("endpoint", b"demo")])
        for number in range(20):
            await world.producer.send_and_wait(alerts, encode(received(number)), partition=number % 2)
        await world.until(10)
        await said(first, "MISSING the schema registry does not answer")
        assert f"partition 0 of {alerts} is held at offset 0" in first.log.read_text()
        second = await Process(kafka_servers, topic_prefix, tmp_path / "b", registry=registry).ready()
        began_s = time.monotonic()
        assert await first.stop() == 0
        assert time.monotonic() - began_s < 15
        assert len(world.ended) == 10
        async with http_server(says(answer(200, json.dumps({"schema": json.dumps(SCHEMA)}).encode())), port):
            await world.until(21)
        assert await second.stop() == 0
    finally:
        for process in (first, second):
            process.close()
    assert await world.records("dead-letters") == []
    assert world.contradictions == []
    assert len(world.journal) == 21
