"""Our own access log, with tokens masked: a line for every request, but for webhooks that were accepted.

Those are far too many to be lines, are counted in the metrics, and each of them is a record on a topic.
"""

import logging
import time
from urllib.parse import unquote_to_bytes

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from console.masking import masked_path
from console.metrics import Metrics

log = logging.getLogger("pulsebook.access")

POLLED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: told only where the answer is not good."""

NO_ANSWER = 499
"""Logged where the client was gone before there was an answer."""


class AccessLog:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith("/hooks/"):
            await self._app(scope, receive, send)
            return
        status = NO_ANSWER
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.requests.labels(str(status)).inc()
            log_request(scope, status, time.perf_counter() - began)


def log_request(scope: HTTPScope, status: int, took_s: float) -> None:
    """One line. Query strings are left out: nobody knows what is in them."""
    client = scope.get("client")
    # Not scope["path"]: routing to a mount cuts off what masking looks for.
    path = unquote_to_bytes(scope["raw_path"]).decode("utf-8", "replace")
    level = logging.DEBUG if status < 300 and path in POLLED else logging.INFO
    log.log(
        level,
        "%s %s %s %d %.1f ms",
        client[0] if client else "-",
        scope.get("method", "-"),
        masked_path(path),
        status,
        took_s * 1000,
    )
