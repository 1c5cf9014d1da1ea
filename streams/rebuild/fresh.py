"""Rows while they are made again: in a database of their own, so that no partition has to fit into memory.

At most `DIRTY_BYTES_MAX` of rows wait to be written, and few decoded ones are at hand.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Generic, cast

from streams.entries import R
from streams.rocks import new_batch, open_database
from streams.row_cache import RowCache
from streams.rows import applied_of, packed, payload_of

DIRTY_BYTES_MAX = 2 << 20
ROWS_AT_HAND_MAX = 5_000
BYTES_AT_HAND_MAX = 16 << 20


class FreshRows(Generic[R]):
    """Rows by key in a folder that is emptied first and goes at the end. Not for two tasks at once."""

    def __init__(self, folder: Path, encode: Callable[[R], bytes], decode: Callable[[bytes], R]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._encode = encode
        self._decode = decode
        self._database = open_database(folder)
        self._dirty: dict[bytes, bytes | None] = {}
        self._dirty_bytes = 0
        self._at_hand: RowCache[R] = RowCache(ROWS_AT_HAND_MAX, BYTES_AT_HAND_MAX)

    def get(self, key: str) -> R | None:
        """The row, as it is by now."""
        name = key.encode()
        found = self._at_hand.get(0, name)
        if found is not None:
            return found[0]
        kept = self.kept(name)
        if kept is None:
            return None
        row = self._decode(payload_of(kept))
        self._at_hand.put(0, name, row, applied_of(kept), len(kept))
        return row

    def kept(self, key: bytes) -> bytes | None:
        """The row in the form in which it is kept."""
        return self._dirty[key] if key in self._dirty else cast(bytes | None, self._database.get(key))

    def put(self, key: str, row: R | None, applied: int) -> None:
        """The input at offset `applied` wrote the row (None: it is gone)."""
        name = key.encode()
        if row is None:
            self._at_hand.drop(0, name)
            self._dirty[name] = None
            self._dirty_bytes += len(name)
        else:
            kept = self._dirty[name] = packed(applied, self._encode(row))
            self._at_hand.put(0, name, row, applied, len(kept))
            self._dirty_bytes += len(name) + len(kept)
        if self._dirty_bytes >= DIRTY_BYTES_MAX:
            self.flush()

    def after(self, key: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` rows in the order of their keys, after `key` (None: from the start). Of what was
        flushed.
        """
        rows: list[tuple[bytes, bytes]] = []
        for found, row in self._database.items(from_key=key):
            if found == key:
                continue
            rows.append((cast(bytes, found), cast(bytes, row)))
            if len(rows) == limit:
                break
        return rows

    def flush(self) -> None:
        """Write what waits."""
        batch = new_batch()
        for key, row in self._dirty.items():
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        self._database.write(batch)
        self._dirty.clear()
        self._dirty_bytes = 0

    def close(self) -> None:
        """Leave nothing behind."""
        self._database.close()
        shutil.rmtree(self._folder, ignore_errors=True)
