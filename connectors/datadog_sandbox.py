"""A stand-in for Datadog's v1 events API on this machine: `POST /api/v1/events` and what reads them back.

As Datadog: limits, errors and their odd content types, rate limit, ids of 64 bits, `GET /api/v1/events`, one
event, `GET /api/v1/validate`. Unlike Datadog: reading needs no key, there is a page at `/`, and a test may
make it fail through `/_control` (off unless asked for). What is taken is `datadog_sandbox_rules`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec

from connectors import datadog_sandbox_page
from connectors.datadog_sandbox_http import (
    Asked,
    Receive,
    Reply,
    Scope,
    Send,
    error_reply,
    html_reply,
    json_reply,
    read_request,
    send_reply,
)
from connectors.datadog_sandbox_rules import BODY_BYTES_MAX, NotTaken, Quota, SandboxEvent, read_event
from connectors.datadog_sandbox_store import Filter, SandboxStore

EVENTS_AN_HOUR = 500_000
HOUR_S = 3_600
EVENTS_A_REPLY = 1_000
EVENTS_A_PAGE = 100


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """How the next `count` posts are answered. `accepted`: the event is kept all the same."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 503
    count: int = 1
    accepted: bool = False
    delay_s: float = 0.0
    retry_after_s: int | None = None


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `POST /_control` takes."""

    fail: Fault


class DatadogSandbox:
    """The sandbox as an ASGI application. Keeps its events in `store`; `close` it at the end."""

    def __init__(
        self,
        store: SandboxStore,
        *,
        api_key: str = "",
        quota: Quota,
        controllable: bool = False,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._api_key, self._quota, self._now_s = store, api_key, quota, now_s
        self._controllable = controllable
        self._fault = Fault(count=0)
        self.posts = 0
        """Posts that came, whatever became of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            asked = await read_request(scope, receive, BODY_BYTES_MAX)
            await send_reply(send, await self._reply(asked))

    def fail(self, fault: Fault) -> None:
        """Answer the next posts with a fault."""
        self._fault = fault

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    async def _reply(self, asked: Asked) -> Reply:
        match asked.method, asked.path.rstrip("/") or "/":
            case "POST", "/api/v1/events":
                return await self._posted(asked)
            case "GET", "/api/v1/events":
                return self._listed(asked)
            case "GET", "/api/v1/validate":
                return (
                    json_reply(200, {"valid": True}) if self._knows(asked) else error_reply(403, "Forbidden")
                )
            case "GET", "/":
                return self._page(asked)
            case "GET", "/healthz" | "/readyz":
                return json_reply(200, {"ok": True})
            case "POST", "/_control" if self._controllable:
                return self._controlled(asked)
            case "GET", path if path.startswith("/api/v1/events/"):
                return self._one(asked, path.removeprefix("/api/v1/events/"))
            case _:
                return error_reply(404, "Not Found")

    async def _posted(self, asked: Asked) -> Reply:
        self.posts += 1
        fault = self._next_fault()
        if fault is None:
            return self._taken(asked)
        await asyncio.sleep(fault.delay_s)
        if fault.accepted:
            self._taken(asked)
        headers = {} if fault.retry_after_s is None else {"Retry-After": str(fault.retry_after_s)}
        return html_reply(fault.status, f"<html><body>{fault.status} as asked for</body></html>", headers)

    def _taken(self, asked: Asked) -> Reply:
        """What Datadog would do with a post."""
        if not self._knows(asked):
            return error_reply(403, "Forbidden")
        if asked.body is None:
            return error_reply(413, "Request entity too large")
        if (refused := self._quota.take(self._now_s())) is not None:
            return html_reply(429, "<html><body>429 Too Many Requests</body></html>", refused)
        try:
            event = read_event(asked.body, int(self._now_s()))
        except NotTaken as error:
            return error_reply(400, str(error))
        kept = self._store.get(self._store.add(event))
        assert kept is not None  # noqa: S101 # it was added just now
        return json_reply(202, {"status": "ok", "event": _as_datadog(kept, asked)})

    def _listed(self, asked: Asked) -> Reply:
        query = asked.query
        try:
            wanted = Filter(
                start_s=int(query["start"]) if "start" in query else None,
                end_s=int(query["end"]) if "end" in query else None,
                tags=_split(query.get("tags", "")),
                sources=_split(query.get("sources", "")),
                priority=query.get("priority", ""),
            )
            page = max(0, int(query.get("page", "0")))
        except ValueError:
            return error_reply(400, "'start', 'end' and 'page' must be integers")
        events = self._store.find(wanted, EVENTS_A_REPLY, page)
        return json_reply(200, {"events": [_as_datadog(event, asked) for event in events]})

    def _one(self, asked: Asked, event_id: str) -> Reply:
        known = event_id.isascii() and event_id.isdecimal() and len(event_id) < 20
        event = self._store.get(min(int(event_id), 2**63 - 1)) if known else None
        if event is None:
            return error_reply(404, "Event not found")
        return json_reply(200, {"event": _as_datadog(event, asked)})

    def _page(self, asked: Asked) -> Reply:
        words, tag = asked.query.get("q", "").strip(), asked.query.get("tag", "").strip()
        wanted = Filter(words=words, tags=(tag,) if tag else ())
        events = self._store.find(wanted, EVENTS_A_PAGE)
        refreshes = asked.query.get("refresh") != "off"
        html = datadog_sandbox_page.page(events, self._store.count(wanted), words, tag, refreshes)
        return Reply(200, html, datadog_sandbox_page.HEADERS)

    def _controlled(self, asked: Asked) -> Reply:
        try:
            self.fail(msgspec.json.decode(asked.body or b"", type=Control).fail)
        except msgspec.DecodeError as error:
            return error_reply(400, str(error))
        return json_reply(200, {"status": "ok"})

    def _knows(self, asked: Asked) -> bool:
        key = asked.headers.get("dd-api-key", "")
        return key == self._api_key if self._api_key else bool(key)

    def _next_fault(self) -> Fault | None:
        if self._fault.count <= 0:
            return None
        self._fault.count -= 1
        return self._fault


def create_sandbox(
    data_dir: Path,
    *,
    api_key: str = "",
    events_per_period: int = EVENTS_AN_HOUR,
    period_s: int = HOUR_S,
    controllable: bool = False,
) -> DatadogSandbox:
    """A sandbox whose events live in `data_dir`. `api_key` empty: any key will do, but there must be one."""
    store = SandboxStore(data_dir / "datadog-sandbox.sqlite")
    return DatadogSandbox(
        store, api_key=api_key, quota=Quota(events_per_period, period_s), controllable=controllable
    )


def _as_datadog(event: SandboxEvent, asked: Asked) -> dict[str, Any]:
    """The event in Datadog's JSON."""
    given = asdict(event)
    host = asked.headers.get("host", "localhost")
    return given | {
        "id_str": str(event.id),
        "url": f"http://{host}/#e{event.id}",
        "resource": f"/api/v1/events/{event.id}",
        "source": event.source_type_name,
        "is_aggregate": False,
        "comments": [],
    }


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
