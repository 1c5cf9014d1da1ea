"""A log in memory, and a crew of one, for tests of the audit."""

import dataclasses
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

from audit.log import Place
from audit.verify.findings import Tally
from audit.verify.frame import Positions
from audit.verify.verifying import frame_of, verify
from audit.verify.work import Alone
from connectors.event_log import Entry
from schemas.topics import TOPICS

Topics = Mapping[str, Sequence[Entry]]


class MemoryLog:
    """Entries by topic. `starts`: where a partition begins, if not with its first entry."""

    def __init__(self, topics: Topics, partitions: int = 1) -> None:
        self._parts: dict[Place, list[Entry]] = {
            (topic.name, partition): []
            for topic in TOPICS
            for partition in range(1 if topic.single else partitions)
        }
        for topic in TOPICS:
            for entry in topics.get(topic.name, ()):
                # A copy each: an entry keeps the record it was decoded to.
                self._parts[entry.topic, entry.partition].append(dataclasses.replace(entry))

    async def bounds(self) -> Mapping[Place, tuple[int, int]]:
        return {
            place: (entries[0].offset, entries[-1].offset + 1) if entries else (0, 0)
            for place, entries in self._parts.items()
        }

    async def offsets_at(self, at_ms: int) -> Mapping[Place, int]:
        found = {}
        for place, entries in self._parts.items():
            later = [one.offset for one in entries if one.at_ms >= at_ms]
            found[place] = later[0] if later else (entries[-1].offset + 1 if entries else 0)
        return found

    async def at(self, topic: str, partition: int, offset: int) -> Entry | None:
        return next((one for one in self._parts[topic, partition] if one.offset == offset), None)

    async def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Entry], None]:
        for place, end in until.items():
            batch = [one for one in self._parts[place] if positions.get(place, 0) <= one.offset < end]
            for at in range(0, len(batch), 100):
                yield batch[at : at + 100]


async def verified(
    topics: Topics,
    folder: Path,
    now_ms: int,
    positions: Positions | None = None,
    partitions: int = 1,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Tally:
    """The findings about a history. Without `positions`, all of it is settled."""
    log = MemoryLog(topics, partitions)
    if positions is None:
        ends = {place: end for place, (_, end) in (await log.bounds()).items()}
        positions = Positions(ends, ends, members=1)

    async def ask() -> Positions:
        return positions

    frame = await frame_of(log, ask, now_ms, since_ms, until_ms)
    folder.mkdir(exist_ok=True)
    tally, _ = await verify(frame, Alone(log, folder, lambda count: None))
    return tally
