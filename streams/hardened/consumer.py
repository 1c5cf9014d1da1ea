"""Faust's consumer with its own account of what may be committed and of where to read on.

Closes L1, L2, L7, L8 (commits and gaps, by `Progress`), L5 (book-keeping only after a commit that worked)
and the drain loop's four tasks a message. How bytes come from the broker is in `thread`; what agents do
is not here.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.transport.drivers.aiokafka import Consumer as UpstreamConsumer
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from mode.utils.futures import notify

from streams.ending import EXIT_REFUSED
from streams.hardened.progress import Progress
from streams.hardened.thread import StrictThread, sibling_loop

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

FETCH_TIMEOUT_S = 1.0
QUEUE_FULL_POLL_S = 0.005
NOTHING_ACTIVE_POLL_S = 0.05
MESSAGES_BETWEEN_YIELDS = 100


class StrictConsumer(UpstreamConsumer):
    """One consumer of a worker. Every override names the hole it closes (design: Faust, section 1.2)."""

    app: "HardenedApp"
    _thread: StrictThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._progress: dict[TP, Progress] = {}
        self._read_on: dict[TP, int] = {}
        """Where to read on in partitions without acks (changelogs)."""
        self._left_out: set[TP] = set()
        """Partitions of which fetched records were not handed over: they are to be fetched again."""
        self.committed_s: float | None = None
        """`time.monotonic()` of the last commit that worked."""
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return StrictThread(self, loop=self.loop, beacon=self.beacon, thread_loop=sibling_loop(self.loop))

    def progress(self) -> Mapping[TP, Progress]:
        """How far each input partition has got."""
        return self._progress

    def committed(self, tp: TP) -> int | None:
        """What is committed of an input partition; None: nothing yet. Known once `progress` has it."""
        return self._committed_offset.get(tp)

    # --- what may be committed: L1, L2, L7

    def ack(self, message: Message) -> bool:
        """Settle a message. One of an earlier generation is somebody else's now: its ack counts for
        nothing."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        settled = False
        if message.generation_id == self.app.consumer_generation_id:
            progress = self._progress.get(message.tp)
            settled = progress is not None and progress.settle(message.offset)
        notify(self._waiting_for_ack)
        return settled

    def set_aside(self, message: Message) -> None:
        """Let neither a rebalance nor a stop wait for this message: not settled, it is read again then."""
        self._unacked_messages.discard(message)

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        return (tp for tp in self._progress if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        progress = self._progress.get(tp)
        return progress.committable() if progress is not None else None

    # --- L5

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        before = {tp: self._committed_offset[tp] for tp in offsets}
        committed = await super()._commit_offsets(offsets, start_new_transaction)
        if committed:
            self.committed_s = time.monotonic()
        else:
            self._committed_offset.update(before)
        return committed

    # --- where to read on: L8, and law 7

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek, as recovery does in changelogs."""
        await super().seek_wait(partitions)
        self._read_on.update(partitions)

    async def perform_seek(self) -> None:
        """Go to where each input partition was left: its commit, or its watermark where that is further."""
        tps = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        if not tps:
            return
        committed = await self._thread.committed(tps)
        covered = {tp: offset for tp in tps if (offset := self.app.covered(tp)) is not None}
        first, end = await self._thread.bounds(tps)
        positions = {tp: _start(committed.get(tp), covered.get(tp), first[tp]) for tp in tps}
        for tp, position in positions.items():
            if position > end[tp]:
                self.app.end(_LOST.format(tp=tp, end=end[tp], position=position), EXIT_REFUSED)
        await self._thread.seek_wait(positions)
        self._committed_offset.update({tp: committed.get(tp) for tp in tps})
        self._progress = {tp: Progress(position) for tp, position in positions.items()}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Upstream commits and drops the partitions; what they had in flight is forgotten only after that."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._progress.pop(tp, None)
            self._read_on.pop(tp, None)

    # --- the drain loop

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and hand over for as long as the fetcher runs. No task is made for a message."""
        try:
            while not (self.should_stop or fetcher.should_stop):
                for tp, records in (await self._fetched()).items():
                    if not await self._hand_over(tp, records):
                        self._left_out.add(tp)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    async def _fetched(self) -> Mapping[TP, list[Any]]:
        if not self.flow_active:
            await self.wait(cast(Any, self.can_resume_flow))
            return {}
        if self._left_out:
            await self._seek_back()
        active = self._get_active_partitions()
        if not active:
            await self.sleep(NOTHING_ACTIVE_POLL_S)
            return {}
        await asyncio.sleep(0)
        fetched = await self._getmany(set(active), FETCH_TIMEOUT_S)
        self._thread.drained(sum(map(len, fetched.values())))
        return fetched

    async def _seek_back(self) -> None:
        """What was fetched and left out comes again; nothing else may count as read (L8)."""
        left_out, self._left_out = self._left_out, set()
        positions = {tp: self._read_on[tp] for tp in left_out if tp in self._read_on}
        positions |= {tp: self._progress[tp].position for tp in left_out if tp in self._progress}
        assigned = self.assignment()
        await self._thread.seek_wait({tp: at for tp, at in positions.items() if tp in assigned})

    async def _hand_over(self, tp: TP, records: Iterable[Any]) -> bool:
        """Hand over one partition's records in order. False when some were left out."""
        progress = self._progress.get(tp)
        acked = self.app.topics.acks_enabled_for(tp.topic)
        for number, record in enumerate(records):
            if acked:
                if progress is None:
                    return False
                if record.offset < progress.position:
                    continue
                if number == 0 and progress.doubts(record.offset):
                    self.log.info("offsets from %d are missing in %r", progress.position, tp)
                    return False
                if self.app.ignores(record):
                    progress.pass_over(record.offset, record.timestamp)
                    continue
            if number % MESSAGES_BETWEEN_YIELDS == MESSAGES_BETWEEN_YIELDS - 1:
                await asyncio.sleep(0)
            if not await self._room(tp) or self._progress.get(tp) is not progress:
                return False
            if progress is not None:
                progress.hand_over(record.offset, record.timestamp)
            else:
                self._read_on[tp] = record.offset + 1
            await self.callback(self._to_message(tp, record))
        return True

    async def _room(self, tp: TP) -> bool:
        """Wait until a message of `tp` can be handed over without blocking. False when it may not be."""
        while self.flow_active and self.app.flow_control.is_active() and not self.should_stop:
            buffer = self.app.producer.buffer
            if buffer.size <= buffer.max_messages and not any(
                channel.queue.full() for channel in self.app.topics.channels_of(tp)
            ):
                return True
            await asyncio.sleep(QUEUE_FULL_POLL_S)
        return False

    async def verify_all_partitions_active(self) -> None:
        """Upstream's livelock detector compares clocks of two kinds and cries wolf; our metrics show lag
        and age."""


_LOST = (
    "{tp.topic} partition {tp.partition} ends at offset {end}, but it had been read up to {position}: "
    "the broker has lost records. Nothing was started; restore the topic, or use a new topic prefix"
)


def _start(committed: int | None, covered: int | None, first: int) -> int:
    """Where to read on: `covered` is the offset of the last input whose effects are surely kept."""
    known = [offset for offset in (committed, None if covered is None else covered + 1) if offset is not None]
    return max(known) if known else first
