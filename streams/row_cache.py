"""Decoded rows kept at hand: the least recently used go first, a partition's all at once when it is revoked.

Only rows that are in the table are here; those on their way are the ledger's overlay.
"""

from collections import OrderedDict
from collections.abc import Collection
from typing import Generic, TypeVar

R = TypeVar("R")

ROWS_MAX = 20_000
BYTES_MAX = 64 << 20


class RowCache(Generic[R]):
    """Rows by partition and key, bounded by number and by the size of their encoded form."""

    def __init__(self, rows_max: int = ROWS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._rows_max = rows_max
        self._bytes_max = bytes_max
        self._rows: OrderedDict[tuple[int, bytes], tuple[R, int, int]] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, partition: int, key: bytes) -> tuple[R, int] | None:
        """The row and the offset of the input that made it; None when it is not at hand."""
        held = self._rows.get((partition, key))
        if held is None:
            return None
        self._rows.move_to_end((partition, key))
        return held[0], held[1]

    def put(self, partition: int, key: bytes, row: R, applied: int, row_bytes: int) -> None:
        """Keep a row that the table has now. `row_bytes`: the size of its encoded form."""
        self.drop(partition, key)
        self._rows[(partition, key)] = (row, applied, row_bytes)
        self.size_bytes += row_bytes
        while len(self._rows) > self._rows_max or (self.size_bytes > self._bytes_max and len(self._rows) > 1):
            _, (_, _, dropped_bytes) = self._rows.popitem(last=False)
            self.size_bytes -= dropped_bytes

    def drop(self, partition: int, key: bytes) -> None:
        """Forget one row."""
        held = self._rows.pop((partition, key), None)
        if held is not None:
            self.size_bytes -= held[2]

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget all rows of these partitions."""
        for partition, key in [at for at in self._rows if at[0] in partitions]:
            self.drop(partition, key)
