"""Container files: what other libraries write is read, what we write they read, and damage is placed."""

import io
import json
import zlib
from typing import Any

import cramjam
import fastavro
import pytest
from avro.datafile import DataFileReader
from avro.io import DatumReader
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro_bytes import long_bytes
from schemas.avro_container import BLOCK_BYTES_MAX, CODECS, DEFLATE, PLAIN, ZSTD, Reader, block, header
from schemas.errors import DamagedFile

SYNC = b"0123456789abcdef"
SCHEMA = b'"long"'


def file_of(codec: str, *blocks: tuple[int, ...]) -> bytes:
    parts = [header(SCHEMA, codec, SYNC, {"note": b"\x00\xff"})]
    parts += [block(b"".join(map(long_bytes, one)), len(one), codec, SYNC) for one in blocks]
    return b"".join(parts)


@pytest.mark.parametrize("codec", CODECS)
def test_the_reference_library_reads_what_is_written(codec: str) -> None:
    data = file_of(codec, (1, 2), (300,), tuple(range(5_000)))
    with DataFileReader(io.BytesIO(data), DatumReader()) as reader:
        found: list[Any] = list(reader)
        assert reader.get_meta("note") == b"\x00\xff"
    assert found == [1, 2, 300, *range(5_000)]


@pytest.mark.parametrize("codec", [DEFLATE, PLAIN])
def test_what_another_library_writes_is_read(codec: str) -> None:
    out = io.BytesIO()
    fastavro.writer(out, "long", range(10_000), codec, sync_interval=5_000, metadata={"note": "n"})
    blocks = list(Reader(io.BytesIO(out.getvalue())).blocks())
    assert len(blocks) > 2
    assert sum(one.rows_count for one in blocks) == 10_000
    assert b"".join(one.rows for one in blocks) == b"".join(map(long_bytes, range(10_000)))


@pytest.mark.parametrize("codec", CODECS)
def test_every_block_says_where_it_lies_and_is_read_from_there(codec: str) -> None:
    data = file_of(codec, (1,), (2,), (3,))
    reader = Reader(io.BytesIO(data))
    blocks = list(reader.blocks())
    assert [one.position for one in blocks] == [reader.first, *(one.end for one in blocks[:-1])]
    assert blocks[-1].end == len(data)
    assert list(reader.blocks(blocks[1].position)) == blocks[1:]
    assert reader.metadata == {"note": b"\x00\xff"}


def test_a_file_that_is_packed_otherwise_says_what_is_read() -> None:
    with pytest.raises(DamagedFile, match="packed with snappy; deflate, zstandard, null are read"):
        Reader(io.BytesIO(header(SCHEMA, "snappy", SYNC, {})))


@pytest.mark.parametrize("codec", CODECS)
@given(st.data())
def test_a_cut_anywhere_is_told_and_all_before_it_is_read(codec: str, data: st.DataObject) -> None:
    whole = file_of(codec, (1, 2, 3), (4, 5), (6,))
    ends = {one.end for one in Reader(io.BytesIO(whole)).blocks()} | {Reader(io.BytesIO(whole)).first}
    cut = data.draw(st.integers(0, len(whole) - 1))
    found = []
    try:
        for one in Reader(io.BytesIO(whole[:cut])).blocks():
            found.append(one)
    except DamagedFile as error:
        assert cut not in ends
        assert error.position == (found[-1].end if found else error.position)
    else:
        assert cut in ends


@given(st.binary(max_size=200))
def test_garbage_is_told_and_costs_nothing(data: bytes) -> None:
    with pytest.raises(DamagedFile):
        Reader(io.BytesIO(b"Obj\x01" + data))


@pytest.mark.parametrize("size", [2**62, 2**40, -1])
def test_a_block_that_claims_to_be_huge_is_not_believed(size: int) -> None:
    data = header(SCHEMA, PLAIN, SYNC, {}) + long_bytes(1) + long_bytes(size)
    with pytest.raises(DamagedFile, match="what should be a block is none"):
        list(Reader(io.BytesIO(data)).blocks())


@pytest.mark.parametrize("codec", [DEFLATE, ZSTD])
def test_a_small_block_that_would_fill_the_memory_is_not_unpacked(codec: str) -> None:
    zeros = bytes(BLOCK_BYTES_MAX + 1)
    packed = bytes(cramjam.zstd.compress(zeros)) if codec == ZSTD else zlib.compress(zeros, 1)[2:-4]
    data = header(SCHEMA, codec, SYNC, {}) + long_bytes(1) + long_bytes(len(packed)) + packed + SYNC
    with pytest.raises(DamagedFile, match=f"a block of more than {BLOCK_BYTES_MAX} bytes"):
        list(Reader(io.BytesIO(data)).blocks())


def test_of_a_damaged_block_what_stands_before_the_damage_is_salvaged() -> None:
    rows = json.dumps(list(range(3_000))).encode()
    data = header(SCHEMA, DEFLATE, SYNC, {}) + block(rows, 1, DEFLATE, SYNC)
    with pytest.raises(DamagedFile, match="the file ends within a block") as told:
        list(Reader(io.BytesIO(data[: -len(SYNC) - 200])).blocks())
    assert told.value.salvaged[:5_000] == rows[:5_000]
