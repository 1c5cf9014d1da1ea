"""An exported file as a log: read from any place, as Kafka's topics are, for a replay without Kafka.

Where each partition lies in the file is noted while the chain is verified, block by block; afterwards a read
unpacks the blocks that it needs. Memory is a few numbers for each block, and one block.
"""

from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from audit.export.exported_file import ExportFile, Row
from audit.export.manifest import NotAManifest, manifest_path, read_manifest
from audit.log import Place
from schemas.avro_container import Block
from schemas.codec import decode
from schemas.errors import MalformedMessage
from schemas.exported import ExportedRecord
from schemas.fields import Record
from schemas.outgoing import Cause


@dataclass(frozen=True)
class FileEntry:
    """A message as it lay on its topic."""

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def cause(self) -> Cause:
        """Where it stood."""
        return Cause(self.topic, self.partition, self.offset, self.at_ms)

    @cached_property
    def record(self) -> Record | MalformedMessage:
        """The record, decoded when first asked for, or why it is none."""
        try:
            return decode(self.value)
        except MalformedMessage as error:
            return error


class _Part(NamedTuple):
    """A partition's records within one block: the first of them, and where the block lies."""

    offset: int
    at_ms: int
    position: int


class FileLog:
    """`note` every block of the file in its order, then read. A file that was not verified proves nothing."""

    def __init__(self, path: Path) -> None:
        """Raises NotAnExport, OSError."""
        self._path = path
        with ExportFile(path) as file:
            self.plan = file.plan
        self._parts: dict[Place, list[_Part]] = {}
        self._latest_ms = 0

    def note(self, block: Block, rows: Sequence[Row]) -> None:
        """Where the partitions of a block lie; `audit.export.chain_file.verify` calls it."""
        self._latest_ms = max([self._latest_ms, *(row.record.at_ms for row in rows)])
        for place, held in groupby(rows, key=lambda row: row.link.place):
            first = next(held).record
            self._parts.setdefault(place, []).append(_Part(first.offset, first.at_ms, block.position))

    def ends_ms(self) -> int:
        """Until when the file holds what came: the end of its period, or when the export began. Where no
        manifest tells that, its latest record; and never before that one, whoever wrote the manifest.
        """
        try:
            began_ms = read_manifest(manifest_path(self._path)).began_at_ms or 0
        except (NotAManifest, OSError):
            began_ms = 0
        until_ms = began_ms if self.plan.until_ms is None else min(self.plan.until_ms, began_ms)
        return max(until_ms, self._latest_ms)

    async def bounds(self) -> Mapping[Place, tuple[int, int]]:
        """As they were when the export began: its period, not all that Kafka had."""
        return self.plan.bounds

    async def offsets_at(self, at_ms: int) -> Mapping[Place, int]:
        """Of every partition, the first offset at or after that time; its end where there is none."""
        found = {}
        for place, (_, end) in self.plan.bounds.items():
            earlier = sum(part.at_ms < at_ms for part in self._parts.get(place, ()))
            later = (one.offset for one in self._entries(place, max(0, earlier - 1)) if one.at_ms >= at_ms)
            found[place] = next(later, end)
        return found

    async def at(self, topic: str, partition: int, offset: int) -> FileEntry | None:
        """The message at one place; None where the file has none."""
        place = topic, partition
        for one in self._entries(place, self._part_of(place, offset)):
            if one.offset >= offset:
                return one if one.offset == offset else None
        return None

    async def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[FileEntry], None]:
        """A batch for each block, one partition after the other."""
        for place, end in until.items():
            start = positions.get(place, 0)
            for batch in self._batches(place, self._part_of(place, start)):
                wanted = [one for one in batch if start <= one.offset < end]
                if wanted:
                    yield wanted
                if batch[-1].offset >= end:
                    break

    def _part_of(self, place: Place, offset: int) -> int:
        """Which part holds the offset, if any does."""
        return max(0, bisect_right(self._parts.get(place, []), offset, key=lambda part: part.offset) - 1)

    def _entries(self, place: Place, first: int) -> Iterator[FileEntry]:
        for batch in self._batches(place, first):
            yield from batch

    def _batches(self, place: Place, first: int) -> Iterator[list[FileEntry]]:
        parts = self._parts.get(place, [])[first:]
        if not parts:
            return
        with ExportFile(self._path) as file:
            # The blocks of a partition follow one another: the file is read on from the first.
            for _, (_, rows) in zip(parts, file.blocks(parts[0].position), strict=False):
                yield [_entry(row.record) for row in rows if row.link.place == place]


def _entry(row: ExportedRecord) -> FileEntry:
    # A header without a value is handed on as Kafka's reader hands it on.
    headers: tuple[tuple[str, bytes | None], ...] = tuple((one.name, one.value) for one in row.headers)
    return FileEntry(row.topic, row.partition, row.offset, row.at_ms, row.key, row.value, headers)  # type: ignore[arg-type]  # as above
