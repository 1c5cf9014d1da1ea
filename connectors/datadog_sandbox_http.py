"""The sandbox's HTTP, in ASGI's terms: a request read whole, an answer sent whole. No events here."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. `body` is None where it is larger than the server takes."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes
    headers: Headers


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer in JSON."""
    return Reply(status, msgspec.json.encode(value), _headers("application/json", headers))


def error_reply(status: int, reason: str) -> Reply:
    """An error as Datadog words it; a 400 comes as text/plain, though it is JSON."""
    content_type = "text/plain; charset=utf-8" if status == 400 else "application/json"
    return Reply(status, msgspec.json.encode({"errors": [reason]}), _headers(content_type, None))


def html_reply(status: int, text: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer of something that stands before Datadog."""
    return Reply(status, text.encode(), _headers("text/html; charset=utf-8", headers))


async def read_request(scope: Scope, receive: Receive, body_bytes_max: int) -> Asked:
    """The whole request; what is beyond `body_bytes_max` is read and dropped."""
    body, size, more = bytearray(), 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= body_bytes_max:
            body += part
        more = message.get("more_body", False)
    return Asked(
        scope["method"],
        scope["path"],
        dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        bytes(body) if size <= body_bytes_max else None,
    )


async def send_reply(send: Send, reply: Reply) -> None:
    """Send an answer."""
    length = (b"content-length", str(len(reply.body)).encode())
    start = {"type": "http.response.start", "status": reply.status, "headers": [*reply.headers, length]}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})


def _headers(content_type: str, more: Mapping[str, str] | None) -> Headers:
    given = {"content-type": content_type} | dict(more or {})
    return tuple((name.lower().encode(), value.encode()) for name, value in given.items())
