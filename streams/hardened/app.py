"""The Faust app that uses the hardened transport and recovery. Which agents and tables it has is not
known here.

Everything is wired through what Faust offers for it: a transport made by the app, and the settings
`TableManager` and `Table`. No upstream class is changed in place.
"""

from collections.abc import Callable, Coroutine
from typing import Any, cast

import faust
from faust.types import TP
from faust.types.transports import TransportT

from fetch_pace import FetchPace
from streams.ending import End, end_process
from streams.hardened.consumer import StrictConsumer
from streams.hardened.producer import StrictProducer
from streams.hardened.raw import QuietMonitor
from streams.hardened.recovery import SafeRecovery, SafeTableManager
from streams.hardened.transport import HardenedTransport, OpenConductor
from streams.lease import Lease
from streams.table import RowTable

Covered = Callable[[TP], int | None]
"""The offset up to which the effects of an input partition are surely kept; None where nothing is known."""


class HardenedApp(faust.App):
    """A Faust app that loses nothing. `covered` tells the consumer where a watermark stands (law 7)."""

    topics: OpenConductor

    def __init__(
        self,
        id: str,
        *,
        session_timeout_s: float,
        fetch_pace: FetchPace,
        end: End = end_process,
        **options: Any,
    ) -> None:
        self.end = end
        self.lease = Lease(session_timeout_s, end=end)
        self.fetch_pace = fetch_pace
        self.covered: Covered = lambda tp: None
        self.ignores: Callable[[Any], bool] = lambda record: False
        """Whether a record of an input topic concerns no agent: told by its header, before anything else."""
        self._background: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._revoking: list[Callable[[set[TP]], None]] = []
        self._stopping: list[Callable[[], Coroutine[Any, Any, None]]] = []
        super().__init__(
            id,
            TableManager=SafeTableManager,
            Table=RowTable,
            Monitor=QuietMonitor,
            processing_guarantee="at_least_once",
            broker_session_timeout=session_timeout_s,
            **options,
        )

    def _new_transport(self) -> TransportT:
        return HardenedTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> TransportT:
        return HardenedTransport(self.conf.broker_producer, self)

    @property
    def strict_consumer(self) -> StrictConsumer:
        """The consumer, by its real type."""
        return cast(StrictConsumer, self.consumer)

    @property
    def strict_producer(self) -> StrictProducer:
        """The producer, by its real type."""
        return cast(StrictProducer, self.producer)

    @property
    def recovery(self) -> SafeRecovery:
        """The recovery service, by its real type."""
        return cast(SafeRecovery, cast(SafeTableManager, self.tables).recovery)

    def in_background(self, task: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `task` from the start of the app to its very end. One that raises crashes the app."""
        self._background.append(task)

    def when_revoked(self, forget: Callable[[set[TP]], None]) -> None:
        """Call `forget` whenever partitions were given back, after what was settled is committed."""
        self._revoking.append(forget)

    def before_stop(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Await `finish` when the app is asked to stop, before it does anything else."""
        self._stopping.append(finish)

    async def on_stop(self) -> None:
        """Finish what must not be cut short, then stop as Faust does."""
        for finish in self._stopping:
            await finish()
        await super().on_stop()

    async def on_start(self) -> None:
        """Start the background tasks before the first message can arrive."""
        await super().on_start()
        for task in self._background:
            self.add_future(task())

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.lease.assigned()
        await super()._on_partitions_assigned(assigned, generation_id)

    async def _on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super()._on_partitions_revoked(revoked)
        for forget in self._revoking:
            forget(revoked)
        self.lease.revoked()
