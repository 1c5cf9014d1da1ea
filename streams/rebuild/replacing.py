"""Puts rows that were made again in the place of those that are there, row by row, in the order of keys.

All are written, also those that came out the same: the changelog may have lost them. One that must not be
there is deleted. What is told of each is whether it was right.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic

from streams.entries import Kept, R
from streams.rebuild.fresh import FreshRows
from streams.rows import applied_of, packed, payload_of
from streams.store import RowStore
from streams.table import MadeAgain

ROWS_PER_READ = 200
ROWS_PER_WRITE = 100
BYTES_PER_WRITE = 512 << 10
EXAMPLES_MAX = 5

Write = Callable[[Sequence[MadeAgain]], Awaitable[None]]
Keeps = Callable[[str, bytes | None, bytes | None], bool]


@dataclass(slots=True)
class Counts:
    """What came of a partition's rows."""

    rows: int = 0
    """There now."""
    equal: int = 0
    differing: int = 0
    """Wrong, missing, or one too many."""
    kept: int = 0
    examples: list[str] = field(default_factory=list)
    """Keys of the first that differed."""


class Replacing(Generic[R]):
    """One partition. `keeps`: whether a row stays though another came out; `changed` is told of each row that
    is another one now.
    """

    def __init__(
        self,
        store: RowStore,
        partition: int,
        fresh: FreshRows[R],
        decode: Callable[[bytes], R],
        keeps: Keeps,
        write: Write,
        changed: Callable[[Kept[R]], None],
    ) -> None:
        self._store = store
        self._partition = partition
        self._fresh = fresh
        self._decode = decode
        self._keeps = keeps
        self._write = write
        self._changed = changed
        self._made: list[MadeAgain] = []
        self._news: list[Kept[R]] = []
        self._bytes = 0
        self.counts = Counts()

    async def run(self) -> Counts:
        """Replace all of them."""
        self._fresh.flush()
        for number, (key, row, made) in enumerate(self._pairs()):
            self._take(key, row, made)
            if len(self._made) >= ROWS_PER_WRITE or self._bytes >= BYTES_PER_WRITE:
                await self._flush()
            elif number % ROWS_PER_READ == 0:
                await asyncio.sleep(0)
        await self._flush()
        return self.counts

    def _pairs(self) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
        """Key, the row that is there, the row that was made; in the order of keys."""
        there = _in_order(lambda after: self._store.rows_after(self._partition, after, ROWS_PER_READ))
        made = _in_order(lambda after: self._fresh.after(after, ROWS_PER_READ))
        one, other = next(there, None), next(made, None)
        while one is not None or other is not None:
            if other is None or (one is not None and one[0] < other[0]):
                assert one is not None  # noqa: S101 - one of the two is there
                yield one[0], one[1], None
                one = next(there, None)
            elif one is None or other[0] < one[0]:
                yield other[0], None, other[1]
                other = next(made, None)
            else:
                yield one[0], one[1], other[1]
                one, other = next(there, None), next(made, None)

    def _take(self, key: bytes, row: bytes | None, made: bytes | None) -> None:
        name, counts = key.decode(), self.counts
        if row is not None and made is not None and self._are_equal(row, made):
            counts.equal += 1
        elif self._keeps(name, row, made):
            counts.kept += row is not None
            made = row
        else:
            counts.differing += 1
            if len(counts.examples) < EXAMPLES_MAX:
                counts.examples.append(name)
            self._news.append(Kept(self._partition, name, self._row(made), self._row(row)))
        counts.rows += made is not None
        if row is None and made is None:
            return
        applied = max(applied_of(one) for one in (row, made) if one is not None)
        written = None if made is None else packed(applied, payload_of(made))
        self._made.append(MadeAgain(key, written, applied))
        self._bytes += len(written or b"")

    def _are_equal(self, row: bytes, made: bytes) -> bool:
        if payload_of(row) == payload_of(made):
            return True
        there = self._row(row)  # as bytes they may differ in an order that means nothing
        return there is not None and there == self._row(made)

    def _row(self, row: bytes | None) -> R | None:
        try:
            return None if row is None else self._decode(payload_of(row))
        except ValueError:
            return None  # it cannot be read: another one takes its place

    async def _flush(self) -> None:
        made, news = self._made, self._news
        self._made, self._news, self._bytes = [], [], 0
        if made:
            await self._write(made)
        for one in news:
            self._changed(one)


def _in_order(
    read: Callable[[bytes | None], list[tuple[bytes, bytes]]],
) -> Iterator[tuple[bytes, bytes]]:
    after: bytes | None = None
    while rows := read(after):
        yield from rows
        after = rows[-1][0]
