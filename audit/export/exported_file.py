"""An exported file, read: what it says it is, and its rows block by block. Whether it is true:
`chain_file`.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from audit.export.chain import BrokenRow, Link, rows
from audit.export.part_file import DESCRIPTION
from audit.export.plan import NotAPlan, read_plan
from schemas.avro_container import Block, Reader
from schemas.avro_form import schema_of
from schemas.errors import DamagedFile
from schemas.exported import ExportedRecord


class NotAnExport(Exception):
    """The file is something else, or its beginning cannot be read."""


class BrokenBlock(Exception):
    """The file cannot be read any further. `found`: the rows of the broken block that could."""

    def __init__(self, why: str, position: int, found: "list[Row]") -> None:
        super().__init__(why)
        self.position, self.found = position, found


class Row(NamedTuple):
    """A row, and what the hash chain has of it."""

    link: Link
    record: ExportedRecord


class ExportFile:
    """Use as `with`. Raises NotAnExport, OSError."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb")
        try:
            self._reader = Reader(self._stream)
            self.description = self._reader.metadata.get(DESCRIPTION, b"")
            self.plan = read_plan(self.description)
            if not _has_our_rows(self._reader.schema):
                raise NotAPlan("its rows have another schema than this version writes")
        except DamagedFile as error:
            self._stream.close()
            raise NotAnExport(f"{path}: {error}") from None
        except NotAPlan as error:
            self._stream.close()
            raise NotAnExport(f"{path} is no export of Pulsebook: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def blocks(self, position: int | None = None) -> Iterator[tuple[Block, list[Row]]]:
        """From the first block, or the one at `position`, to the end. Raises BrokenBlock."""
        try:
            for block in self._reader.blocks(position):
                found, whole = _rows(block.rows)
                if not whole:
                    raise BrokenBlock("what should be a record is none", block.position, found)
                if len(found) != block.rows_count:
                    why = f"a block has {len(found)} records and says that it has {block.rows_count}"
                    raise BrokenBlock(why, block.position, [])
                yield block, found
        except DamagedFile as error:
            raise BrokenBlock(str(error), error.position, _rows(error.salvaged)[0]) from None


def _rows(data: bytes) -> tuple[list[Row], bool]:
    """The rows, up to one that is broken; whether there is none such."""
    found: list[Row] = []
    try:
        for link, record in rows(data):
            found.append(Row(link, record))
    except BrokenRow:
        return found, False
    return found, True


def _has_our_rows(schema: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(schema) == schema_of(ExportedRecord))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
