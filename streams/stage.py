"""One agent with all it stands on: its input topic, table, watermarks, ledger, and timers where it has some.

Also what happens to them when partitions come and go.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, cast

from faust.types import TP, Message

from schemas.topics import Topic
from streams.ending import EXIT_BROKEN, EXIT_REFUSED
from streams.entries import R
from streams.gate import Gate
from streams.handling import Handler, register
from streams.ledger import Ledger
from streams.metrics import Metrics, ProcessorMetrics
from streams.options import WorkerOptions
from streams.outbox import Outbox
from streams.rebuild.rebuilding import Rebuilding
from streams.rebuild.reports import Requests
from streams.rebuild.source import Refold
from streams.table import RowTable
from streams.ticking import Ticking
from streams.watermarks import Watermarks

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)

Mend = Callable[[int, Collection[str]], Awaitable[Mapping[str, tuple[R | None, int]]]]
"""From a partition and the keys of rows that may be stale to rows as they must be (None: there is none) and
the offset of the last input that each has, from another source."""


@dataclass(frozen=True, slots=True)
class RowForm(Generic[R]):
    """How rows of a table are written, read, asked for their timers, mended and made again."""

    encode: Callable[[R], bytes]
    decode: Callable[[bytes], R]
    timers_of: Callable[[R], Mapping[str, int]] | None = None
    key_of: Callable[[str], str] = str
    """From a row's key to the key of its inputs."""
    mend: Mend[R] | None = None
    refold: Callable[[], Refold[R]] | None = None
    """Makes all rows of a partition again."""


class Stage(Generic[R]):
    """The ground of one agent of `app`; `table` is the table's name, `beside` other topics that its rows go
    by: they are of no use once one of these was deleted and made again.
    """

    def __init__(
        self,
        app: "HardenedApp",
        options: WorkerOptions,
        topic: Topic,
        table: str,
        form: RowForm[R],
        outbox: Outbox,
        metrics: Metrics,
        beside: Collection[Topic] = (),
        requests: Requests | None = None,
    ) -> None:
        self.app = app
        self.topic = options.prefix + topic.name
        self.form = form
        self.table = cast(RowTable, app.Table(table, key_type=bytes, value_type=bytes))
        self.watermarks = Watermarks(
            self.topic,
            options.topic_id(self.topic),
            lambda reason: app.end(reason, EXIT_REFUSED),
            {options.prefix + topic.name: options.topic_id(options.prefix + topic.name) for topic in beside},
        )
        self.ledger: Ledger[R] = Ledger(app, self.table, self.watermarks, form.encode, form.decode)
        self.ticking: Ticking[R] | None = None
        self.busy = False
        """Whether the agent is handling a message."""
        self.gate = Gate(app, self.topic)
        self.held: Callable[[], int] = self.gate.count
        """How many messages are set aside, by the gate or by the agent."""
        self.nowhere_since_s: float | None = None
        if form.timers_of is not None:
            if not isinstance(metrics, ProcessorMetrics):
                raise TypeError("a table with timers needs metrics that tell of them")
            self.ticking = Ticking(
                app, self.table, outbox, metrics, self.topic, form.key_of, form.decode, form.timers_of
            )
            self.ledger.on_kept = self.ticking.kept
        self.rebuilding: Rebuilding[R] | None = None
        if form.refold is not None and requests is not None:
            self.rebuilding = Rebuilding(
                app,
                self.topic,
                self.table,
                self.ledger,
                self.gate,
                form,
                form.refold,
                requests,
                metrics,
            )
        self.table.on_recover(self._recovered)

    def run(self, handler: Handler) -> None:
        """Let `handler` take the topic's messages."""
        register(self.app, self.topic, self.gate.before(handler), self._in_hand)

    def _in_hand(self, message: Message | None) -> None:
        self.busy = message is not None
        if message is not None and self.ticking is not None:
            self.ticking.clock.read(message.timestamp * 1000)

    def covered(self, partition: int) -> int | None:
        """Offset of the last input that is settled for sure."""
        return self.watermarks.covered(partition)

    def missing(self) -> list[str]:
        """What it does not do at the moment, a sentence for each partition."""
        return [] if self.rebuilding is None else self.rebuilding.missing()

    def revoke(self, revoked: set[TP]) -> None:
        """Partitions go: forget all that belongs to them."""
        partitions = {tp.partition for tp in revoked if tp.topic == self.topic}
        self.ledger.revoke(partitions)
        if self.rebuilding is not None:
            self.rebuilding.revoke(partitions)
        if self.ticking is not None:
            self.ticking.revoke(partitions)

    async def _recovered(self) -> None:
        """Partitions came, and their rows are complete. Faust swallows what is raised here; so nothing is."""
        try:
            actives = self.app.recovery.actives_for_table[self.table]
            partitions = {tp.partition for tp in actives}
            await self._mend()
            await self.ledger.assigned(partitions)
            if self.ticking is not None:
                self.ticking.assigned(partitions)
            if self.rebuilding is not None:
                self.rebuilding.assigned(partitions)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            log.exception("the table %s could not be made ready", self.table.name)
            self.app.end(f"the table {self.table.name} could not be made ready: {failure!r}", EXIT_BROKEN)

    async def _mend(self) -> None:
        for partition, keys in self.table.suspects.items():
            if self.rebuilding is not None and self.rebuilding.must_wait(partition):
                continue  # all of its rows are made again
            names = sorted(key.decode() for key in keys)
            if self.form.mend is None:
                log.error("rows of %s may be stale: %r", self.table.name, names)
                self.table.store.mended(partition)
                continue
            log.warning("rows of %s may be stale, and are made again: %r", self.table.name, names)
            for key, (row, applied) in (await self.form.mend(partition, names)).items():
                await self.ledger.mend(partition, key, row, applied)
            self.table.store.mended(partition)
