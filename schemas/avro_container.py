"""Avro container files ("Object Container Files" of the Avro specification): header, blocks, compression.

By hand, where fastavro has a writer and a reader: what verifies a file must know where each block lies, bound
what a damaged one may cost, and say where and how it is damaged; a file that is continued needs its place.
What the rows say is not known here.
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple

import cramjam

from schemas.avro_bytes import long_bytes, read_long
from schemas.errors import DamagedFile

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
DEFLATE, ZSTD, PLAIN = "deflate", "zstandard", "null"
CODECS = (DEFLATE, ZSTD, PLAIN)
"""As the specification names them."""
DEFLATE_LEVEL = 6
BLOCK_BYTES_MAX = 64 * 1024 * 1024
"""Largest block that is read, packed or unpacked: far more than the largest record of a topic."""
HEADER_BYTES_MAX = 16 * 1024 * 1024

_BOMB = f"a block of more than {BLOCK_BYTES_MAX} bytes"
_LONG_BYTES_MAX = 10


class Block(NamedTuple):
    """One block, unpacked. `position`, `end`: where it lies in the file."""

    position: int
    end: int
    rows_count: int
    rows: bytes


def header(schema: bytes, codec: str, sync: bytes, metadata: Mapping[str, bytes]) -> bytes:
    """The beginning of a file. `sync`: 16 bytes of chance, that stand behind every block."""
    entries = {"avro.schema": schema, "avro.codec": codec.encode(), **metadata}
    parts = [MAGIC, long_bytes(len(entries))]
    for name, value in entries.items():
        parts += [long_bytes(len(name.encode())), name.encode(), long_bytes(len(value)), value]
    return b"".join([*parts, long_bytes(0), sync])


def block(rows: bytes, count: int, codec: str, sync: bytes) -> bytes:
    """Rows, packed, as they stand in a file."""
    packed = _packed(rows, codec)
    return b"".join((long_bytes(count), long_bytes(len(packed)), packed, sync))


class Reader:
    """Reads a file from its beginning; `metadata` without the entries of Avro itself."""

    def __init__(self, stream: BinaryIO) -> None:
        """Reads the header. Raises DamagedFile."""
        self._stream = stream
        if stream.read(len(MAGIC)) != MAGIC:
            raise DamagedFile("not an Avro container file", 0)
        try:
            entries = self._entries()
            self.sync = self._exactly(SYNC_BYTES)
        except (EOFError, ValueError):
            raise DamagedFile("the header of the file is cut off or damaged", 0) from None
        self.schema = entries.pop("avro.schema", b"")
        self.codec = entries.pop("avro.codec", PLAIN.encode()).decode(errors="replace")
        self.metadata = entries
        self.first = stream.tell()
        if self.codec not in CODECS:
            raise DamagedFile(f"packed with {self.codec}; {', '.join(CODECS)} are read", 0)

    def blocks(self, position: int | None = None) -> Iterator[Block]:
        """From the first block, or the one at `position`, to the end. Raises DamagedFile for one that cannot
        be read.
        """
        at = self.first if position is None else position
        self._stream.seek(at)
        while found := self._block(at):
            yield found
            at = found.end

    def _block(self, at: int) -> Block | None:
        try:
            first = self._stream.read(1)
            if not first:
                return None
            count, size = self._long(first), self._long()
        except EOFError:
            raise DamagedFile("the file ends within a block", at) from None
        except ValueError:
            raise DamagedFile("what should be a block is none", at) from None
        if not (0 <= count <= BLOCK_BYTES_MAX and 0 <= size <= BLOCK_BYTES_MAX):
            raise DamagedFile("what should be a block is none", at)
        packed, sync = self._stream.read(size), self._stream.read(SYNC_BYTES)
        if len(sync) < SYNC_BYTES:
            raise DamagedFile("the file ends within a block", at, _salvaged(packed, self.codec))
        if sync != self.sync:
            raise DamagedFile("a block does not end where it should", at, _salvaged(packed, self.codec))
        try:
            rows = _unpacked(packed, self.codec)
        except (ValueError, zlib.error, cramjam.DecompressionError) as error:
            why = _BOMB if str(error) == _BOMB else "a block cannot be unpacked"
            raise DamagedFile(why, at, _salvaged(packed, self.codec)) from None
        return Block(at, self._stream.tell(), count, rows)

    def _entries(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        while count := self._long():
            if count < 0:
                count = -count
                self._long()
            if count > HEADER_BYTES_MAX:
                raise ValueError
            for _ in range(count):
                name = self._exactly(self._long()).decode()
                found[name] = self._exactly(self._long())
        return found

    def _exactly(self, size: int) -> bytes:
        if not 0 <= size <= HEADER_BYTES_MAX:
            raise ValueError
        data = self._stream.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _long(self, first: bytes = b"") -> int:
        data = first or self._exactly(1)
        while data[-1] > 127:
            if len(data) == _LONG_BYTES_MAX:
                raise ValueError
            data += self._exactly(1)
        return read_long(data, 0)[0]


def _packed(rows: bytes, codec: str) -> bytes:
    match codec:
        case "deflate":
            packer = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
            return packer.compress(rows) + packer.flush()
        case "zstandard":
            return bytes(cramjam.zstd.compress(rows))
        case _:
            return rows


def _unpacked(packed: bytes, codec: str) -> bytes:
    """Raises ValueError, zlib.error, cramjam.DecompressionError."""
    match codec:
        case "deflate":
            unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
            rows = unpacker.decompress(packed, BLOCK_BYTES_MAX)
            if len(rows) >= BLOCK_BYTES_MAX and not unpacker.eof:
                raise ValueError(_BOMB)
            # What is left over is passed over: fastavro leaves part of a checksum there.
            if not unpacker.eof:
                raise ValueError("not the whole of it")
            return rows
        case "zstandard":
            return _unpacked_zstd(packed)
        case _:
            return packed


def _unpacked_zstd(packed: bytes) -> bytes:
    """Into a buffer of bounded size, as a frame need not say how large it becomes."""
    size = max(1024 * 1024, 4 * len(packed))
    while True:
        buffer = bytearray(size)
        try:
            return bytes(buffer[: cramjam.zstd.decompress_into(packed, buffer)])
        except cramjam.DecompressionError as error:
            if "write whole buffer" not in str(error):
                raise
        if size >= BLOCK_BYTES_MAX:
            raise ValueError(_BOMB)
        size = min(4 * size, BLOCK_BYTES_MAX)


def _salvaged(packed: bytes, codec: str) -> bytes:
    """What can be unpacked of a damaged block, up to where it is damaged, or a little before."""
    if codec == PLAIN:
        return packed
    rows = bytearray()
    if codec == DEFLATE:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for at in range(len(packed)):
                rows += unpacker.decompress(packed[at : at + 1], BLOCK_BYTES_MAX)
                if len(rows) > BLOCK_BYTES_MAX:
                    break
        except zlib.error:
            pass
    return bytes(rows)
