"""/healthz, /readyz and /metrics as a load balancer and Prometheus ask for them, over real sockets."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from connectors.health_server import REQUEST_BYTES_MAX, HealthServer, PortBusy


class Process:
    """A process that can lack things, with one metric."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.registry = CollectorRegistry()
        self.things = Counter("things", "Things.", registry=self.registry)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.server = HealthServer("127.0.0.1", self.port, lambda: self.missing, self.registry)


@pytest.fixture
async def process() -> AsyncIterator[Process]:
    made = Process()
    await made.server.start()
    yield made
    await made.server.stop()


async def get(process: Process, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.request(method, f"http://127.0.0.1:{process.port}{path}")


async def test_a_process_is_alive_whatever_it_lacks(process: Process) -> None:
    process.missing = ["no partitions are assigned"]
    assert (await get(process, "/healthz")).status_code == 200


async def test_ready_says_what_is_missing_and_turns_when_nothing_is(process: Process) -> None:
    process.missing = ["the tables are being recovered"]
    answer = await get(process, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "missing": ["the tables are being recovered"]}
    process.missing = []
    answer = await get(process, "/readyz?verbose=1")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


async def test_metrics_are_prometheus_text(process: Process) -> None:
    process.things.inc(3)
    answer = await get(process, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "things_total 3.0" in answer.text


async def test_other_paths_and_methods_are_refused(process: Process) -> None:
    assert (await get(process, "/")).status_code == 404
    assert (await get(process, "/healthz", "POST")).status_code == 405


@pytest.mark.parametrize("junk", [b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"G" * (REQUEST_BYTES_MAX * 3), b""])
async def test_garbage_on_the_port_disturbs_nobody(process: Process, junk: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(junk)
    writer.write_eof()
    await writer.drain()
    assert json.loads((await get(process, "/readyz")).text)["status"] == "ready"
    writer.close()
    await writer.wait_closed()


async def test_a_busy_port_is_one_sentence_with_the_way_out(process: Process) -> None:
    second = HealthServer("127.0.0.1", process.port, list, CollectorRegistry())
    with pytest.raises(PortBusy, match=f"port {process.port}.*PULSEBOOK_HEALTH_PORT"):
        await second.start()
