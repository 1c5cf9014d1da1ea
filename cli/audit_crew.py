"""The workers of an audit: one process for each core, each with a reader of its own; parts are handed out as
they come free.

Settings (with Kafka's password) go to a worker through its pipe, never through its command line. A worker
that dies ends the audit: nothing is ever taken for checked that was not.
"""

import asyncio
import contextlib
import gc
import multiprocessing
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import uvloop

from audit.verify.findings import Tally
from audit.verify.frame import Frame
from audit.verify.work import Part, Workbench
from connectors.event_log import EventLogReader
from schemas.topics import TOPICS
from settings import Settings

FETCH_BYTES = 4 * 1024 * 1024
"""A worker reads one partition at a time, all of it: large fetches."""
LOOK_AGAIN_S = 0.25
GC_THRESHOLD = (50_000, 20, 100)
"""Rows live long and are in no circles: looking through them often is time lost."""
ENDS_WITHIN_S = 2.0


class WorkerFailed(Exception):
    """A worker could not do its part. The message says why."""


def audit_log(settings: Settings) -> EventLogReader:
    """All topics, read in large pieces."""
    kafka = {**settings.kafka_options(), "max_partition_fetch_bytes": FETCH_BYTES}
    return EventLogReader(kafka, TOPICS, settings.topic_prefix)


class Crew:
    """So many processes. To be closed, whatever happened."""

    def __init__(self, settings: Settings, folder: Path, processes: int, told: Callable[[int], None]) -> None:
        """`told`: how many records were read since the last time."""
        context = multiprocessing.get_context("spawn")
        self._told = told
        self._idle: list[Connection] = []
        self._all: list[tuple[Any, Connection]] = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, settings, folder), daemon=True)
            process.start()
            theirs.close()
            self._all.append((process, ours))
            self._idle.append(ours)

    async def work(self, parts: Sequence[Part], frame: Frame) -> AsyncIterator[Tally]:
        """The findings of each part, as they come. Raises WorkerFailed."""
        todo, busy = list(reversed(parts)), set[Connection]()
        while todo or busy:
            while todo and self._idle:
                worker = self._idle.pop()
                try:
                    worker.send((todo.pop(), frame))
                except OSError as error:
                    raise self._died(worker) from error
                busy.add(worker)
            for worker in await asyncio.to_thread(_ready, busy):
                said, value = self._heard(worker)
                if said == "read":
                    self._told(value)
                    continue
                busy.discard(worker)
                self._idle.append(worker)
                if said == "failed":
                    raise WorkerFailed(value)
                yield value

    def close(self) -> None:
        """End all workers at once."""
        for process, connection in self._all:
            connection.close()
            process.terminate()
        for process, _ in self._all:
            process.join(ENDS_WITHIN_S)
            if process.is_alive():
                process.kill()

    def _heard(self, worker: Connection) -> tuple[str, Any]:
        try:
            said: tuple[str, Any] = worker.recv()
        except (EOFError, OSError) as error:
            raise self._died(worker) from error
        return said

    def _died(self, worker: Connection) -> WorkerFailed:
        process = next(process for process, one in self._all if one is worker)
        process.join(ENDS_WITHIN_S)
        return WorkerFailed(f"a worker of the audit died (exit code {process.exitcode}): nothing is proven")


def _ready(workers: set[Connection]) -> list[Connection]:
    """Those that have something to say, or have died."""
    return [one for one in wait(list(workers), LOOK_AGAIN_S) if isinstance(one, Connection)]


def _work(connection: Connection, settings: Settings, folder: Path) -> None:
    """A worker process: does parts until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command ends us
    uvloop.install()
    gc.set_threshold(*GC_THRESHOLD)

    def told(count: int) -> None:
        if count:
            connection.send(("read", count))

    bench = Workbench(audit_log(settings), folder, told)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            part, frame = connection.recv()
            try:
                done: tuple[str, Any] = "done", asyncio.run(bench.do(part, frame))
            except BrokenPipeError:
                raise
            except Exception as failure:
                done = (
                    "failed",
                    f"{part.step} {part.topic}/{part.number}: {failure or type(failure).__name__}",
                )
            connection.send(done)
