"""What the ledger holds: inputs on their way to being settled, and rows that are not in the table yet."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from faust.types import Message

from streams.table import Acked

R = TypeVar("R")
Rows = Mapping[bytes, bytes | None]
"""Rows as they are kept, by key; None deletes."""


@dataclass(slots=True, eq=False)
class Entry:
    """One input on its way. `message` None: rows that settle no input (a watermark, a note)."""

    partition: int
    generation: int | None
    """The group's generation in which the input was read: another one may belong to another worker."""
    rows: Rows
    message: Message | None = None
    sent: Sequence[asyncio.Future[Any]] = ()
    acked: Acked | None = None
    """Of the last changelog record; None where there was none to send."""
    apart: bool = False
    """The rows are not of this input: each is written by itself, as it was."""
    size_bytes: int = 0
    stored: "asyncio.Future[None] | None" = None
    """Set when the table has the rows, or never will: of rows that no input leads to."""

    @classmethod
    def of(
        cls, message: Message, rows: Rows, sent: Sequence[asyncio.Future[Any]] = (), apart: bool = False
    ) -> "Entry":
        """The entry of an input."""
        size_bytes = sum(len(row) for row in rows.values() if row is not None)
        return cls(
            message.partition,
            message.generation_id,
            rows,
            message,
            sent,
            apart=apart,
            size_bytes=size_bytes,
        )


@dataclass(slots=True)
class Held(Generic[R]):
    """A row of the overlay, and how many entries under way wrote it."""

    row: R | None
    kept: bytes | None
    writers: int
    before: R | None
    """The row that the table has."""


class Kept(NamedTuple, Generic[R]):
    """A row has come into the table (None: it is gone), in place of `before`."""

    partition: int
    key: str
    row: R | None
    before: R | None
