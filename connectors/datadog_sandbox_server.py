"""The sandbox as a server of its own, until told to stop. What it serves is `datadog_sandbox`."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from connectors.datadog_sandbox_http import AsgiApp
from connectors.errors import PermanentFailure

STOP_WITHIN_S = 1


class PortBusy(PermanentFailure):
    """Somebody else listens on the sandbox's port."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the composition root's."""
        yield


async def serve_sandbox(app: AsgiApp, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve until `stop` is set. Raises PortBusy."""
    listener = _listening(host, port)
    config = uvicorn.Config(
        app,
        ws="none",
        loop="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    server = _Server(config)

    async def end_when_told() -> None:
        await stop.wait()
        server.should_exit = True

    ending = asyncio.create_task(end_when_told())
    try:
        await server.serve(sockets=[listener])
    finally:
        ending.cancel()
        listener.close()


def _listening(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise PortBusy(
            f"the sandbox cannot listen on {host}:{port} ({error.strerror}): choose another port"
        ) from error
    return listener
