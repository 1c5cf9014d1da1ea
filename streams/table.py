"""A table whose rows are written by the ledger only: changelog first, then the store.

Faust sees an ordinary table (assignment, changelog topic, recovery); reading and writing by key goes past
Faust's per-key machinery, which ties a row's partition to the event that happens to be current.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from faust.tables.table import Table
from faust.types import TP
from faust.types.stores import StoreT
from faust.types.tuples import RecordMetadata

from streams.hardened.producer import NO_HEADERS
from streams.rows import REBUILT, WATERMARK, applied_of, header, header_made_again, packed, payload_of
from streams.store import RowStore

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

Acked = asyncio.Future[RecordMetadata]


class MadeAgain(NamedTuple):
    """A row that a rebuild made (None: there must be none), and the offset of its last input."""

    key: bytes
    row: bytes | None
    applied: int


class RowTable(Table[bytes, bytes]):
    """Rows of one input topic: the row of a key lies in the partition of the input that changes it."""

    app: "HardenedApp"
    suspects: Mapping[int, set[bytes]]
    """By partition, the rows that may be stale since the last recovery (`streams.replay`)."""

    def _new_store(self) -> StoreT[Any, Any]:
        return RowStore(
            "rocksdb:",
            self.app,
            self,
            table_name=self.name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            options={"driver": "rocksdict"},
        )

    @property
    def store(self) -> RowStore:
        """The rows on this machine."""
        return cast(RowStore, self.data)

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row as it is kept (`streams.rows.packed`), or None."""
        return self.store.row(partition, key)

    def watermark(self, partition: int) -> tuple[int, str] | None:
        """Offset of the last covered input, and the id of the topic that it is of. None before the first."""
        row = self.store.row(partition, WATERMARK)
        return None if row is None else (applied_of(row), payload_of(row).decode())

    async def log_rows(
        self, partition: int, applied: int, rows: Mapping[bytes, bytes | None]
    ) -> Acked | None:
        """Send all rows that one input leads to (None deletes) to the changelog, in their order.

        The future of the last one: once it is acknowledged, all are. None where there are no rows.
        """
        last: Acked | None = None
        for key, row in rows.items():
            marked = row is None or len(rows) > 1
            last = await self.app.strict_producer.put(
                self.changelog_topic_name,
                key,
                row,
                partition=partition,
                headers=header(applied, len(rows)) if marked else NO_HEADERS,
            )
        return last

    def rebuilt(self, partition: int) -> bytes | None:
        """The mark of the partition's last rebuild (`streams.rows.rebuild_mark`)."""
        return self.store.row(partition, REBUILT)

    async def log_made_again(self, partition: int, rebuild: int, made: Iterable[MadeAgain]) -> Acked | None:
        """Send rows of a rebuild to the changelog, each by itself. The future of the last one."""
        last: Acked | None = None
        for key, row, applied in made:
            last = await self.app.strict_producer.put(
                self.changelog_topic_name,
                key,
                row,
                partition=partition,
                headers=header_made_again(rebuild, applied, row is None),
            )
        return last

    async def log_watermark(self, partition: int, offset: int, topic_id: str) -> tuple[bytes, Acked]:
        """Send the watermark row to the changelog. Everything it covers must have been sent before."""
        row = packed(offset, topic_id.encode())
        acked = await self.app.strict_producer.put(
            self.changelog_topic_name, WATERMARK, row, partition=partition
        )
        return row, acked

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """The rows are complete: note what looks like the work of a worker that had lost its partition."""
        mine = {tp.partition for tp in active_tps if tp.topic == self.changelog_topic_name}
        self.suspects = self.store.recovered(mine)
        await super().on_recovery_completed(active_tps, standby_tps)

    def on_key_set(self, key: Any, value: Any) -> None:
        """Refuse Faust's own way of writing: it would bypass the journal-first order."""
        raise TypeError("rows are written by the ledger only")

    def on_key_del(self, key: Any) -> None:
        """Refuse Faust's own way of deleting."""
        raise TypeError("rows are deleted by the ledger only")
