"""SIGTERM to each process while it is busy with what takes longer: it ends in time, with 0."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from connectors.topics_admin import create_topics, planned_topics
from schemas.admissions import Candidate
from schemas.codec import encode
from schemas.events import StepRequested
from schemas.fields import Record
from tests.e2e.machine import ROOT, eventually
from tests.executor.records import journal as step_journal
from tests.streams.test_reporter import journal as report_journal

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

STOP_WITHIN_S = 30.0
PARTITIONS = 2


class Silent:
    """A server that takes every connection, reads, and never answers."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._held.append(connection)
            connection.recv(65_536)
            self.asked.set()

    def close(self) -> None:
        for each in (self._server, *self._held):
            each.close()


class Started:
    """A process of a deployment, and how long it took to end."""

    def __init__(self, name: str, environment: dict[str, str], folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.log = folder / f"{name}.log"
        given = {"PULSEBOOK_HEALTH_PORT": self.port, "PULSEBOOK_WEB_PORT": self.port}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", name],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment, **{key: str(value) for key, value in given.items()}},
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def ended_within_s(self, began: float) -> float:
        """Seconds until its end, which must come in time and in good order."""
        code = self.process.wait(STOP_WITHIN_S + 10)
        took_s = time.monotonic() - began
        assert (code, "Traceback" in self.log.read_text()) == (0, False), self.log.read_text()
        return took_s


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


@pytest.fixture
def datadog() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


async def write(kafka: dict[str, str], prefix: str, topic: str, key: str, record: Record) -> None:
    async with AIOKafkaProducer(**kafka) as producer:
        await producer.send_and_wait(prefix + topic, encode(record), key=key.encode())


def long_step(url: str) -> StepRequested:
    now_ms = time.time_ns() // 1_000_000
    return StepRequested(
        step="restart",
        attempt=1,
        action="http.request",
        arguments={"url": url},
        repeatable=True,
        timeout_ms=300_000,
        start_by_ms=now_ms + 300_000,
        deadline_ms=now_ms + 600_000,
        idempotency_key="r-1/restart/1",
    )


async def test_each_process_ends_in_time_whatever_it_is_busy_with(
    kafka_servers: str, topic_prefix: str, tmp_path: Path, silent: Silent, datadog: Silent
) -> None:
    """The executor runs a step of minutes, Datadog never answers the sink, the processor waits for a catalog
    that never comes, a client of the web sends its body for ever.
    """
    kafka = {"bootstrap_servers": kafka_servers}
    await create_topics(kafka, planned_topics(topic_prefix, PARTITIONS, 1))
    environment = {
        "PULSEBOOK_KAFKA": kafka_servers,
        "PULSEBOOK_TOPIC_PREFIX": topic_prefix,
        "PULSEBOOK_PARTITIONS": str(PARTITIONS),
        "PULSEBOOK_REPLICATION": "1",
        "PULSEBOOK_DATA_DIR": str(tmp_path),
        "PULSEBOOK_AUTH": "off",
        "PULSEBOOK_DD_URL": datadog.url,
        "PULSEBOOK_DD_API_KEY": "any",
    }
    with ExitStack() as stack:
        processes = [
            Started(name, environment, tmp_path) for name in ("web", "processor", "executor", "sink")
        ]
        for each in processes:
            stack.callback(each.process.kill)
        for each in processes:
            await asyncio.to_thread(eventually, each.is_ready, 90.0)
        await write(kafka, topic_prefix, "run-journal", "r-1", step_journal(1, long_step(silent.url)))
        await write(kafka, topic_prefix, "run-journal", "r-2", report_journal("r-2", 1, "r-2 is done"))
        unknown = Candidate(
            request_id="c-1", playbook="demo", revision="0" * 64, catalog_offset=1_000_000, run_id="r-3"
        )
        await write(kafka, topic_prefix, "admissions", "demo", unknown)
        client = stack.enter_context(socket.create_connection(("127.0.0.1", processes[0].port)))
        client.sendall(b"POST /hooks/demo/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{")
        await asyncio.to_thread(eventually, lambda: silent.asked.is_set() and datadog.asked.is_set(), 30.0)
        await asyncio.sleep(1.0)

        began = time.monotonic()
        for each in processes:
            each.process.send_signal(signal.SIGTERM)
        took = await asyncio.gather(*(asyncio.to_thread(each.ended_within_s, began) for each in processes))

    seconds = dict(zip((each.name for each in processes), took, strict=True))
    assert max(seconds.values()) < STOP_WITHIN_S, seconds
