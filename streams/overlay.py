"""Rows as the next input must see them: those on their way, then those at hand, then those in the table."""

from collections.abc import Callable, Collection
from typing import Generic

from streams.entries import Held, Kept, R
from streams.row_cache import RowCache
from streams.rows import applied_of, payload_of
from streams.table import RowTable


class Overlay(Generic[R]):
    """Over one table. A row is held from when an input wrote it until the table has it."""

    def __init__(self, table: RowTable, decode: Callable[[bytes], R]) -> None:
        self._table = table
        self._decode = decode
        self._held: dict[tuple[int, bytes], Held[R]] = {}
        self._cache: RowCache[R] = RowCache()

    def look(self, partition: int, key: bytes) -> tuple[R | None, int]:
        """The row, and the offset of the last input that changed it (-1 where there is no row)."""
        held = self._held.get((partition, key))
        if held is not None:
            return held.row, -1 if held.kept is None else applied_of(held.kept)
        cached = self._cache.get(partition, key)
        if cached is not None:
            return cached
        kept = self._table.row(partition, key)
        if kept is None:
            return None, -1
        row, applied = self._decode(payload_of(kept)), applied_of(kept)
        self._cache.put(partition, key, row, applied, len(kept))
        return row, applied

    def kept(self, partition: int, key: bytes) -> bytes | None:
        """The row in the form in which it is kept, or will be."""
        held = self._held.get((partition, key))
        return held.kept if held is not None else self._table.row(partition, key)

    def hold(self, partition: int, key: bytes, row: R | None, kept: bytes | None) -> None:
        """An input wrote the row (None: it is gone)."""
        held = self._held.get((partition, key))
        if held is None:
            self._held[(partition, key)] = Held(row, kept, 1, self.look(partition, key)[0])
        else:
            held.row, held.kept, held.writers = row, kept, held.writers + 1

    def release(self, partition: int, key: bytes, kept: bytes | None) -> Kept[R] | None:
        """The table has the row now. None where a later input has changed it again."""
        held = self._held[(partition, key)]
        held.writers -= 1
        if held.writers:
            return None
        del self._held[(partition, key)]
        if held.row is None:
            self._cache.drop(partition, key)
        else:
            self._cache.put(partition, key, held.row, applied_of(kept or b""), len(kept or b""))
        return Kept(partition, key.decode(), held.row, held.before)

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget all rows of these partitions."""
        self._held = {at: held for at, held in self._held.items() if at[0] not in partitions}
        self._cache.revoke(partitions)
