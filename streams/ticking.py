"""Fires what `timers` says is due, and tells it which timers the rows have: after a recovery, and ever after.

Nothing here may raise: a failure is logged and the next tick tries again. A broken producer ends the process.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Generic

from schemas.codec import encode
from schemas.inbox import TimerFired
from streams.broker_clock import BrokerClock
from streams.entries import Kept, R
from streams.metrics import ProcessorMetrics
from streams.outbox import Outbox, Prepared
from streams.rows import payload_of
from streams.table import RowTable
from streams.timers import NONE, Timers

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)

TICK_S = 0.25
FIRED_PER_TICK_MAX = 500
ROWS_PER_STEP = 100
"""Rows read in one go, some 3 ms; then the loop does other things."""
STEP_PAUSE_S = 0.002
LATENESS_KEPT_S = 60.0


def now_ms() -> int:
    """Epoch ms by this machine's clock: for people. Timers go by `streams.broker_clock`; the fold judges by
    the broker's own stamp, and keeps a timer that was fired early.
    """
    return time.time_ns() // 1_000_000


class Ticking(Generic[R]):
    """The timers of one table. `topic`: full name of its input topic; `key_of` gives a row's key there."""

    def __init__(
        self,
        app: "HardenedApp",
        table: RowTable,
        outbox: Outbox,
        metrics: ProcessorMetrics,
        topic: str,
        key_of: Callable[[str], str],
        decode: Callable[[bytes], R],
        timers_of: Callable[[R], Mapping[str, int]],
    ) -> None:
        self._app = app
        self._table = table
        self._outbox = outbox
        self._metrics = metrics
        self._topic = topic
        self._key_of = key_of
        self._decode = decode
        self._timers_of = timers_of
        self._timers = Timers()
        self._filled: dict[int, bytes | None] = {}
        """By partition that is ours: the last row looked at since its recovery; None: none yet."""
        self._complete: set[int] = set()
        self._incomplete = asyncio.Event()
        self._late: tuple[float, float] = (0.0, 0.0)
        # Looked up when asked, for tests that move the clock.
        self.clock = BrokerClock(lambda: now_ms())
        self.on_found: Callable[[str, R], None] = lambda key, row: None
        """Called for each row that was there at the recovery."""
        self.on_moved: Callable[[Kept[R]], None] = lambda kept: None
        """Called for each change of a row that was found, or came, before."""
        app.in_background(self._tick_for_ever)
        app.in_background(self._fill_for_ever)

    def kept(self, kept: Kept[R]) -> None:
        """A row has come into the table."""
        if kept.partition not in self._filled:
            return
        timers = NONE if kept.row is None else self._timers_of(kept.row)
        before = NONE if kept.before is None else self._timers_of(kept.before)
        if timers or before:
            self._timers.changed(kept.partition, kept.key, timers, self.clock.now_ms(), before)
        found = self._filled[kept.partition]
        if kept.partition in self._complete or (found is not None and kept.key.encode() <= found):
            self.on_moved(kept)

    def assigned(self, partitions: Collection[int]) -> None:
        """The rows of these partitions are recovered: look for their timers, in small steps."""
        self._filled.update(dict.fromkeys(partitions))
        self._complete.difference_update(partitions)
        self._incomplete.set()

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self._filled.pop(partition, None)
        self._complete.difference_update(partitions)
        self._timers.revoke(partitions)

    def pending(self) -> int:
        """How many timers are due soon."""
        return len(self._timers)

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._come_near()
                await self._fire()
            except Exception:
                log.exception("a tick of the timers of %s failed", self._table.name)

    async def _fill_for_ever(self) -> None:
        while True:
            await self._incomplete.wait()
            try:
                self._fill()
            except Exception:
                log.exception("the rows of %s could not be looked through for timers", self._table.name)
                await asyncio.sleep(TICK_S)
            await asyncio.sleep(STEP_PAUSE_S)

    def _fill(self) -> None:
        """One step of looking through the rows of what was assigned last."""
        for partition, after in self._filled.items():
            if partition in self._complete:
                continue
            rows = self._table.store.rows_after(partition, after, ROWS_PER_STEP)
            for key, data in rows:
                self._find(partition, key.decode(), data)
            if rows:
                self._filled[partition] = rows[-1][0]
            if len(rows) < ROWS_PER_STEP:
                self._complete.add(partition)
            return
        self._incomplete.clear()

    def _find(self, partition: int, key: str, data: bytes) -> None:
        try:
            row = self._decode(payload_of(data))
        except ValueError:
            log.exception("the row %s of %s cannot be read: its timers will not fire", key, self._table.name)
            return
        self._timers.changed(partition, key, self._timers_of(row), self.clock.now_ms())
        self.on_found(key, row)

    def _come_near(self) -> None:
        for partition, key in self._timers.coming_near(self.clock.now_ms(), ROWS_PER_STEP):
            data = self._table.row(partition, key.encode())
            timers = NONE if data is None else self._timers_of(self._decode(payload_of(data)))
            self._timers.changed(partition, key, timers, self.clock.now_ms())

    async def _fire(self) -> None:
        if not self._app.lease.held or self._app.lease.lapsed() or self._app.should_stop:
            return
        now = self.clock.now_ms()
        due = self._timers.due(now, FIRED_PER_TICK_MAX)
        for one in due:
            fired = encode(TimerFired(row=one.row, timer=one.timer, due_ms=one.due_ms))
            key = self._key_of(one.row).encode()
            await self._outbox.send([Prepared(self._topic, key, fired, one.partition)])
        lateness_s = max((now - one.due_ms for one in due), default=0) / 1000
        if lateness_s >= self._late[1] or time.monotonic() - self._late[0] > LATENESS_KEPT_S:
            self._late = (time.monotonic(), lateness_s)
            self._metrics.timer_lateness.labels(self._table.name).set(lateness_s)
        self._metrics.timers_pending.labels(self._table.name).set(len(self._timers))
