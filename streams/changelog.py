"""From rows to the changelog: in order, the lease checked before each, watermarks behind the rows they cover.

The middle of `streams.ledger`: what is sent here waits in `logged` for the broker, and comes into the store
then. Also where rows are written that no input leads to: a rebuild's.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from streams.entries import Entry
from streams.line import Line
from streams.rows import WATERMARK
from streams.table import MadeAgain, RowTable
from streams.watermarks import Watermarks

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

WATERMARK_EVERY_S = 1.0


class NotOurs(Exception):
    """The partition was given back meanwhile: nothing more may be written to it."""


class Generations(Protocol):
    """In which generation of the group each partition was assigned to us."""

    def get(self, partition: int) -> int | None: ...


class Changelog:
    """The changelog of one table."""

    def __init__(
        self, app: "HardenedApp", table: RowTable, watermarks: Watermarks, generations: Generations
    ) -> None:
        self._app = app
        self._table = table
        self._watermarks = watermarks
        self._generations = generations
        self._turn = asyncio.Lock()
        self.logged: Line[Entry] = Line()
        """What was sent, in order."""
        app.in_background(self._watermark_often)

    async def log(self, entry: Entry) -> bool:
        """Send the rows of an input. False where the partition is not ours any more."""
        async with self._turn:
            await self._app.lease.ready()
            if self._generations.get(entry.partition) != entry.generation:
                return False
            message = entry.message
            if None in entry.rows.values():
                await self._log_watermark(entry.partition)
            if entry.apart:
                for key, row in entry.rows.items():
                    entry.acked = await self._table.log_rows(entry.partition, 0, {key: row})
            elif entry.rows:
                offset = message.offset if message is not None else 0
                entry.acked = await self._table.log_rows(entry.partition, offset, entry.rows)
            if message is not None:
                self._watermarks.passed(entry.partition, message.offset)
            self.logged.append(entry)
        return True

    async def write_made_again(self, partition: int, rebuild: int, made: Sequence[MadeAgain]) -> None:
        """Write rows that no input leads to; returns when the table has them. Raises NotOurs."""
        generation = self._generations.get(partition)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        async with self._turn:
            await self._app.lease.ready()
            self._must_be(partition, generation)
            acked = await self._table.log_made_again(partition, rebuild, made)
            rows = {one.key: one.row for one in made}
            self.logged.append(Entry(partition, generation, rows, acked=acked, stored=stored))
        await stored
        self._must_be(partition, generation)

    async def cover(self, partition: int, offset: int) -> None:
        """The rows of the input at `offset`, and of all before it, were written: let the watermark say so."""
        self._watermarks.passed(partition, offset)
        async with self._turn:
            await self._app.lease.ready()
            await self._log_watermark(partition)

    def _must_be(self, partition: int, generation: int | None) -> None:
        if generation is None or self._generations.get(partition) != generation:
            raise NotOurs(f"partition {partition} of {self._table.name} was given back")

    async def _log_watermark(self, partition: int) -> None:
        """Cover every input whose rows were sent. The caller holds the turn."""
        due = self._watermarks.due(partition)
        if due is None:
            return
        row, acked = await self._table.log_watermark(partition, *due)
        self.logged.append(Entry(partition, self._generations.get(partition), {WATERMARK: row}, acked=acked))

    async def _watermark_often(self) -> None:
        while True:
            await asyncio.sleep(WATERMARK_EVERY_S)
            for partition in self._watermarks.partitions():
                async with self._turn:
                    if self._app.lease.held and not self._app.lease.lapsed():
                        await self._log_watermark(partition)
