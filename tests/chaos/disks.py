"""The rows on a stopped worker's disk, as its databases hold them."""

from pathlib import Path

from faust.stores.rocksdb import Store

from streams.rocks import open_database
from streams.rows import APART

NO_ROWS = {*APART, Store.offset_key}


def rows_on_disk(folder: Path, table: str) -> dict[str, bytes]:
    """All rows of a table, of every partition that the worker has ever had; without marks."""
    rows: dict[str, bytes] = {}
    for path in sorted(folder.rglob(f"{table}-*.db")):
        database = open_database(path)
        for key, row in database.items():
            if isinstance(key, bytes) and isinstance(row, bytes) and key not in NO_ROWS:
                rows[key.decode()] = row
        database.close()
    return rows
