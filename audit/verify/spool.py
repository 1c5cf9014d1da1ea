"""Files on this disk, for as long as one audit takes: traces in buckets by subject, notes by place.

Each worker appends to files of its own. So memory stays bounded whatever there is to compare: a bucket is
read, judged and forgotten by itself.
"""

import errno
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from audit.verify.traces import SIZE

BUFFER_BYTES = 64 * 1024
RANGE_BITS = 17
"""Notes about inputs are kept together for 131,072 offsets: so many are at hand at once."""


class DiskFull(Exception):
    """There is no room for the files of the audit. The message says where and what to do."""


class Buckets:
    """Traces of one set (`runs`, `alerts`) in `count` buckets, written by this process."""

    def __init__(self, folder: Path, name: str, count: int) -> None:
        self._folder, self._name, self._count = folder, name, count
        self._buffers = [bytearray() for _ in range(count)]

    def add(self, subject: bytes, trace: bytes) -> None:
        """Keep a trace. Raises DiskFull."""
        bucket = (subject[0] << 8 | subject[1]) % self._count
        buffer = self._buffers[bucket]
        buffer += trace
        if len(buffer) >= BUFFER_BYTES:
            self._write(bucket)

    def flush(self) -> None:
        """Write what is still in memory."""
        for bucket, buffer in enumerate(self._buffers):
            if buffer:
                self._write(bucket)

    def _write(self, bucket: int) -> None:
        _append(self._folder / f"{self._name}.{bucket:04d}.{os.getpid()}", self._buffers[bucket])
        self._buffers[bucket] = bytearray()


def traces_of(folder: Path, name: str, bucket: int) -> list[bytes]:
    """All traces of a bucket, sorted."""
    found: list[bytes] = []
    for path in folder.glob(f"{name}.{bucket:04d}.*"):
        data = path.read_bytes()
        found += [data[at : at + SIZE] for at in range(0, len(data), SIZE)]
    found.sort()
    return found


class Note(msgspec.Struct, frozen=True, array_like=True):
    """Something that must be known when the input at `offset` is folded."""

    offset: int
    what: str
    text: str = ""
    number: int = 0


_NONE: Sequence[Note] = ()
NO_NOTES: Mapping[str, Note] = MappingProxyType({})
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Note)


class Notes:
    """Notes about inputs, written by this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffers: dict[str, bytearray] = defaultdict(bytearray)

    def add(self, topic: str, partition: int, note: Note) -> None:
        """Keep a note. Raises DiskFull. Notes on places that cannot be are dropped."""
        if note.offset < 0:
            return
        name = _name(topic, partition, note.offset)
        buffer = self._buffers[name]
        buffer += _encoder.encode(note) + b"\n"
        if len(buffer) >= BUFFER_BYTES:
            self._write(name)

    def flush(self) -> None:
        """Write what is still in memory."""
        for name in list(self._buffers):
            self._write(name)

    def _write(self, name: str) -> None:
        _append(self._folder / f"{name}.{os.getpid()}", self._buffers.pop(name))


class NotesOf:
    """The notes about inputs of one partition, for somebody who goes through it in order."""

    def __init__(self, folder: Path, topic: str, partition: int) -> None:
        self._folder, self._topic, self._partition = folder, topic, partition
        self._range = -1
        self._notes: dict[int, list[Note]] = {}

    def at(self, offset: int) -> Sequence[Note]:
        """The notes about the input at `offset`."""
        if offset >> RANGE_BITS != self._range:
            self._range = offset >> RANGE_BITS
            self._notes = {}
            for note in self._read(offset):
                self._notes.setdefault(note.offset, []).append(note)
        return self._notes.get(offset, _NONE)

    def _read(self, offset: int) -> Iterator[Note]:
        for path in sorted(self._folder.glob(f"{_name(self._topic, self._partition, offset)}.*")):
            for line in path.read_bytes().splitlines():
                yield _decoder.decode(line)


def _name(topic: str, partition: int, offset: int) -> str:
    return f"notes-{topic}.{partition}.{offset >> RANGE_BITS}"


def _append(path: Path, data: bytes | bytearray) -> None:
    try:
        with path.open("ab", buffering=0) as file:
            rest: Any = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no room left in {path.parent}: the audit keeps about 130 bytes there for every record that "
                "follows from another; TMPDIR names another folder"
            ) from error
        raise
