"""An exported file while it is made: FILE.part, and a note beside it of how far it is.

What the note says is on the disk when it says so: after a kill, a full disk or a power cut, whatever stands
behind the noted place is cut off, and the export goes on from there. One process at a time, by a lock that
no crash can leave behind. Finished, the file gets its name, and its manifest lies there before it does.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from audit.export import chain, manifest
from audit.export.counts import Counts, Lost
from audit.export.plan import Plan, read_plan
from audit.log import Entry
from schemas.avro_container import SYNC_BYTES, block, header
from schemas.avro_form import schema_of
from schemas.avro_plain import fingerprint
from schemas.exported import ExportedRecord

BLOCK_BYTES = 256 * 1024
"""Of rows, unpacked: a block is written when it has as many."""
NOTE_EVERY_S = 0.5
DESCRIPTION = "pulsebook.export"
"""The metadata of the file that hold its plan."""


class CannotExport(Exception):
    """Why this file cannot be written, and the way out."""


class FileInUse(CannotExport):
    """Another process writes it at this moment."""


class Note(msgspec.Struct, forbid_unknown_fields=True):
    """How far the file is. `asked`: what the command asked for, as it was typed. `position`: bytes that hold.

    `done`: how many partitions are done, in the order of the plan; `offset`: where to go on in the next one,
    None where it has not begun. `began_ms`: when the ends of the partitions were asked for.
    """

    asked: dict[str, Any]
    plan: str
    codec: str
    sync: str
    position: int
    head: str
    counts: Counts
    done: int = 0
    offset: int | None = None
    lost: list[Lost] = []
    began_ms: int | None = None


class PartFile:
    """Use `opened`; `begin` it unless it has a `note`; `add` rows; `finish` it. `close` keeps what there
    is.
    """

    def __init__(self, file: Path, descriptor: int, note: Note | None, note_every_s: float) -> None:
        self.file, self.note = file, note
        self._stream = os.fdopen(descriptor, "r+b")
        self._part, self._note_path = part_path(file), note_path(file)
        self._rows: list[bytes] = []
        self._rows_bytes = 0
        self._packing: asyncio.Future[bytes] | None = None
        self._note_every_s, self._noted_s = note_every_s, time.monotonic()
        self._stream.truncate(note.position if note else 0)
        self._stream.seek(0, os.SEEK_END)

    def begin(self, asked: Mapping[str, Any], plan: Plan, codec: str, began_ms: int) -> Note:
        """Write the header of a new file."""
        sync, text = secrets.token_bytes(SYNC_BYTES), plan.text()
        schema = json.dumps(schema_of(ExportedRecord), ensure_ascii=False).encode()
        self._stream.write(header(schema, codec, sync, {DESCRIPTION: text}))
        head = chain.beginning(text)
        self.note = Note(dict(asked), text.decode(), codec, sync.hex(), 0, head, Counts(), began_ms=began_ms)
        self._keep_note()
        return self.note

    @property
    def kept(self) -> Note:
        """The note, once there is one."""
        if self.note is None:
            raise CannotExport(f"{self._part} was not begun")
        return self.note

    @property
    def plan(self) -> Plan:
        """What the file is to hold. Raises NotAPlan."""
        return read_plan(self.kept.plan.encode())

    def add(self, entry: Entry) -> None:
        """One record more. What was added is to be written with `write` now and then: see `is_full`."""
        note = self.kept
        counts = note.counts
        row, note.head, said = chain.row(counts.records + 1, note.head, entry)
        counts.add((entry.topic, entry.partition), entry.offset, note.head)
        if said.fingerprint:
            counts.schemas.setdefault(said.fingerprint, said.type)
        self._rows.append(row)
        self._rows_bytes += len(row)

    @property
    def is_full(self) -> bool:
        """There are rows enough for a block."""
        return self._rows_bytes >= BLOCK_BYTES

    async def write(self) -> None:
        """Have the rows that there are packed into a block, in a thread: more can be added meanwhile."""
        await self._written()
        if self._rows:
            rows, sync = b"".join(self._rows), bytes.fromhex(self.kept.sync)
            packing = asyncio.to_thread(block, rows, len(self._rows), self.kept.codec, sync)
            self._packing = asyncio.ensure_future(packing)
            self._rows, self._rows_bytes = [], 0

    async def _written(self) -> None:
        """Write the block that was packed. Who is interrupted here has lost nothing: it is still to be
        written.
        """
        if self._packing is not None:
            self._stream.write(await asyncio.shield(self._packing))
            self._packing = None

    async def note_if_due(self) -> None:
        """Write what there is and a note of it, unless there was one a moment ago."""
        if time.monotonic() >= self._noted_s + self._note_every_s:
            await self.keep()

    async def keep(self) -> None:
        """Write what there is, and a note of it."""
        await self.write()
        await self._written()
        self._keep_note()

    def finish(self, version: str, made_at_ms: int) -> manifest.Manifest:
        """Write the manifest and give the file its name. To be called when all is written."""
        self._keep_note()
        made = self._manifest(version, made_at_ms)
        _replace(manifest.manifest_path(self.file), made.text())
        self._part.replace(self.file)
        self._note_path.unlink(missing_ok=True)
        _sync_folder(self.file)
        return made

    def close(self) -> None:
        """Let go of the file; another process may continue it."""
        with contextlib.suppress(OSError):
            self._stream.close()

    def _manifest(self, version: str, made_at_ms: int) -> manifest.Manifest:
        note = self.kept
        return manifest.Manifest(
            file=self.file.name,
            file_bytes=note.position,
            file_sha256=manifest.file_sha256(self._part),
            codec=note.codec,
            records=note.counts.records,
            first_sha256=note.counts.first_sha256,
            head=note.head,
            export=json.loads(note.plan),
            topics=note.counts.places,
            schemas=note.counts.schemas,
            lost=note.lost,
            row_schema=fingerprint(schema_of(ExportedRecord))[::-1].hex(),
            began_at_ms=note.began_ms,
            made_at_ms=made_at_ms,
            pulsebook=version,
        )

    def _keep_note(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self.kept.position = self._stream.tell()
        _replace(self._note_path, msgspec.json.encode(self.kept))
        self._noted_s = time.monotonic()


def part_path(file: Path) -> Path:
    """Where a file lies while it is made."""
    return file.with_name(file.name + ".part")


def note_path(file: Path) -> Path:
    """Where the note of how far it is lies."""
    return file.with_name(file.name + ".part.json")


def opened(
    file: Path, asked: Mapping[str, Any], *, anew: bool = False, note_every_s: float = NOTE_EVERY_S
) -> PartFile:
    """A file to be made, or to be continued where it has a note. `anew`: whatever is there is replaced.

    Raises CannotExport: it is finished, is being written, or is part of another export. OSError.
    """
    begun = part_path(file).exists() and note_path(file).exists()
    if file.exists() and not begun and not anew:
        raise CannotExport(f"{file} is there already: --force replaces it")
    descriptor = os.open(part_path(file), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, file)
        note = _read_note(file, descriptor, asked) if begun and not anew else None
    except BaseException:
        os.close(descriptor)
        raise
    return PartFile(file, descriptor, note, note_every_s)


def _lock(descriptor: int, file: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FileInUse(f"another export writes {file} at this moment") from None
    part = part_path(file)
    # It may have got its name between our opening it and its writer's letting go of it.
    if not part.exists() or not os.path.samestat(os.fstat(descriptor), part.stat()):
        raise FileInUse(f"another export has just finished {file}")


def _read_note(file: Path, descriptor: int, asked: Mapping[str, Any]) -> Note | None:
    part, path = part_path(file), note_path(file)
    try:
        note = msgspec.json.decode(path.read_bytes(), type=Note)
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise CannotExport(f"{path} cannot be read: --force begins the export anew") from None
    if note.asked != dict(asked):
        was = ", ".join(f"{name} {value}" for name, value in note.asked.items() if value) or "everything"
        raise CannotExport(
            f"{part} is part of another export ({was}): the same command continues it, --force begins anew"
        )
    if os.fstat(descriptor).st_size < note.position:
        raise CannotExport(f"{part} is shorter than its note says: --force begins the export anew")
    return note


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)


def _sync_folder(file: Path) -> None:
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
