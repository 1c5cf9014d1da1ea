"""What the audit needs of a log of records: Kafka's topics, or an exported file. Which one is handed in."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.outgoing import Cause

Place = tuple[str, int]
"""A topic (without prefix) and a partition."""


class Entry(Protocol):
    """One message as it lies on a topic (named without prefix)."""

    @property
    def topic(self) -> str: ...

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def at_ms(self) -> int:
        """The broker's timestamp, epoch ms."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]: ...

    @property
    def cause(self) -> Cause: ...

    @property
    def record(self) -> Record | MalformedMessage:
        """The record, decoded when first asked for, or why it is none."""


class Log(Protocol):
    """Topics that can be read from any place, as often as needed. Writes nothing."""

    async def bounds(self) -> Mapping[Place, tuple[int, int]]:
        """First offset that is kept and next offset, of every partition; equal where it holds nothing."""

    async def offsets_at(self, at_ms: int) -> Mapping[Place, int]:
        """Of every partition, the first offset at or after that time; its end where there is none."""

    async def at(self, topic: str, partition: int, offset: int) -> Entry | None:
        """The message at one place; None where there is none (any more)."""

    def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Entry], None]:
        """In batches from `positions` (else from the oldest) to `until`, in the order of each partition.

        Partitions that `until` does not name are not read.
        """
