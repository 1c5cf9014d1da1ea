"""A loopback HTTP server whose answers are written out byte by byte, so that it can be wrong at will."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Serve = Callable[["Got", asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Got:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Server:
    """Where it listens and what it got."""

    url: str
    port: int
    got: list[Got] = field(default_factory=list)


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A well-formed answer; underscores in header names stand for hyphens."""
    given = {"Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(*parts: bytes) -> Serve:
    """A server that writes these bytes and closes."""

    async def serve(got: Got, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return serve


async def hangs(got: Got, writer: asyncio.StreamWriter) -> None:
    """A server that never answers."""
    await asyncio.sleep(60)


async def resets(got: Got, writer: asyncio.StreamWriter) -> None:
    """A server that resets the connection once it has the request."""
    writer.transport.abort()


@asynccontextmanager
async def http_server(serve: Serve, port: int = 0) -> AsyncIterator[Server]:
    """Serve until left; requests under way are dropped then."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type] # inside a task there is one
        try:
            got = await _request(reader)
            server.got.append(got)
            await serve(got, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", port)
    port = listening.sockets[0].getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", port)
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


async def _request(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(method, target, headers, body)
