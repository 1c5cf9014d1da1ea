"""/healthz, /readyz and /metrics of a process that is no web server. HTTP/1.1, GET only, loopback by default.

What is missing, and which metrics there are, is asked of the caller at each request.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

REQUEST_WITHIN_S = 5.0
REQUEST_BYTES_MAX = 8_192


class PortBusy(OSError):
    """Somebody else listens there."""


class HealthServer:
    """Serves from `start` to `stop`. `missing`: what the process lacks to do its job, a sentence each."""

    def __init__(
        self, host: str, port: int, missing: Callable[[], Sequence[str]], registry: CollectorRegistry
    ) -> None:
        self._host, self._port = host, port
        self._missing, self._registry = missing, registry
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises PortBusy, with the way out."""
        try:
            self._server = await asyncio.start_server(
                self._answer, self._host, self._port, limit=REQUEST_BYTES_MAX
            )
        except OSError as error:
            raise PortBusy(
                f"cannot listen on {self._host} port {self._port} for health and metrics: "
                f"{error.strerror or error}; choose another port with PULSEBOOK_HEALTH_PORT"
            ) from error

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head.split(b"\r\n", 1)[0].decode("latin-1")))
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
            await writer.wait_closed()

    def _response(self, request_line: str) -> bytes:
        method, _, rest = request_line.partition(" ")
        path = rest.split(" ")[0].partition("?")[0]
        if method != "GET":
            return _http(405, "text/plain", b"GET only\n")
        match path:
            case "/healthz":
                return _http(200, "application/json", b'{"status":"alive"}\n')
            case "/readyz":
                missing = list(self._missing())
                body = json.dumps({"status": "not ready" if missing else "ready", "missing": missing}) + "\n"
                return _http(503 if missing else 200, "application/json", body.encode())
            case "/metrics":
                return _http(200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry))
            case _:
                return _http(404, "text/plain", b"there is /healthz, /readyz and /metrics\n")


_REASONS = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


def _http(status: int, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
