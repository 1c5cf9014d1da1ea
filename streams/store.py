"""Rows on disk: Faust's RocksDB store, written in batches that carry their own changelog offset.

A batch holds all rows of one or more inputs and the offset of their changelog record, so the store is at any
moment, also after a kill, exactly a prefix of its changelog. How records become rows is in `replay`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast

from faust.stores.rocksdb import Store
from faust.types import TP, CollectionT, EventT

from streams.ending import EXIT_BROKEN
from streams.replay import Replay
from streams.rocks import Database, new_batch, open_database
from streams.rows import APART, HEADER, HEADER_REBUILT, SUSPECTS, header_of, keys_of, mark_of, rebuild_of

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp


class RowStore(Store):
    """One table's rows on this machine, a RocksDB for each partition. Keys and rows are bytes."""

    app: "HardenedApp"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._replays: dict[int, Replay] = {}

    def _open_for_partition(self, partition: int) -> Database:
        return open_database(self.partition_path(partition))

    def row(self, partition: int, key: bytes) -> bytes | None:
        """The row, or None."""
        return cast(bytes | None, self._db_for_partition(partition).get(key))

    def rows_after(self, partition: int, key: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """Up to `limit` rows in the order of their keys, after `key` (None: from the start)."""
        rows: list[tuple[bytes, bytes]] = []
        for found, row in self._db_for_partition(partition).items(from_key=key):
            if found in (key, self.offset_key) or found in APART:
                continue
            rows.append((found, row))
            if len(rows) == limit:
                break
        return rows

    def write(self, partition: int, rows: Mapping[bytes, bytes | None], changelog_offset: int | None) -> None:
        """Write rows (None deletes) and the changelog offset they go up to, all or nothing."""
        batch = new_batch()
        for key, row in rows.items():
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        if changelog_offset is not None:
            batch.put(self.offset_key, b"%d" % changelog_offset)
        try:
            self._db_for_partition(partition).write(batch)
        except Exception as failure:
            self._broken(partition, failure)

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Recovery: fold changelog records into the rows."""
        touched = set()
        for event in batch:
            message = event.message
            replay = self._replays.get(message.partition)
            if replay is None:
                replay = self._replays[message.partition] = self._replay(message.partition)
            mark = event.headers.get(HEADER)
            group = header_of(cast(bytes, mark)) if mark else None
            made = event.headers.get(HEADER_REBUILT)
            rebuild = rebuild_of(cast(bytes, made)) if made else None
            replay.read(message.offset, cast(bytes, message.key), message.value, group, rebuild)
            touched.add(message.partition)
        for partition in touched:
            replay = self._replays[partition]
            changes, offset = replay.take()
            if changes or offset is not None:
                # Together: the changelog is not read twice; a crash before they are mended must hide none.
                changes[SUSPECTS] = mark_of(replay.suspects)
                self.write(partition, changes, offset)

    def _replay(self, partition: int) -> Replay:
        return Replay(lambda key: self.row(partition, key))

    def recovered(self, partitions: Collection[int] = ()) -> Mapping[int, set[bytes]]:
        """The end of a recovery: forget what is torn. Returns the suspect keys of each partition: of those
        that were replayed, and of `partitions`, where an earlier recovery was not mended.
        """
        for partition, replay in self._replays.items():
            if replay.torn():
                self.log.warning(
                    "partition %d of %s: the last %d changelog records are incomplete; "
                    "their input will be read again",
                    partition,
                    self.table_name,
                    replay.torn(),
                )
        found = {one: keys_of(self.row(one, SUSPECTS)) for one in {*partitions, *self._replays}}
        self._replays.clear()
        return {partition: set(keys) for partition, keys in found.items() if keys}

    def mended(self, partition: int) -> None:
        """What was suspect is right again."""
        self.write(partition, {SUSPECTS: None}, None)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """A recovery that was cut short starts again from the store's own changelog offset."""
        self._replays.clear()
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    def revoke_partitions(self, table: CollectionT, tps: set[TP]) -> None:
        """Close the databases of partitions that went away, at once, so that another process may open
        them."""
        for tp in tps:
            if tp.topic in table.changelog_topic.topics:
                database = self._dbs.pop(tp.partition, None)
                if database is not None:
                    database.close()

    async def stop(self) -> None:
        """Close all databases."""
        for database in self._dbs.values():
            database.close()
        self._dbs.clear()

    def _broken(self, partition: int, failure: Exception) -> NoReturn:
        self.app.end(
            f"partition {partition} of the table {self.table_name} cannot be written: {failure}", EXIT_BROKEN
        )
