"""How somebody would alter an exported file: rows taken out of its blocks, changed, and put back in."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from audit.export.chain import rows, sealed
from audit.export.chain_checking import Finding
from audit.export.chain_file import verify
from audit.export.manifest import manifest_path
from schemas.avro_container import Reader, block
from schemas.exported import ExportedRecord

ROWS_A_BLOCK = 5


def rows_of(file: Path) -> list[ExportedRecord]:
    """All rows."""
    with file.open("rb") as stream:
        return [row for each in Reader(stream).blocks() for _, row in rows(each.rows)]


def put_back(file: Path, forged: Sequence[ExportedRecord], sealing: frozenset[int] = frozenset()) -> None:
    """These rows in place of those that were there, behind the same header. Rows keep the hashes that they
    have; those whose index is in `sealing` get their own anew.
    """
    with file.open("rb") as stream:
        reader = Reader(stream)
        header = file.read_bytes()[: reader.first]
    packed = [header]
    written = [resealed(row) if at in sealing else as_it_is(row) for at, row in enumerate(forged)]
    for at in range(0, len(written), ROWS_A_BLOCK):
        some = written[at : at + ROWS_A_BLOCK]
        packed.append(block(b"".join(some), len(some), reader.codec, reader.sync))
    file.write_bytes(b"".join(packed))


def as_it_is(row: ExportedRecord) -> bytes:
    """The row's bytes with the hash that it has, right or wrong."""
    assert re.fullmatch("[0-9a-f]{64}", row.sha256)
    return resealed(row)[:-64] + row.sha256.encode()


def resealed(row: ExportedRecord) -> bytes:
    """The row's bytes with its hash made anew."""
    return sealed(row)[0]


def chained(forged: Sequence[ExportedRecord], beginning: str) -> list[ExportedRecord]:
    """All links made anew: what only the head can tell."""
    found = []
    for number, row in enumerate(forged, 1):
        one = changed(row, number=number, previous_sha256=beginning)
        beginning = sealed(one)[1]
        found.append(changed(one, sha256=beginning))
    return found


def changed(row: ExportedRecord, **fields: Any) -> ExportedRecord:
    """The row with other fields."""
    return msgspec.structs.replace(row, **fields)


def without_manifest(file: Path) -> None:
    """As somebody would pass the file on alone."""
    manifest_path(file).unlink()


def first(file: Path, head: str | None = None) -> Finding:
    """What is found, and it is the same without a manifest."""
    found = verify(file, head).findings[0]
    if manifest_path(file).exists():
        without_manifest(file)
        alone = verify(file, head).findings[0]
        assert (alone.kind, alone.number, alone.offset) == (found.kind, found.number, found.offset)
    return found


def place(row: ExportedRecord) -> str:
    return f"{row.topic}/{row.partition}/{row.offset}"


def is_at(found: Finding, kind: str, row: ExportedRecord) -> bool:
    where = (found.number, found.topic, found.partition, found.offset)
    assert f"record {row.number} ({place(row)})" in found.text
    return (found.kind, where) == (kind, (row.number, row.topic, row.partition, row.offset))
