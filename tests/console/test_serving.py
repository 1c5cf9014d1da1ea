"""The process as it serves: real sockets, live streams, slow clients, a stop in order."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from console import http_bounds
from console.serving import Address, PortBusy, listen, serve
from schemas.topics import ALERTS, DECISIONS, RUN_JOURNAL
from tests.console.conftest import TOKEN, Web
from tests.console.samples import ALERT, RUN, STARTED, WHOLE_RUN, decided, journal


@dataclass(frozen=True, slots=True)
class Served:
    """A web process that listens."""

    web: Web
    port: int
    stop: asyncio.Event
    serving: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
async def served(web: Web) -> AsyncIterator[Served]:
    await web.model.stop()  # the served application starts and stops one of its own
    listener = listen(Address("127.0.0.1", 0))
    from console.app import create_web
    from console.read_model.model import ReadModel

    model = ReadModel(web.model._path, web.log, {})
    app = create_web(
        web.parts.settings,
        writer=web.log,
        catalog=web.catalog,
        read_model=model,
        archive=web.log,
        actions=web.parts.actions,
    )
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(app, listener, stop))
    port = listener.getsockname()[1]
    made = Served(Web(app, web.log, web.catalog, model, web.client), port, stop, serving)
    async with asyncio.timeout(5):
        while not model.state.caught_up:
            await asyncio.sleep(0.01)
    yield made
    stop.set()
    await serving


async def spoken(port: int, sent: bytes, *, then: float = 0.0) -> bytes:
    """What the server answers to these bytes until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await writer.drain()
    await asyncio.sleep(then)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


async def events_of(
    served: Served, path: str, found: list[tuple[str, str, Any]] | None = None, last_event: str = ""
) -> list[tuple[str, str, Any]]:
    """Server-Sent Events until the stream ends: (event, id, data). `found`: where they are gathered."""
    found = [] if found is None else found
    headers = {"Last-Event-ID": last_event} if last_event else {}
    event, number, data = "", "", ""
    async with (
        httpx.AsyncClient(base_url=served.url, timeout=10, headers=headers) as client,
        client.stream("GET", path) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("id: "):
                number = line[4:]
            elif line.startswith("data: "):
                data += line[6:]
            elif not line and data:
                found.append((event, number, json.loads(data)))
                event, number, data = "", "", ""
    return found


async def test_a_run_is_followed_live_from_its_request_to_its_end(served: Served) -> None:
    found: list[tuple[str, str, Any]] = []

    async def live() -> None:
        for told, (topic, key, record) in enumerate(
            (
                (DECISIONS, ALERT, decided("queued")),
                (RUN_JOURNAL, RUN, WHOLE_RUN[0]),
                (RUN_JOURNAL, RUN, WHOLE_RUN[1]),
            ),
            start=1,
        ):
            while len(found) < told:  # of what is there already the stream would tell once only
                await asyncio.sleep(0.01)
            await served.web.log.write(topic, key, record)

    living = asyncio.create_task(live())
    async with asyncio.timeout(30):
        await events_of(served, f"/api/v1/runs/{RUN}/stream", found)
        await living

    assert [(event, number) for event, number, _ in found] == [
        ("status", ""),
        ("status", ""),
        ("record", "1"),
        ("record", "2"),
        ("end", ""),
    ]
    assert [data["status"] for event, _, data in found if event != "record"] == [
        "unknown",
        "queued",
        "succeeded",
    ]
    records = [data for event, _, data in found if event == "record"]
    assert records[0]["events"][0]["type"] == "RunStarted"


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(served: Served) -> None:
    await served.web.log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)

    found = await events_of(served, f"/api/v1/runs/{RUN}/stream", last_event="1")

    assert [(event, number) for event, number, _ in found] == [("record", "2"), ("end", "")]


async def test_a_stream_that_its_client_left_is_watched_no_more(served: Served) -> None:
    await served.web.log.write(RUN_JOURNAL, RUN, journal(1, STARTED))
    async with (
        httpx.AsyncClient(base_url=served.url, timeout=10) as client,
        client.stream("GET", f"/api/v1/runs/{RUN}/stream") as answer,
    ):
        await anext(answer.aiter_lines())
        assert len(served.web.model.watchers) == 1

    async with asyncio.timeout(5):
        while len(served.web.model.watchers):
            await asyncio.sleep(0.02)


async def test_a_stop_ends_streams_and_waits_at_once_and_finishes_what_is_under_way(served: Served) -> None:
    await served.web.log.write(RUN_JOURNAL, RUN, journal(1, STARTED))
    following = asyncio.create_task(events_of(served, f"/api/v1/runs/{RUN}/stream"))
    sent = asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield b'{"title":'
        sent.set()
        await asyncio.sleep(0.5)
        yield b' "late but whole"}'

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(timeout=10) as client:
            return await client.post(f"{served.url}/hooks/demo/{TOKEN}", content=slow_body())

    posting = asyncio.create_task(post())
    await sent.wait()
    async with asyncio.timeout(5):
        while not len(served.web.model.watchers):
            await asyncio.sleep(0.01)
    began = time.monotonic()
    served.stop.set()

    found = await following
    assert time.monotonic() - began < 3
    assert [event for event, _, _ in found] == ["record"]
    assert (await posting).status_code == 202
    await served.serving
    assert time.monotonic() - began < 5
    assert len(served.web.log.records(ALERTS)) == 1
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", served.port)


async def test_a_head_that_never_ends_is_refused(served: Served) -> None:
    answer = await spoken(served.port, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000)

    assert answer.startswith(b"HTTP/1.1 400")


async def test_a_client_that_says_nothing_or_dribbles_is_let_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_bounds, "REQUEST_S", 0.3)

    for sent in (
        b"",
        b"POST /hooks/demo/x HTTP/1.1\r\nHost:",
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab",
    ):
        began = time.monotonic()
        await spoken(served.port, sent)
        assert time.monotonic() - began < 5


async def test_one_connection_takes_many_requests_and_pauses_between_them(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_bounds, "REQUEST_S", 0.3)
    async with httpx.AsyncClient(base_url=served.url) as client:
        for number in range(3):
            answer = await client.post(f"/hooks/demo/{TOKEN}", json={"title": str(number)})
            assert answer.status_code == 202
            await asyncio.sleep(0.5)

    assert len(served.web.log.records(ALERTS)) == 3


async def test_a_body_that_is_too_large_gets_its_answer_and_the_connection_stays_usable(
    served: Served,
) -> None:
    async with httpx.AsyncClient(base_url=served.url) as client:
        answer = await client.post(f"/hooks/demo/{TOKEN}", content=b"x" * 257 * 1024)
        assert answer.status_code == 413
        assert (await client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})).status_code == 202


async def test_garbage_is_no_request_and_disturbs_nobody(served: Served) -> None:
    assert (await spoken(served.port, b"\x16\x03\x01\x02\x00 hello\r\n\r\n")).startswith(b"HTTP/1.1 400")
    async with httpx.AsyncClient(base_url=served.url) as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_port_that_is_taken_is_one_sentence_with_the_way_out() -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortBusy, match=f"port {port}.*choose another"):
            listen(Address("127.0.0.1", port))


async def test_the_server_says_nothing_of_itself_and_logs_no_token(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with httpx.AsyncClient(base_url=served.url) as client:
        answer = await client.get(f"/hooks/demo/{TOKEN}?token={TOKEN}")
    assert "server" not in answer.headers
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))
    ]
    assert any("/hooks/demo/***" in line for line in ours)
    assert not any(TOKEN in line for line in ours)
