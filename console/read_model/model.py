"""The read model: it follows the log into SQLite, answers queries, and tells watchers what went on.

One thread writes, two read, so the event loop never waits for the disk. Its file is a cache: where it is
gone, damaged, of another form or of other topics, it is made again from the log. What rows there are:
`tables`.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from console.read_model import database
from console.read_model.locking import lock
from console.read_model.log import Log, LogRecord, Place
from console.read_model.projecting import Batch, project
from console.read_model.pruning import prune
from console.read_model.watching import Watchers

log = logging.getLogger("pulsebook.read_model")
T = TypeVar("T")

COMMIT_GAP_S = 0.05
"""Shortest time between two commits while there is little to read: what comes in between shares one."""
BATCH_FULL = 400
"""A batch of so many records is a backlog: the next one is taken at once."""
RETRY_S_MAX = 5.0
PRUNE_EVERY_S = 60.0
LOOK_EVERY_S = 10.0
LOOK_WITHIN_S = 8.0
REBUILD, REBUILD_TOLD = "rebuild", "rebuild_told"
LOOK_AGAIN_S = 1.0
"""After a look that found nobody: what is away is to be seen soon when it is back."""


class ReadModelUnavailable(Exception):
    """The read model cannot answer at the moment; it is being opened or made again. Try again shortly."""


@dataclass(slots=True)
class State:
    """How the read model is doing."""

    caught_up: bool = False
    """It has read what there was when it started."""
    problem: str = "it is being opened"
    """Why it does not follow the log at the moment; empty while it does."""
    unreachable: str = ""
    """Why the log could not be reached when last looked; empty when it could."""
    remaking: str = ""
    """Who wanted all rows to be read anew, until it has caught up."""
    committed_at_ms: int = 0
    lag_ms: int = 0
    """Age of the newest record of the last batch when it was committed."""
    behind: int = 0
    """Records on the topics that were not read yet, when last looked."""
    records: int = 0
    unreadable: int = 0
    conflicts: int = 0


class ReadModel:
    """See the module. `kept_ms`: topic to how long it keeps its records (None: for ever)."""

    def __init__(self, path: Path, source: Log, kept_ms: Mapping[str, int | None]) -> None:
        self.state = State()
        self.watchers = Watchers()
        self._path = path
        self._source = source
        self._kept_ms = dict(kept_ms)
        self._writing = ThreadPoolExecutor(1, "read-model-write")
        self._reading = ThreadPoolExecutor(2, "read-model-read")
        self._reader = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._generation = 0
        self._at: dict[Place, int] = {}
        self._lock: IO[bytes] | None = None
        self._connection: sqlite3.Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopped = False
        self._following: asyncio.Task[None] | None = None
        self._drop_for = 0
        self.is_new = False
        """The rows came to be in this process: there was no file, or none of these topics."""

    async def start(self) -> None:
        """Begin to follow; returns at once."""
        self._tasks = [asyncio.create_task(each) for each in (self._follow(), self._look(), self._prune())]

    async def stop(self) -> None:
        """Stop following, let watchers look a last time, close the file. A second time does nothing."""
        if self._stopped:
            return
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.watchers.wake_all()
        await asyncio.to_thread(self._reading.shutdown)
        for connection in self._readers:
            connection.close()
        # The last one to close, so that it leaves one whole file behind.
        self._writing.submit(self._close)
        await asyncio.to_thread(self._writing.shutdown)

    async def query(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query on a thread with a read-only connection. Raises ReadModelUnavailable."""
        if self._stopped:
            raise ReadModelUnavailable("the process is stopping")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, self._ask, ask)
        except sqlite3.Error as error:
            raise ReadModelUnavailable(
                f"the read model cannot answer: {self.state.problem or error}"
            ) from error

    def _ask(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        generation = self._generation
        if not generation:
            raise sqlite3.OperationalError("it is being opened")
        held: tuple[int, sqlite3.Connection] | None = getattr(self._reader, "held", None)
        if held is None or held[0] != generation:
            if held:
                held[1].close()
                self._readers.remove(held[1])
            held = self._reader.held = (generation, database.open_for_reading(self._path))
            self._readers.append(held[1])
        return ask(held[1])

    async def made_for(self) -> tuple[int, int]:
        """Numbers of the rebuild that the rows come from, and of the last one that was told of. Raises
        sqlite3.Error while the file is being opened.
        """
        return await self._write(
            lambda: (database.noted(self._writer, REBUILD), database.noted(self._writer, REBUILD_TOLD))
        )

    async def note(self, **numbers: int) -> None:
        """Note `rebuild` or `rebuild_told`."""
        await self._write(lambda: database.note(self._writer, **numbers))

    def make_again(self, number: int, who: str) -> None:
        """Drop all rows and read the log from its beginning, as `who` wanted; `state.caught_up` says when."""
        self._drop_for = number
        self.state.remaking = who
        self.state.caught_up = False
        if self._following is not None:
            self._following.cancel()

    async def _follow(self) -> None:
        """For ever, whatever happens: a failure is said in `state.problem`, and tried again a little
        later.
        """
        pause_s = 1.0
        while True:
            before = self.state.records
            self._following = asyncio.create_task(self._follow_once())
            try:
                await self._following
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) is None or task.cancelling():
                    raise
                continue  # all is to be read again
            except Exception as error:
                self.state.problem = f"{type(error).__name__}: {error}"
                log.warning("the read model does not follow the log: %s", self.state.problem)
                await self._write(self._close)
            pause_s = 1.0 if self.state.records > before else min(pause_s * 2, RETRY_S_MAX)
            await asyncio.sleep(pause_s)

    async def _follow_once(self) -> None:
        self.state.caught_up = False
        await self._write(self._open)
        await self._write(self._belong, dict(await self._source.topic_ids()))
        if self._drop_for:
            await self._write(self._drop, self._drop_for)
            self.watchers.wake_all()
        ends = await self._source.ends()
        positions = self._at = await self._write(self._positions)
        self.state.problem = ""
        self._look_for_end(positions, ends)
        async with contextlib.aclosing(self._source.follow(positions)) as batches:
            async for records in batches:
                began = time.monotonic()
                self._committed(await self._write(self._apply, records), records)
                positions.update({(each.topic, each.partition): each.offset + 1 for each in records})
                self._look_for_end(positions, ends)
                if len(records) < BATCH_FULL:
                    await asyncio.sleep(max(0.0, COMMIT_GAP_S - (time.monotonic() - began)))

    def _committed(self, batch: Batch, records: Sequence[LogRecord]) -> None:
        state = self.state
        state.committed_at_ms = int(time.time() * 1000)
        state.lag_ms = max(0, state.committed_at_ms - max(each.at_ms for each in records))
        state.records += len(records)
        state.unreadable += len(batch.unreadable)
        state.conflicts += len(batch.conflicts)
        for each in batch.unreadable:
            log.warning("passed over: %s/%d/%d is no record of ours", each.topic, each.partition, each.offset)
        for run_id, seq in batch.conflicts:
            log.error("ALARM: the journal holds run %s seq %d twice with different content", run_id, seq)
        self.watchers.changed(batch.changed_runs)

    def _look_for_end(self, positions: Mapping[Place, int], ends: Mapping[Place, int]) -> None:
        if not self.state.caught_up and all(positions.get(place, 0) >= end for place, end in ends.items()):
            self.state.caught_up = True
            self.state.remaking = ""

    async def _look(self) -> None:
        """How far behind it is; and whether Kafka answers at all, which a reader that waits does not say."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S if self.state.unreachable else LOOK_EVERY_S)
            try:
                async with asyncio.timeout(LOOK_WITHIN_S):
                    ends = await self._source.ends()
            except Exception as error:
                self.state.unreachable = f"the log cannot be reached: {str(error) or type(error).__name__}"
            else:
                self.state.unreachable = ""
                self.state.behind = sum(max(0, end - self._at.get(place, 0)) for place, end in ends.items())

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            with contextlib.suppress(sqlite3.Error):  # the follower meets the same trouble, and says so
                while await self._write(self._prune_once):
                    await asyncio.sleep(COMMIT_GAP_S)

    async def _write(self, do: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writing, do, *arguments)

    # From here on: the writer's thread.

    def _open(self) -> None:
        self._close()
        self._lock = lock(self._path)
        self._connection = database.open_for_writing(self._path)
        self._generation += 1

    def _close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
        if self._lock:
            self._lock.close()
            self._lock = None

    def _belong(self, ids: dict[str, str]) -> None:
        """Make sure that the rows come from these topics; make the file again where they come from others."""
        held = database.topic_ids(self._writer)
        if held and held != ids:
            log.warning("the topics are others than those the read model was made from: it is made again")
            database.make_again(self._writer)
        self.is_new = self.is_new or held != ids
        database.keep_topic_ids(self._writer, ids)

    def _drop(self, number: int) -> None:
        """Empty tables, once for each number."""
        if database.noted(self._writer, REBUILD) < number:
            log.warning("the read model is made again: %s asked", self.state.remaking)
            ids, told = database.topic_ids(self._writer), database.noted(self._writer, REBUILD_TOLD)
            database.make_again(self._writer)
            database.keep_topic_ids(self._writer, ids)
            database.note(self._writer, rebuild=number, rebuild_told=told)

    def _positions(self) -> dict[Place, int]:
        return database.positions(self._writer)

    def _apply(self, records: Sequence[LogRecord]) -> Batch:
        with database.transaction(self._writer):
            return project(self._writer, records)

    def _prune_once(self) -> int:
        return prune(self._connection, self._kept_ms, int(time.time() * 1000)) if self._connection else 0

    @property
    def _writer(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("the read model is not open")
        return self._connection
