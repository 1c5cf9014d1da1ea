"""Follows a Server-Sent Events stream of the API to its event `end`, through restarts of the web process."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx

from cli import client
from cli.output import CANNOT_REACH, fail

QUIET_S = 60.0
"""A stream says every 15 s that it is still there; one that is silent for so long is dead."""
AWAY_S = 30.0
"""How long the web process may be away before it is given up."""
AGAIN_AFTER_S = 0.5


def follow(path: str) -> Iterator[tuple[str, Any]]:
    """(event name, data) of a stream, to `end`; goes on after what it has seen where the stream breaks."""
    seen_id = ""
    lost_at_s: float | None = None
    while True:
        problem: Exception = RuntimeError("it ended the stream too early")
        try:
            for event_id, name, data in _stream(path, seen_id):
                seen_id, lost_at_s = event_id or seen_id, None
                yield name, data
                if name == "end":
                    return
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = error
        lost_at_s = lost_at_s or time.monotonic()
        if time.monotonic() - lost_at_s > AWAY_S or (not seen_id and _is_absent(problem)):
            fail(client.unreachable(problem), CANNOT_REACH)
        time.sleep(AGAIN_AFTER_S)


def _is_absent(problem: Exception) -> bool:
    """Nobody answered at all: at the very start that is no restart to wait for."""
    return isinstance(problem, httpx.ConnectError | httpx.InvalidURL | httpx.UnsupportedProtocol)


def _stream(path: str, seen_id: str) -> Iterator[tuple[str, str, Any]]:
    """(id, name, data) of each event of one connection."""
    sent = client.headers() | ({"Last-Event-ID": seen_id} if seen_id else {})
    timeout = httpx.Timeout(client.TIMEOUT_S, read=QUIET_S)
    with httpx.stream(
        "GET", client.base_url() + path, headers=sent, timeout=timeout, trust_env=False
    ) as answer:
        if answer.status_code == 503 and seen_id:
            return  # it is on its way out, or in
        if not answer.is_success:
            answer.read()
            fail(*client.refusal(answer))
        event_id, name, data = "", "message", ""
        for line in answer.iter_lines():
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                event_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data += value
            elif not line and data:
                yield event_id, name, json.loads(data)
                event_id, name, data = "", "message", ""
