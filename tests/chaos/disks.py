"""The rows on a stopped worker's disk, as its databases hold them."""

from pathlib import Path

from faust.stores.rocksdb import Store

from streams.rocks import open_database
from streams.rows import WATERMARK


def rows_on_disk(folder: Path, table: str) -> dict[str, bytes]:
    """All rows of a table, of every partition that the worker has ever had; without the watermarks."""
    rows: dict[str, bytes] = {}
    for path in sorted(folder.rglob(f"{table}-*.db")):
        database = open_database(path)
        found = {key: row for key, row in database.items() if key not in (WATERMARK, Store.offset_key)}
        rows |= {key.decode(): row for key, row in found.items()}
        database.close()
    return rows
