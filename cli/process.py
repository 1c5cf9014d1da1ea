"""What every long-running process has: a log, signals that mean "stop in order", exit codes for a supervisor.

0 stopped because it was asked to; 2 wrong settings, a busy port; 3 cannot reach what it needs; 70 something
broke, and a new start is the remedy; 78 it refuses to work with what it found, and a new start helps nothing.
"""

import asyncio
import errno
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import typer

from cli.output import WRONG_USE, fail, warn
from cli.owner import end_with_owner
from settings import Settings

BROKEN = 70
QUIET = ("aiokafka", "faust", "mode", "httpx", "httpcore", "uvicorn", "litestar", "asyncio")
"""Libraries that tell more than an operator reads, and at debug level spend CPU on records nobody prints."""


def run_process(settings: Settings, body: Callable[[asyncio.Event], Awaitable[int]]) -> None:
    """Run `body` until it returns its exit code; it is to return soon after the event it is given is set."""
    _log_to_stderr(settings.log_level)
    end_with_owner()
    _collect_rarely()
    if sys.platform != "win32":
        import uvloop

        run = uvloop.run
    else:
        run = asyncio.run
    try:
        code = run(_until_stopped(body))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        fail(f"{error.strerror}; choose another with PULSEBOOK_HEALTH_PORT", WRONG_USE)
    raise typer.Exit(code)


async def _until_stopped(body: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return await body(stop)


async def done_before(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` was done before `stop` was set; if not, it is called off. What it raises is raised."""
    working, asked = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not working.done():
        working.cancel()
        await asyncio.wait({working})
        return False
    working.result()
    return True


def _collect_rarely() -> None:
    # What was imported stays, and records live shorter than a collection: to look through it often is waste.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    logging.captureWarnings(True)


def broken(what: str) -> int:
    """Say what broke; the exit code for it."""
    warn(f"pid {os.getpid()}: {what}")
    return BROKEN
