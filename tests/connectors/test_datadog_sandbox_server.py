"""The sandbox over real connections."""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest

from connectors.datadog import DatadogEvents
from connectors.datadog_sandbox import create_sandbox
from connectors.datadog_sandbox_server import PortBusy, serve_sandbox
from schemas.posting import EventToPost, Posted


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    app, port, stop = create_sandbox(tmp_path), free_port(), asyncio.Event()
    serving = asyncio.create_task(serve_sandbox(app, "127.0.0.1", port, stop))
    async with httpx.AsyncClient() as client:
        poster = DatadogEvents(client, f"http://127.0.0.1:{port}", "key")
        async with asyncio.timeout(5):
            while not isinstance(await poster.post(EventToPost(title="t", text="x")), Posted):
                await asyncio.sleep(0.05)
        page = await client.get(f"http://127.0.0.1:{port}/")
    assert "<h2>t</h2>" in page.text
    stop.set()
    async with asyncio.timeout(5):
        await serving
    app.close()


async def test_a_busy_port_is_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    app = create_sandbox(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortBusy, match="choose another port"):
            await serve_sandbox(app, "127.0.0.1", taken.getsockname()[1], asyncio.Event())
    app.close()
