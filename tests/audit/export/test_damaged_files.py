"""A file that the product wrote and that something has damaged: flipped bits, a lost end, another
manifest.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.export.chain_file import verify
from audit.export.manifest import manifest_path
from schemas.avro_container import DEFLATE, PLAIN, ZSTD, Reader
from schemas.exported import ExportedRecord
from tests.audit.forging import first, is_at, place, rows_of, without_manifest
from tests.audit.memory_log import export_to, history

AT = 30


async def test_an_altered_description_of_the_file_is_told(exported: Path) -> None:
    data = exported.read_bytes()
    exported.write_bytes(data.replace(b'"prefix":"pulsebook."', b'"prefix":"pulsepack."', 1))
    assert first(exported).kind == "description"


async def test_an_altered_schema_is_told(exported: Path) -> None:
    data = exported.read_bytes()
    exported.write_bytes(data.replace(b'"name": "offset"', b'"name": "offsat"', 1))
    assert "another schema" in first(exported).text


@pytest.mark.parametrize("codec", [DEFLATE, ZSTD, PLAIN])
async def test_a_flipped_bit_anywhere_is_told(tmp_path: Path, codec: str) -> None:
    file = tmp_path / "all.avro"
    await export_to(file, history(), codec=codec)
    data = file.read_bytes()
    for at in range(0, len(data), 89):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert verify(file).findings, f"byte {at} of {len(data)}"
    file.write_bytes(data)
    assert verify(file).findings == []


async def test_a_flipped_bit_in_a_value_names_its_record(tmp_path: Path) -> None:
    file = tmp_path / "all.avro"
    await export_to(file, history(), codec=PLAIN)
    data, rows = file.read_bytes(), rows_of(file)
    value = rows[AT].value or b""
    file.write_bytes(data.replace(value, value[:-1] + bytes([value[-1] ^ 1])))
    assert is_at(first(file), "altered", rows[AT])


@pytest.mark.parametrize("codec", [DEFLATE, ZSTD, PLAIN])
async def test_a_truncated_file_says_up_to_which_record_it_is_there(tmp_path: Path, codec: str) -> None:
    file = tmp_path / "all.avro"
    made = await export_to(file, history(), codec=codec)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 2 // 3])
    verdict = verify(file)
    (found,) = verdict.findings
    last = rows_of_first(file, data, verdict.records)[-1]
    assert found.kind == "unreadable"
    assert f"behind record {verdict.records} ({place(last)})" in found.text
    assert f"the manifest says that there are {made.records} records" in found.text


def rows_of_first(exported: Path, data: bytes, count: int) -> list[ExportedRecord]:
    exported.write_bytes(data)
    return rows_of(exported)[:count]


async def test_a_whole_block_cut_out_is_named_by_its_records(exported: Path) -> None:
    data, rows = exported.read_bytes(), rows_of(exported)
    with exported.open("rb") as stream:
        blocks = list(Reader(stream).blocks())
    at = next(at for at, each in enumerate(blocks) if each.rows_count == 7)
    exported.write_bytes(data[: blocks[at].position] + data[blocks[at].end :])
    before = sum(each.rows_count for each in blocks[:at])
    found = first(exported)
    assert (found.kind, found.number) == ("removed", before + 1)
    assert f"records {before + 1} to {before + 7} were removed" in found.text
    assert f"between {place(rows[before - 1])} and {place(rows[before + 7])}" in found.text


async def test_rows_that_a_block_does_not_count_are_told(exported: Path) -> None:
    """Another Avro tool would not show them."""
    data = exported.read_bytes()
    with exported.open("rb") as stream:
        block = next(each for each in Reader(stream).blocks() if each.rows_count == 7)
    assert data[block.position] == 2 * block.rows_count
    forged = bytes([2 * (block.rows_count - 1)])
    exported.write_bytes(data[: block.position] + forged + data[block.position + 1 :])
    assert "a block has 7 records and says that it has 6" in first(exported).text


@pytest.mark.parametrize(
    "garbage",
    [b"", b"Obj", b"Obj\x01", b"PK\x03\x04 something", b"\x00" * 5_000, b"Obj\x01" + b"\xff" * 5_000],
)
def test_garbage_is_told_to_be_no_export(tmp_path: Path, garbage: bytes) -> None:
    file = tmp_path / "garbage.avro"
    file.write_bytes(garbage)
    (found,) = verify(file).findings
    assert found.kind == "not an export"


MANIFEST_CHANGES: list[dict[str, object]] = [
    {"records": 3},
    {"head": "0" * 64},
    {"first_sha256": "0" * 64},
    {"file_sha256": "0" * 64},
    {"topics": {}},
    {"schemas": {}},
    {"export": {}},
]


@pytest.mark.parametrize("change", MANIFEST_CHANGES)
async def test_a_manifest_that_does_not_fit_is_told(exported: Path, change: dict[str, object]) -> None:
    beside = manifest_path(exported)
    beside.write_text(json.dumps({**json.loads(beside.read_text()), **change}))
    findings = verify(exported).findings
    assert {each.kind for each in findings} == {"manifest"}


async def test_a_manifest_of_another_export_is_told(exported: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.avro"
    await export_to(other, history(), until_ms=1_795_312_830_000)
    manifest_path(exported).write_bytes(manifest_path(other).read_bytes())
    assert "describes another export" in verify(exported).findings[0].text


async def test_a_manifest_that_is_none_is_told(exported: Path) -> None:
    manifest_path(exported).write_text("{}")
    (found,) = verify(exported).findings
    assert (found.kind, "is no manifest" in found.text) == ("manifest", True)


async def test_without_a_manifest_the_chain_alone_is_checked_and_it_is_said_so(exported: Path) -> None:
    head = verify(exported).head
    without_manifest(exported)
    verdict = verify(exported)
    assert (verdict.findings, verdict.manifest) == ([], False)
    assert "no manifest beside it" in verdict.notes[0]
    assert len(verify(exported, head).notes) == 1


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "fifo"])
async def test_a_manifest_that_is_no_file_is_told(exported: Path, make: Callable[[Path], None]) -> None:
    beside = manifest_path(exported)
    beside.unlink()
    make(beside)
    (found,) = verify(exported).findings
    assert (found.kind, found.text) == ("manifest", f"{beside} is no manifest: it is no file")
