"""A topic in memory, as a rebuild reads it: the records as bytes, one partition like another."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import cached_property

from schemas.codec import decode, encode
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.outgoing import Cause

BATCH = 3


@dataclass(frozen=True)
class Lying:
    """A record as it lies there."""

    key: bytes | None
    value: bytes | None
    cause: Cause
    headers: tuple[tuple[str, bytes], ...] = ()

    @cached_property
    def record(self) -> Record | MalformedMessage:
        try:
            return decode(self.value)
        except MalformedMessage as wrong:
            return wrong


class MemoryLog:
    """One topic. `cut`: the records before that offset are no longer kept."""

    def __init__(self, topic: str, at_ms: int = 1_795_000_000_000) -> None:
        self.topic = topic
        self.at_ms = at_ms
        self.records: list[Lying] = []
        self.cut = 0
        self.decoded = 0

    def add(
        self,
        key: str,
        record: Record | bytes,
        partition: int = 0,
        *,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> int:
        """The record's offset. Each comes a second after the one before."""
        offset = len(self.records)
        value = record if isinstance(record, bytes) else encode(record)
        cause = Cause(self.topic, partition, offset, self.at_ms + 1_000 * offset)
        self.records.append(Lying(key.encode(), value, cause, tuple(headers)))
        return offset

    async def bounds(self, partition: int) -> tuple[int, int]:
        return self.cut, len(self.records)

    async def offset_at(self, partition: int, at_ms: int) -> int:
        found = (one.cause.offset for one in self.records if one.cause.at_ms >= at_ms)
        return max(self.cut, next(found, len(self.records)))

    async def read(self, partition: int, since: int, until: int) -> AsyncGenerator[list[Lying], None]:
        there = [
            one for one in self.records[max(since, self.cut) : until] if one.cause.partition == partition
        ]
        for first in range(0, len(there), BATCH):
            yield there[first : first + BATCH]
