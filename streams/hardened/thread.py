"""The thread in which Faust's consumer talks to the broker: fetch waits, seeks, the lease.

Upstream hard-codes a fetch wait of 1.5 s (a hot partition then waits behind idle ones) and hides
heartbeats; both are put right here on the objects it makes, without touching its modules or aiokafka's.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from streams.lease import Lease

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp


def sibling_loop(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """A new loop of the same make (uvloop, where that runs): by itself the thread would get asyncio's own."""
    make = type(loop)
    try:
        return make()
    except TypeError:
        return asyncio.new_event_loop()


class LeasedCoordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's coordinator; every heartbeat that was answered well renews the lease (law 6)."""

    lease: Lease

    async def _do_heartbeat(self) -> bool:
        asked_s = self.lease.now_s()
        good = cast(bool, await super()._do_heartbeat())
        if good:
            self.lease.renewed(asked_s)
        elif self.member_id == JoinGroupRequest.UNKNOWN_MEMBER_ID:
            self.lease.lost("the group's coordinator does not know this member any more")
        return good


class StrictThread(AIOKafkaConsumerThread):
    """Faust's consumer thread with a short fetch wait, a lease, and questions that upstream cannot ask."""

    app: "HardenedApp"

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes = self.app.fetch_pace.current.min_bytes
        consumer._fetch_max_wait_ms = self.app.fetch_pace.current.wait_ms
        return consumer

    def drained(self, records: int) -> None:
        """So many records came out of the consumer: the next fetches wait for more, or do not."""
        self.app.fetch_pace.drained(self._ensure_consumer(), records)

    async def on_start(self) -> None:
        """Start aiokafka's consumer; its coordinator, which it makes while starting, becomes a leased one."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        if isinstance(coordinator, GroupCoordinator):
            coordinator.__class__ = LeasedCoordinator
            cast(LeasedCoordinator, coordinator).lease = self.app.lease

    async def stop(self) -> None:
        """Stop the thread, and close its loop: upstream closes only one that it made itself."""
        await super().stop()
        if not self.thread_loop.is_running() and not self.thread_loop.is_closed():
            self.thread_loop.close()

    async def committed(self, tps: Iterable[TP]) -> Mapping[TP, int | None]:
        """The group's committed offsets, in one request; None where there is none."""
        return cast(Mapping[TP, "int | None"], await self.call_thread(self._committed, list(tps)))

    async def _committed(self, tps: list[TP]) -> Mapping[TP, int | None]:
        coordinator = self._ensure_consumer()._coordinator
        answers = await coordinator.fetch_committed_offsets([TopicPartition(*tp) for tp in tps])
        offsets = {TP(*tp): answer.offset for tp, answer in answers.items()}
        return {tp: offset if (offset := offsets.get(tp, -1)) >= 0 else None for tp in tps}

    async def bounds(self, tps: Iterable[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """The first offset and the end (one past the last) of each partition."""
        return cast(
            tuple[Mapping[TP, int], Mapping[TP, int]],
            await self.call_thread(self._bounds, [TopicPartition(*tp) for tp in tps]),
        )

    async def _bounds(self, tps: list[TopicPartition]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        consumer = self._ensure_consumer()
        first, end = await asyncio.gather(consumer.beginning_offsets(tps), consumer.end_offsets(tps))
        return {TP(*tp): at for tp, at in first.items()}, {TP(*tp): at for tp, at in end.items()}
