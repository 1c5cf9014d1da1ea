"""Makes the rows of a table again, a partition at a time, while everything else goes on.

    turn      one partition at a time in a process
    gate      its inputs wait; what is under way is settled
    begun     a mark in the table: whoever owns the partition then begins again, before any input
    fold      the inputs that are settled, taken once more, into a database beside (`source`)
    replace   row by row into changelog and table (`replacing`); timers and counts hear of what changed
    done      the watermark, the mark, a report for the catalog; the gate opens

A partition is due when the catalog has a request that is newer than its mark, when a rebuild of it was cut
short, or when its rows were lost: no watermark, though inputs are committed. The number of a rebuild is the
request's offset + 1, so that 0 is one that nobody asked for. Why the parts are as they are:
docs/decisions/0058-rebuilds-are-requests-in-the-catalog.md.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from faust.types import TP

from streams.changelog import NotOurs
from streams.entries import R
from streams.gate import Gate
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.rebuild.fresh import FreshRows
from streams.rebuild.replacing import Counts, Replacing
from streams.rebuild.reports import Reports, Requests
from streams.rebuild.source import Refold
from streams.rows import REBUILT, applied_of, rebuild_mark, rebuilt_by
from streams.table import MadeAgain, RowTable

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp
    from streams.stage import RowForm

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
QUIET_POLL_S = 0.02
AGAIN_S, AGAIN_MAX_S = 1.0, 30.0
ROWS_PER_READ = 500


class Rebuilding(Generic[R]):
    """Of one table. `topic`: full name of its input topic; `refold`: how a partition's rows are made."""

    def __init__(
        self,
        app: "HardenedApp",
        topic: str,
        table: RowTable,
        ledger: Ledger[R],
        gate: Gate,
        form: "RowForm[R]",
        refold: Callable[[], Refold[R]],
        requests: Requests,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._topic = topic
        self._table = table
        self._ledger = ledger
        self._gate = gate
        self._form = form
        self._refold = refold
        self._latest = requests.latest
        self._turn = requests.turn
        self._folder = requests.folder
        self._reports = Reports(table.name, requests.actor, requests.tell, metrics)
        self._owned: set[int] = set()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._problems: dict[int, str] = {}
        app.in_background(self._look_for_ever)
        app.before_stop(self.stop)

    # --- partitions

    def must_wait(self, partition: int) -> bool:
        """Whether no input of a partition that was just recovered may be handled yet: its rows may be of two
        worlds, or none.
        """
        return self._is_cut_short(partition) or self._table.watermark(partition) is None

    def assigned(self, partitions: Collection[int]) -> None:
        """The rows of these partitions are recovered."""
        for partition in partitions:
            self._owned.add(partition)
            if self.must_wait(partition):
                self._gate.close(partition)
                self._begin(partition, self._in_doubt(partition))

    def revoke(self, partitions: Collection[int]) -> None:
        """These partitions are somebody else's now: who begins again, or goes on."""
        self._owned.difference_update(partitions)
        for partition in partitions:
            self._problems.pop(partition, None)
            task = self._tasks.pop(partition, None)
            if task is not None:
                task.cancel()
        self._reports.under_way(len(self._tasks))

    async def stop(self) -> None:
        """Begin nothing more; what was begun is begun again at the next start."""
        tasks = list(self._tasks.values())
        self.revoke(list(self._owned))
        if tasks:
            await asyncio.wait(tasks)

    def missing(self) -> list[str]:
        """What is being made again, a sentence for each partition."""
        return [
            f"partition {partition} of {self._table.name} is made again"
            + (f": {self._problems[partition]}" if partition in self._problems else "")
            for partition in sorted(self._tasks)
            if self._gate.is_closed(partition)
        ]

    # --- what is due

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self._look()
            except Exception:
                log.exception("it could not be seen whether %s is to be made again", self._table.name)

    def _look(self) -> None:
        if not self._app.lease.held or self._app.lease.lapsed() or self._app.should_stop:
            return
        request = self._latest()
        if request is None:
            return
        for partition in sorted(self._owned - self._tasks.keys()):
            if request.offset + 1 > rebuilt_by(self._table.rebuilt(partition)):
                self._begin(partition, self._make_again(partition))

    def _begin(self, partition: int, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks[partition] = asyncio.create_task(work)
        self._reports.under_way(len(self._tasks))

        def ended(done: "asyncio.Task[None]") -> None:
            if self._tasks.get(partition) is done:
                del self._tasks[partition]
                self._problems.pop(partition, None)
            self._reports.under_way(len(self._tasks))
            if not done.cancelled() and (failure := done.exception()) is not None:
                log.error("partition %d of %s", partition, self._table.name, exc_info=failure)

        task.add_done_callback(ended)

    async def _in_doubt(self, partition: int) -> None:
        """A rebuild was cut short, or there is no watermark: the rows were lost, or there never were any."""
        cut_short = self._is_cut_short(partition)
        tp = TP(self._topic, partition)
        while tp not in self._app.strict_consumer.progress():
            await asyncio.sleep(QUIET_POLL_S)
        lost = self._table.watermark(partition) is None and bool(self._app.strict_consumer.committed(tp))
        if cut_short or lost:
            await self._make_again(partition, lost)
        else:
            await self._gate.open(partition)

    def _is_cut_short(self, partition: int) -> bool:
        mark = self._table.rebuilt(partition)
        return mark is not None and rebuilt_by(mark) < 0

    # --- making again

    async def _make_again(self, partition: int, lost: bool = False) -> None:
        pause_s = AGAIN_S
        async with self._turn:
            while self._ledger.owns(partition):
                try:
                    await self._once(partition, lost)
                    break
                except NotOurs as gone:
                    log.info("%s", gone)
                    return
                except Exception as failure:
                    self._problems[partition] = f"{type(failure).__name__}: {failure}; it is tried again"
                    log.exception("partition %d of %s cannot be made again", partition, self._table.name)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, AGAIN_MAX_S)
        await self._gate.open(partition)

    async def _once(self, partition: int, lost: bool) -> None:
        began_s, request = time.monotonic(), self._latest()
        mark = self._table.rebuilt(partition)
        number = max(0 if request is None else request.offset + 1, 0 if mark is None else applied_of(mark))
        self._gate.close(partition)
        await self._reports.begun(partition, request, lost)
        await self._quiet(partition)
        refold = self._refold()
        settled = self._app.strict_consumer.progress()[TP(self._topic, partition)].committable()
        until = await self._until(partition, settled) if refold.rows_are_settled else settled
        await self._mark(partition, number, done=False)
        fresh = FreshRows(
            self._folder / f"{self._table.name}-{partition}", self._form.encode, self._form.decode
        )
        try:
            there = partial(self._table.row, partition)
            await refold.run(partition, until, there, fresh, lost)
            counts = await self._replaced(partition, number, refold, fresh)
        finally:
            fresh.close()
        if settled > 0:
            await self._ledger.cover(partition, settled - 1)
        self._table.store.mended(partition)
        await self._mark(partition, number, done=True)
        self._ledger.forget_read(partition)
        took_ms = int((time.monotonic() - began_s) * 1000)
        await self._reports.done(partition, request, lost, counts, refold.since_ms, took_ms)

    async def _quiet(self, partition: int) -> None:
        """Until all that was handed on is settled. A post to Datadog may take as long as it takes."""
        tp = TP(self._topic, partition)
        while (
            self._gate.is_handling(partition)
            or self._ledger.under_way(partition)
            or tp not in self._app.strict_consumer.progress()
        ):
            await asyncio.sleep(QUIET_POLL_S)

    async def _until(self, partition: int, settled: int) -> int:
        """The offset of the first input that no row has: after a restart, some are there of inputs that come
        again. They are settled as far as their records go, not for the watermark: what rows say is in doubt.
        """
        after: bytes | None = None
        while rows := self._table.store.rows_after(partition, after, ROWS_PER_READ):
            settled = max(settled, 1 + max(applied_of(row) for _, row in rows))
            after = rows[-1][0]
            await asyncio.sleep(0)
        return settled

    async def _replaced(self, partition: int, number: int, refold: Refold[R], fresh: FreshRows[R]) -> Counts:
        async def write(made: Collection[MadeAgain]) -> None:
            await self._ledger.write_made_again(partition, number, list(made))

        store, changed = self._table.store, self._ledger.on_kept
        return await Replacing(store, partition, fresh, self._form.decode, refold.keeps, write, changed).run()

    async def _mark(self, partition: int, number: int, done: bool) -> None:
        mark = rebuild_mark(number, done)
        await self._ledger.write_made_again(partition, number, [MadeAgain(REBUILT, mark, number)])
