"""The health server answers, says what is missing, and survives whatever is sent to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from connectors.health_server import HEAD_BYTES_MAX, HealthServer


@pytest.fixture
def missing() -> list[str]:
    return []


@pytest.fixture
def broken() -> list[str]:
    return []


@pytest.fixture
async def server(missing: list[str], broken: list[str]) -> AsyncIterator[HealthServer]:
    registry = CollectorRegistry()
    Counter("pulsebook_inputs", "Messages.", registry=registry).inc(3)
    server = HealthServer("127.0.0.1", 0, lambda: missing, registry, lambda: broken)
    await server.start()
    yield server
    await server.stop()


async def get(server: HealthServer, path: str, method: str = "GET") -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        return await client.request(method, path)


async def test_a_process_that_lacks_nothing_is_healthy_and_ready(server: HealthServer) -> None:
    assert (await get(server, "/healthz")).json() == {"healthy": True, "missing": []}
    ready = await get(server, "/readyz?verbose=1")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "missing": []})


async def test_what_is_missing_is_said_and_makes_it_not_ready(
    server: HealthServer, missing: list[str], broken: list[str]
) -> None:
    missing.append("the tables are being recovered")
    ready = await get(server, "/readyz")
    assert (ready.status_code, ready.json()["missing"]) == (503, ["the tables are being recovered"])
    assert (await get(server, "/healthz")).status_code == 200
    broken.append("stuck")
    assert (await get(server, "/healthz")).status_code == 503


async def test_metrics_are_prometheus_text(server: HealthServer) -> None:
    metrics = await get(server, "/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert "pulsebook_inputs_total 3.0" in metrics.text


async def test_other_paths_and_methods_are_refused(server: HealthServer) -> None:
    assert (await get(server, "/")).status_code == 404
    assert (await get(server, "/healthz", "POST")).status_code == 405


async def test_head_has_the_headers_and_no_body(server: HealthServer) -> None:
    head = await get(server, "/healthz", "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("sent", [b"", b"garbage", b"\r\n\r\n", b"GET", b"x" * (HEAD_BYTES_MAX * 2)])
async def test_nonsense_disturbs_nobody(server: HealthServer, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with contextlib.suppress(ConnectionError):
        writer.write(sent)
        await writer.drain()
        writer.write_eof()
        await reader.read()
    writer.close()
    assert (await get(server, "/healthz")).status_code == 200


async def test_a_busy_port_is_an_error_at_the_start(server: HealthServer) -> None:
    second = HealthServer("127.0.0.1", server.port, list, CollectorRegistry())
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
