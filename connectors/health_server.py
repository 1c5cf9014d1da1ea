"""GET /healthz, /readyz and /metrics for a process that serves nothing else.

A few lines on asyncio's own server instead of a web framework: it must go on answering while everything
around it is busy or broken. What healthy and ready mean is handed in.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

log = logging.getLogger(__name__)

HEAD_BYTES_MAX = 16 * 1024
REQUEST_WITHIN_S = 5.0
JSON = "application/json"


class HealthServer:
    """Answers on `host`:`port` (0: any free port).

    `missing`: what the process lacks to do its job, a sentence each; empty: it is ready. `broken`: what
    makes it unhealthy, so that it should be started again; empty: it is alive.
    """

    def __init__(
        self,
        host: str,
        port: int,
        missing: Callable[[], list[str]],
        registry: CollectorRegistry,
        broken: Callable[[], list[str]] = list,
    ) -> None:
        self._host = host
        self._port = port
        self._registry = registry
        self._missing = missing
        self._broken = broken
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it answers on."""
        if self._server is None:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begin to answer. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port, limit=HEAD_BYTES_MAX)

    async def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError):
            log.debug("a health request came to nothing")
        finally:
            writer.close()

    def _response(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        if method not in (b"GET", b"HEAD"):
            status, kind, body = HTTPStatus.METHOD_NOT_ALLOWED, JSON, b"{}"
        else:
            status, kind, body = self._answer(path)
        lines = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + (b"" if method == b"HEAD" else body)

    def _answer(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        match path:
            case "/healthz":
                return _verdict("healthy", self._broken())
            case "/readyz":
                return _verdict("ready", self._missing())
            case "/metrics":
                return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        return HTTPStatus.NOT_FOUND, JSON, b"{}"


def _verdict(word: str, reasons: list[str]) -> tuple[HTTPStatus, str, bytes]:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return status, JSON, json.dumps({word: not reasons, "missing": reasons}).encode()
