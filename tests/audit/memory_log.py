"""A log in memory for the audit, with a history that looks as one that Kafka would have, and files made of
it.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

from audit.export.exporting import export
from audit.export.manifest import Manifest
from audit.export.part_file import opened
from audit.export.plan import Selection, planned
from audit.log import Log, Place
from connectors.event_log import Entry
from schemas.avro_container import DEFLATE
from schemas.codec import encode
from schemas.fields import Record
from schemas.topics import ALERTS, CATALOG, DEAD_LETTERS, RUN_JOURNAL, TOPICS, Topic
from tests.schemas.sample_events import EVENTS, journal
from tests.schemas.samples import SAMPLES

PREFIX = "pulsebook."
PARTITIONS = 2
IDS = {topic.name: f"id-of-{topic.name}" for topic in TOPICS}
BEGAN_MS = 1_795_312_800_000
STEP_MS = 1_000
"""A record every second."""


class Broken(Exception):
    """The log's error where a test wants one."""


class MemoryLog:
    """Topics in memory. `breaks_at`: that many records are read before it breaks. `batch`: records at
    once.
    """

    def __init__(self) -> None:
        self.entries: dict[Place, list[Entry]] = {
            (topic.name, partition): []
            for topic in TOPICS
            for partition in range(1 if topic.single else PARTITIONS)
        }
        self.oldest: defaultdict[Place, int] = defaultdict(int)
        self.breaks_at: int | None = None
        self.batch = 7
        self.count = 0

    def put(self, topic: Topic, partition: int, value: bytes | None, **more: Any) -> Entry:
        """A message at the end of a partition."""
        held = self.entries[topic.name, partition]
        offset = held[-1].offset + 1 if held else 0
        fields = {"key": b"key", "headers": (), "at_ms": BEGAN_MS + STEP_MS * self.count, **more}
        held.append(Entry(topic.name, partition, offset, value=value, **fields))
        self.count += 1
        return held[-1]

    def write(self, topic: Topic, record: Record, key: str = "key", partition: int = 0) -> Entry:
        """A record at the end of a partition."""
        return self.put(topic, 0 if topic.single else partition, encode(record), key=key.encode())

    async def bounds(self) -> Mapping[Place, tuple[int, int]]:
        return {
            place: (self.oldest[place], held[-1].offset + 1 if held else 0)
            for place, held in self.entries.items()
        }

    async def offsets_at(self, at_ms: int) -> Mapping[Place, int]:
        return {
            place: next((one.offset for one in held if one.at_ms >= at_ms), len(held))
            for place, held in self.entries.items()
        }

    async def at(self, topic: str, partition: int, offset: int) -> Entry | None:
        return next((one for one in self.entries[topic, partition] if one.offset == offset), None)

    async def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[Entry], None]:
        for place, end in until.items():
            first = max(positions.get(place, 0), self.oldest[place])
            wanted = [one for one in self.entries[place] if first <= one.offset < end]
            for at in range(0, len(wanted), self.batch):
                batch = wanted[at : at + self.batch]
                if self.breaks_at is not None:
                    self.breaks_at -= len(batch)
                    if self.breaks_at < 0:
                        raise Broken
                yield batch
                await asyncio.sleep(0)


def history() -> MemoryLog:
    """Two partitions a topic, every kind of record, and what a stranger may write."""
    log = MemoryLog()
    for record in SAMPLES:
        for topic in TOPICS:
            if type(record) in topic.records:
                log.write(topic, record, partition=log.count % PARTITIONS)
    for number in range(40):
        log.write(RUN_JOURNAL, journal(EVENTS[number % len(EVENTS)]), f"r-{number % 5}", number % PARTITIONS)
    log.put(ALERTS, 1, b'{"title": "from \xc3\xa9lsewhere"}', key=None)
    log.put(ALERTS, 1, b"\x00\x00\x00\x00\x07confluent", headers=(("endpoint", b"demo"), ("endpoint", None)))
    log.put(ALERTS, 1, b"\xff garbage", key=b"\xff\x00")
    log.put(ALERTS, 1, None)
    log.put(DEAD_LETTERS, 0, b"")
    log.write(CATALOG, SAMPLES[-1])
    return log


async def export_to(
    file: Path,
    log: Log,
    *,
    codec: str = DEFLATE,
    since_ms: int | None = None,
    until_ms: int | None = None,
    selection: Selection = Selection(),  # noqa: B008 - frozen
    note_every_s: float = 0.0,
    anew: bool = False,
    ids: Mapping[str, str] = IDS,
    now_ms: int = BEGAN_MS,
) -> Manifest:
    """What the command does, with this log; it is continued where there is a part."""
    asked = {"since": since_ms, "until": until_ms, "codec": codec}
    part = opened(file, asked, anew=anew, note_every_s=note_every_s)
    try:
        if part.note is None:
            part.begin(asked, await planned(log, ids, PREFIX, since_ms, until_ms, selection), codec, now_ms)
        await export(log, part, ids, lambda done, total: None)
        return part.finish("0.1.0", BEGAN_MS)
    finally:
        part.close()
