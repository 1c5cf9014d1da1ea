"""Reads a partition of one topic again, for a worker that makes rows anew. Seldom: it reads much."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from connectors.event_log import Entry, EventLogReader
from schemas.topics import Topic


class PartitionReader:
    """One topic of a prefix. Every method raises NotReachable."""

    def __init__(self, kafka: Mapping[str, Any], topic: Topic, prefix: str) -> None:
        self._topic = topic.name
        self._log = EventLogReader(kafka, (topic,), prefix)

    async def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset that is kept, and the next one."""
        return (await self._log.bounds())[self._topic, partition]

    async def offset_at(self, partition: int, at_ms: int) -> int:
        """The first offset at or after that time; the end where there is none."""
        return (await self._log.offsets_at(at_ms))[self._topic, partition]

    async def read(self, partition: int, since: int, until: int) -> AsyncGenerator[list[Entry], None]:
        """What is still there from the offset `since` to before `until`, in order, in batches."""
        place = (self._topic, partition)
        positions = {place: since} if since else None
        async with aclosing(self._log.read(positions, {place: until})) as batches:
            async for batch in batches:
                yield batch
