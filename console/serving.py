"""The HTTP server around the application: its bounds on connections and requests, and its graceful stop.

Which application and when to stop are the caller's; signals are too.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import uvicorn
from litestar import Litestar

from console.access_log import AccessLog
from console.http_bounds import BoundedHttp
from console.parts import Parts

GRACE_S = 25.0
"""How long requests under way may take to end when the process stops."""
CONNECTIONS_MAX = 2_000
FILES_BESIDES = 200
"""Open files that are no client's connection."""
KEEP_ALIVE_S = 75
"""Longer than a balancer keeps its connections, so that it is never the one to be surprised."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int


class PortBusy(OSError):
    """Somebody else listens there."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the composition root's."""
        yield


def listen(address: Address) -> socket.socket:
    """A listening socket. Raises PortBusy, with the way out."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(2048)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise PortBusy(
            f"cannot listen on {address.host} port {address.port}: {error.strerror or error}; choose another"
        ) from error
    return listener


def _allow_connections() -> None:
    """Many systems allow 1024 open files unless asked for more: fewer than connections here."""
    if sys.platform == "win32":
        return
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX + FILES_BESIDES
    if allowed < wanted:
        more = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (more, most))


async def serve(web: Litestar, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve until `stop` is set and what is under way has ended (at most GRACE_S), then shut the application
    down.

    Streams and waits end at once when `stop` is set. Raises RuntimeError where the application cannot start.
    """
    _allow_connections()
    parts: Parts = web.state.parts
    server = _Server(
        uvicorn.Config(
            AccessLog(web, parts.metrics),
            http=BoundedHttp,
            ws="none",
            lifespan="on",
            loop="none",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(GRACE_S),
            limit_concurrency=CONNECTIONS_MAX,
            backlog=2048,
        )
    )

    async def end_when_told() -> None:
        await stop.wait()
        parts.stopping.set()
        if parts.read_model:
            parts.read_model.watchers.wake_all()
        server.should_exit = True

    ending = asyncio.create_task(end_when_told())
    try:
        await server.serve(sockets=[listener])
    except SystemExit as error:
        raise RuntimeError("the web application could not start; its log says why") from error
    finally:
        ending.cancel()
        listener.close()
