"""Keeps a catalog up to date: reads its topic to the present end, then follows it as long as it is wanted.

What a record means is `engine.catalog`; how a topic is read is the log's that is handed in (an
`EventLogReader` of the catalog's topic).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from connectors.errors import ConnectorError, TemporaryFailure
from engine.catalog import Catalog
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.topics import CATALOG

log = logging.getLogger(__name__)

Place = tuple[str, int]
PLACE: Place = (CATALOG.name, 0)
"""The catalog is one partition."""


class CatalogEntry(Protocol):
    """A message of the topic."""

    @property
    def offset(self) -> int: ...

    @property
    def record(self) -> Record | MalformedMessage: ...


class CatalogLog(Protocol):
    """The topic, as `EventLogReader` reads it."""

    async def ends(self) -> Mapping[Place, int]: ...

    def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int], /
    ) -> AsyncGenerator[Sequence[CatalogEntry], None]: ...

    def follow(self, positions: Mapping[Place, int], /) -> AsyncGenerator[Sequence[CatalogEntry], None]: ...


class CatalogReader:
    """`on_change` is called with the catalog after each batch of changes, once the start is over.

    `again_s`: pause before a Kafka that did not answer is asked again.
    """

    def __init__(
        self,
        topic: CatalogLog,
        on_change: Callable[[Catalog], None] | None = None,
        *,
        again_s: float = 1.0,
    ) -> None:
        self._topic = topic
        self._again_s = again_s
        self._catalog = Catalog()
        self._ready = False
        self._following: asyncio.Task[None] | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.on_change = on_change

    @property
    def catalog(self) -> Catalog:
        """What is known now."""
        return self._catalog

    @property
    def ready(self) -> bool:
        """The topic has been read to what was its end when reading began. Stays so."""
        return self._ready

    async def start(self) -> None:
        """Read to the present end, then follow in the background. While Kafka is away, waits and tries again.

        Raises PermanentFailure when the topic does not exist or may not be read.
        """
        while not self._ready:
            try:
                await self._catch_up()
            except TemporaryFailure as error:
                log.warning("the catalog cannot be read yet: %s", error)
                await asyncio.sleep(self._again_s)
        self._following = asyncio.create_task(self._follow())
        self._following.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Follow no more. Whoever waits for an offset then is cancelled."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])

    async def reached(self, offset: int) -> None:
        """Wait until everything before `offset` is known. Bound it with `asyncio.timeout`."""
        if self._catalog.offset >= offset:
            return
        if self._following is not None and self._following.done():
            raise RuntimeError("the catalog is not followed any more")
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((offset, waiting))
        await waiting

    async def _catch_up(self) -> None:
        end = (await self._topic.ends()).get(PLACE, 0)
        async with aclosing(self._topic.read({PLACE: self._catalog.offset}, {PLACE: end})) as batches:
            async for batch in batches:
                self._apply(batch)
        self._catalog.passed(end)
        self._ready = True
        self._wake()

    async def _follow(self) -> None:
        while True:
            try:
                async with aclosing(self._topic.follow({PLACE: self._catalog.offset})) as batches:
                    async for batch in batches:
                        self._apply(batch)
                        self._wake()
                        if self.on_change is not None:
                            self.on_change(self._catalog)
            except ConnectorError as error:
                log.warning("the catalog cannot be followed for now: %s", error)
                await asyncio.sleep(self._again_s)

    def _ended(self, following: asyncio.Task[None]) -> None:
        """Following ends when stopped; anything else is a fault of ours, and nobody may wait for ever."""
        error = None if following.cancelled() else following.exception()
        if error is not None:
            log.error("the catalog is not followed any more", exc_info=error)
        for _, waiting in self._waiting:
            waiting.cancel()

    def _apply(self, batch: Sequence[CatalogEntry]) -> None:
        for entry in batch:
            self._catalog.apply(entry.offset, entry.record)
        for problem in self._catalog.problems:
            if problem.offset >= batch[0].offset:
                log.warning("catalog offset %d: %s: %s", problem.offset, problem.about, problem.reason)

    def _wake(self) -> None:
        still = []
        for offset, waiting in self._waiting:
            if waiting.done():
                continue
            if offset <= self._catalog.offset:
                waiting.set_result(None)
            else:
                still.append((offset, waiting))
        self._waiting = still
