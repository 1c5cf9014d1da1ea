"""Law 3: journal first, then state, then ack. In order, pipelined, adding nothing to the latency of an input.

An agent computes what an input leads to, sends its records, and hands the rest over with `put`. From then on:

    overlay    the next input sees the new rows at once
    journal    all records of the input are acknowledged by the broker, as are those of every earlier input
    changelog  its rows are sent to the table's changelog, and acknowledged
    store      its rows are written on this machine, together with the changelog's offset
    ack        the input may be committed

So the store is never ahead of the changelog, nor the changelog of the journal, and a commit finds everything
durable. Before each step the lease is checked (law 6), and what was revoked is dropped. Law 7: `watermarks`.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic

from faust.types import Message

from streams.changelog import Changelog
from streams.ending import EXIT_BROKEN
from streams.entries import Entry, Kept, R, Rows
from streams.line import Line
from streams.overlay import Overlay
from streams.rows import packed
from streams.table import MadeAgain, RowTable
from streams.watermarks import Watermarks

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

INPUTS_MAX = 5_000
BYTES_MAX = 64 << 20
SETTLE_POLL_S = 0.01


class Ledger(Generic[R]):
    """The inputs of one agent on their way to being settled."""

    def __init__(
        self,
        app: "HardenedApp",
        table: RowTable,
        watermarks: Watermarks,
        encode: Callable[[R], bytes],
        decode: Callable[[bytes], R],
    ) -> None:
        self._app = app
        self._table = table
        self._watermarks = watermarks
        self._encode = encode
        self._overlay = Overlay(table, decode)
        self._generations: dict[int, int] = {}
        """Of each partition that is ours: the group's generation in which it was assigned."""
        self._sent: Line[Entry] = Line()
        self._changelog = Changelog(app, table, watermarks, self._generations)
        self._logged = self._changelog.logged
        self._room = asyncio.Event()
        self._room.set()
        self._size = 0
        self._under_way: Counter[int] = Counter()
        """By partition: inputs that are not settled."""
        self.on_kept: Callable[[Kept[R]], None] = lambda kept: None
        """Called when a row has come into the table. Must not raise."""
        app.in_background(self._log_sent)
        app.in_background(self._keep_logged)

    # --- reading

    def get(self, partition: int, key: str) -> R | None:
        """The row as the next input must see it."""
        return self.look(partition, key)[0]

    def look(self, partition: int, key: str) -> tuple[R | None, int]:
        """The row, and the offset of the last input that changed it (-1 where there is no row)."""
        return self._overlay.look(partition, key.encode())

    def owns(self, partition: int) -> bool:
        """Whether the partition is ours, and its rows are recovered."""
        return partition in self._generations

    def is_covered(self, partition: int, offset: int) -> bool:
        """Whether a watermark says that this input was settled before, whatever rows are there."""
        return self._watermarks.covers(partition, offset)

    # --- writing

    def encoded(self, applied: int, rows: Mapping[str, R | None]) -> dict[bytes, bytes | None]:
        """Rows as the input at offset `applied` leaves them, in the form in which they are kept."""
        return {
            key.encode(): None if row is None else packed(applied, self._encode(row))
            for key, row in rows.items()
        }

    async def put(
        self,
        message: Message,
        rows: Mapping[str, R | None] | None = None,
        sent: Sequence[asyncio.Future[Any]] = (),
        kept: Rows | None = None,
    ) -> None:
        """Settle an input once `sent` is done. `kept`: `encoded(message.offset, rows)`, if at hand already.

        Waits while too much is under way.
        """
        rows = rows or {}
        kept = self.encoded(message.offset, rows) if kept is None else kept
        if self._generations.get(message.partition) != message.generation_id:
            return
        for (key, data), row in zip(kept.items(), rows.values(), strict=True):
            self._overlay.hold(message.partition, key, row, data)
        if not kept and not sent and not self.pending():
            self._watermarks.passed(message.partition, message.offset)
            message.ack(self._app.consumer)
            return
        self._enter(Entry.of(message, kept, sent))
        await self._room.wait()

    async def put_again(self, message: Message, keys: Collection[str]) -> None:
        """Settle an input that was settled before: its rows are written once more, as they are (law 3)."""
        kept: dict[bytes, bytes | None] = {}
        for key in keys:
            data = self._overlay.kept(message.partition, key.encode())
            if data is not None:
                kept[key.encode()] = data
        self._enter(Entry.of(message, kept, apart=True))
        await self._room.wait()

    async def note(self, message: Message, key: str, row: R) -> None:
        """Write a row now, ahead of its input's turn; returns when the changelog has it."""
        kept = self.encoded(message.offset, {key: row})
        entry = Entry(message.partition, message.generation_id, kept)
        await self._log(entry)
        if entry.acked is not None:
            await asyncio.shield(entry.acked)

    # --- partitions

    async def assigned(self, partitions: Collection[int]) -> None:
        """The table's rows of these partitions are recovered: look where their watermarks stand."""
        self._generations.update(dict.fromkeys(partitions, self._app.consumer_generation_id))
        self._watermarks.assigned({partition: self._table.watermark(partition) for partition in partitions})

    async def mend(self, partition: int, key: str, row: R | None, applied: int) -> None:
        """Write a row that was rebuilt from elsewhere, before any input of its partition is read."""
        kept = None if row is None else packed(applied, self._encode(row))
        acked = await self._table.log_rows(partition, applied, {key.encode(): kept})
        if acked is not None:
            sent = await acked
            self._table.store.write(partition, {key.encode(): kept}, sent.offset)

    async def write_made_again(self, partition: int, rebuild: int, made: Sequence[MadeAgain]) -> None:
        """Write rows that a rebuild made, while no input of their partition is under way.

        Returns when the table has them. Raises NotOurs.
        """
        await self._changelog.write_made_again(partition, rebuild, made)

    def forget_read(self, partition: int) -> None:
        """Rows that were read before are read anew: they may have been made again."""
        self._overlay.revoke([partition])

    async def cover(self, partition: int, offset: int) -> None:
        """All inputs up to `offset` are settled by what was written: let the watermark say so."""
        await self._changelog.cover(partition, offset)

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget everything of these partitions: the next owner reads their inputs again."""
        for partition in partitions:
            self._generations.pop(partition, None)
        self._overlay.revoke(partitions)
        self._watermarks.revoke(partitions)

    def pending(self) -> int:
        """How many inputs are on their way."""
        return self._under_way.total()

    def under_way(self, partition: int) -> bool:
        """Whether inputs of the partition are on their way."""
        return self._under_way[partition] > 0

    async def settle(self, within_s: float) -> None:
        """Wait, for that long at most, until all is settled that does not wait for something else."""
        deadline_s = time.monotonic() + within_s
        while self._can_settle() and time.monotonic() < deadline_s:
            await asyncio.sleep(SETTLE_POLL_S)

    def _can_settle(self) -> bool:
        first = self._sent.peek()
        return bool(len(self._logged)) or (first is not None and all(map(_is_sent, first.sent)))

    # --- on the way

    def _enter(self, entry: Entry) -> None:
        self._size += entry.size_bytes
        self._under_way[entry.partition] += 1
        self._sent.append(entry)
        if self.pending() >= INPUTS_MAX or self._size >= BYTES_MAX:
            self._room.clear()

    def _leave(self, entry: Entry) -> None:
        if entry.message is None:
            return
        self._size -= entry.size_bytes
        self._under_way[entry.partition] -= 1
        if not self._room.is_set() and self.pending() < INPUTS_MAX // 2 and self._size < BYTES_MAX // 2:
            self._room.set()

    def _is_current(self, entry: Entry) -> bool:
        return self._generations.get(entry.partition) == entry.generation

    async def _log_sent(self) -> None:
        """From journal to changelog: wait for the broker, in order, and send the rows."""
        while True:
            entry = await self._sent.head()
            for sent in entry.sent:
                if not sent.done():
                    await asyncio.wait([sent])
                if not self._is_current(entry):
                    continue
                if sent.cancelled():
                    return  # the app is stopping: nothing from here on is settled
                if sent.exception() is not None:
                    self._app.end(f"what an input leads to could not be sent: {sent!r}", EXIT_BROKEN)
            self._sent.popleft()
            await self._log(entry)

    async def _log(self, entry: Entry) -> None:
        if not await self._changelog.log(entry):
            self._leave(entry)

    async def _keep_logged(self) -> None:
        """From changelog to store to ack: in order, as many at once as the broker has acknowledged."""
        while True:
            first = await self._logged.head()
            if first.acked is not None:
                await first.acked
            ready: list[Entry] = []
            while (entry := self._logged.peek()) is not None and (entry.acked is None or entry.acked.done()):
                ready.append(self._logged.popleft())
            await self._app.lease.ready()
            self._store(ready)
            for entry in ready:
                self._settle(entry)

    def _store(self, ready: Sequence[Entry]) -> None:
        rows: dict[int, dict[bytes, bytes | None]] = {}
        offsets: dict[int, int] = {}
        for entry in ready:
            if entry.acked is not None and self._is_current(entry):
                rows.setdefault(entry.partition, {}).update(entry.rows)
                offsets[entry.partition] = entry.acked.result().offset
        for partition, changed in rows.items():
            self._table.store.write(partition, changed, offsets[partition])

    def _settle(self, entry: Entry) -> None:
        self._leave(entry)
        if entry.stored is not None and not entry.stored.done():
            entry.stored.set_result(None)
        if not self._is_current(entry):
            return
        if entry.message is not None and not entry.apart:
            for key, kept in entry.rows.items():
                released = self._overlay.release(entry.partition, key, kept)
                if released is not None:
                    self.on_kept(released)
        if entry.message is not None:
            entry.message.ack(self._app.consumer)


def _is_sent(sent: asyncio.Future[Any]) -> bool:
    return sent.done() and not sent.cancelled()
