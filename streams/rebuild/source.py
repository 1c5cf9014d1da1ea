"""What a rebuild makes rows of: partitions of topics, read again. Handed in; nothing here knows how."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Protocol

from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.outgoing import Cause
from streams.entries import R
from streams.rebuild.fresh import FreshRows

RECORDS_PER_STEP = 100
"""Records folded in one go, some 10 ms; then the loop does other things."""


class Kept(Protocol):
    """A record as it lies on its topic."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...

    @property
    def cause(self) -> Cause: ...

    @property
    def record(self) -> Record | MalformedMessage: ...


class PartitionLog(Protocol):
    """One topic, a partition at a time."""

    async def bounds(self, partition: int, /) -> tuple[int, int]:
        """The first offset that is kept, and the next one."""

    async def offset_at(self, partition: int, at_ms: int, /) -> int:
        """The first offset at or after that time; the end where there is none."""

    def read(self, partition: int, since: int, until: int, /) -> AsyncGenerator[Sequence[Kept], None]:
        """Records from `since` to before `until`, in order, in batches."""


class Rows(Protocol):
    """A partition's rows as they are, `streams.rows.packed`."""

    def __call__(self, key: bytes, /) -> bytes | None: ...


class Refold(Protocol[R]):
    """Makes the rows of one partition again, once."""

    rows_are_settled: bool
    """Whether a row that is there tells that its input, and all before it, are settled."""

    @property
    def since_ms(self) -> int:
        """Since when the topic is kept; 0: from its beginning. Known after `run`."""

    async def run(
        self, partition: int, until: int, there: Rows, fresh: FreshRows[R], lost: bool = False
    ) -> None:
        """Fold the inputs before the offset `until` into `fresh`. `there`: the rows as they are; `lost`:
        there are none, though there were.
        """

    def keeps(self, key: str, row: bytes | None, made: bytes | None) -> bool:
        """Whether `row` (None: there is none) stays though `made` is what came out: the topic does not tell
        all of it any more.
        """


async def in_steps(log: PartitionLog, partition: int, since: int, until: int) -> AsyncIterator[Kept]:
    """The records one by one, with pauses for whatever else there is to do."""
    if since >= until:
        return
    async with aclosing(log.read(partition, since, until)) as batches:
        async for batch in batches:
            for number, one in enumerate(batch):
                if number % RECORDS_PER_STEP == 0:
                    await asyncio.sleep(0)
                yield one
