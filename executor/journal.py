"""The executor's end of the journal: group membership, commits with metadata, where to begin.

No decisions here: what was assigned, revoked and read is handed to `executor.process`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalStateError, KafkaError, OffsetMetadataTooLargeError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata

from executor.config import ExecutorConfig
from executor.progress import Position
from fetch_pace import Fetching, FetchPace
from schemas.topics import RUN_JOURNAL

log = logging.getLogger(__name__)

_NEVER_LEFT_MS = 7 * 86_400_000
"""A member that has nothing to fetch is no dead member: aiokafka would leave the group and not come back."""
AT_ONCE, GATHERED = Fetching(min_bytes=1, wait_ms=100), Fetching(min_bytes=16 * 1024, wait_ms=20)
"""How it fetches while few records come, and while many do."""
REVOKE_COMMIT_S = 5.0
"""How long a rebalance waits for our last commit."""


class TopicMissing(Exception):
    """The journal's topic is not there."""


class NameTaken(Exception):
    """Another executor has joined under our instance name."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where the reading of an assigned partition begins, and where the partition ends at present."""

    offset: int
    metadata: str
    end_offset: int


class Journal(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """The journal's partitions that are assigned to us."""

    def __init__(
        self,
        config: ExecutorConfig,
        *,
        before_revoked: Callable[[Collection[int]], Awaitable[None]],
        on_revoked: Callable[[Iterable[int]], None],
        last_positions: Callable[[], Mapping[int, Position]],
    ) -> None:
        """`before_revoked` is awaited first, then `last_positions` asked for and committed, then `on_revoked`
        told.
        """
        self.topic = config.prefix + RUN_JOURNAL.name
        self.assigned: frozenset[int] = frozenset()
        self.generation = 0
        """Rises with every change of the assignment."""
        self.joined = False
        """The group has told us which partitions are ours; false while it makes up its mind again."""
        self.assigned_at = float("-inf")
        """When the group last gave us our partitions (monotonic clock)."""
        self.superseded = False
        """Another executor joined under our name, and the group forgot us."""
        self._held: asyncio.Task[object] | None = None
        self._accepted_at = float("-inf")
        self._before_revoked, self._on_revoked = before_revoked, on_revoked
        self._last_positions = last_positions
        self._config = config
        self._plain_commits = False
        self._admin = AIOKafkaAdminClient(**config.kafka)
        self._consumer = AIOKafkaConsumer(
            **config.kafka,
            group_id=config.group,
            group_instance_id=config.instance,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=round(config.session_timeout_s * 1000),
            heartbeat_interval_ms=config.heartbeat_ms,
            max_poll_interval_ms=_NEVER_LEFT_MS,
            rebalance_timeout_ms=round(config.session_timeout_s * 1000),
            fetch_min_bytes=AT_ONCE.min_bytes,
            fetch_max_wait_ms=AT_ONCE.wait_ms,
        )
        self._pace = FetchPace(AT_ONCE, GATHERED)

    async def start(self) -> None:
        """Connect and join. Raises KafkaError or TopicMissing."""
        await self._admin.start()
        if self.topic not in await self._admin.list_topics():
            raise TopicMissing(
                f"the topic {self.topic} does not exist: make it with `pulsebook topics create`"
            )
        await self._consumer.start()
        self._consumer.subscribe([self.topic], listener=self)

    async def stop(self, timeout_s: float) -> None:
        """Leave. A static member's partitions wait for its return, as long as the session timeout."""
        if self._held is not None:
            self._held.cancel()
            await asyncio.wait([self._held])
        for client in (self._consumer.stop, self._admin.close):
            try:
                async with asyncio.timeout(timeout_s):
                    await client()
            except (KafkaError, TimeoutError) as error:
                log.info("Kafka was not left in order: %r", error)

    async def starts(self, partitions: Iterable[int]) -> dict[int, Start]:
        """Where to begin: the last commit, or the beginning where there is none or it is out of range."""
        asked = [TopicPartition(self.topic, partition) for partition in partitions]
        committed = await self._admin.list_consumer_group_offsets(self._config.group, partitions=asked)
        first = await self._consumer.beginning_offsets(asked)
        end = await self._consumer.end_offsets(asked)
        starts = {}
        for tp in asked:
            said = committed.get(tp)
            if said is not None and first[tp] <= said.offset <= end[tp]:
                starts[tp.partition] = Start(said.offset, said.metadata or "", end[tp])
            else:
                starts[tp.partition] = Start(first[tp], "", end[tp])
        return starts

    def seek(self, partition: int, offset: int) -> None:
        """Read from there. Raises IllegalStateError where the partition is no longer assigned."""
        self._consumer.seek(TopicPartition(self.topic, partition), offset)

    async def poll(self, timeout_s: float, records_max: int) -> dict[int, list[ConsumerRecord]]:
        """The next records by partition; empty when there are none for that long. Raises KafkaError."""
        polled = await self._consumer.getmany(timeout_ms=round(timeout_s * 1000), max_records=records_max)
        self._pace.drained(self._consumer, sum(map(len, polled.values())))
        return {tp.partition: records for tp, records in polled.items()}

    async def commit(self, positions: Mapping[int, Position]) -> bool:
        """Commit for partitions that are still ours; True if the group accepted it, which it does from its
        members only. Waits for a broker that is away."""
        offsets = {
            TopicPartition(self.topic, partition): OffsetAndMetadata(
                position.offset, "" if self._plain_commits else position.metadata
            )
            for partition, position in positions.items()
            if partition in self.assigned
        }
        if not offsets:
            return False
        began = time.monotonic()
        try:
            await self._consumer.commit(offsets)
        except OffsetMetadataTooLargeError:
            log.warning("the broker takes no metadata of 4096 characters: a restart may repeat more steps")
            self._plain_commits = True
            return await self.commit(positions)
        except (KafkaError, IllegalStateError) as error:
            log.info("nothing was committed: %r", error)
            return False
        self._accepted_at = began
        return True

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """aiokafka: we have these now."""
        self.assigned = frozenset(tp.partition for tp in assigned)
        self.assigned_at = time.monotonic()
        self.generation += 1
        self.joined = True
        log.info("partitions assigned: %s", sorted(self.assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """aiokafka: we are about to lose these; it may be the last commit for them."""
        partitions = [tp.partition for tp in revoked]
        self.joined = False
        known_s = time.monotonic() - max(self._accepted_at, self.assigned_at)
        if not self._consumer._coordinator.member_id and known_s < self._config.session_timeout_s:
            # The group forgets a member before its time only if another took its name. aiokafka would take
            # it back at once, and so on for ever: its task is held here until `stop` ends it.
            self.superseded = True
            self._held = asyncio.current_task()
            await asyncio.Event().wait()
        await self._before_revoked(partitions)
        try:
            async with asyncio.timeout(REVOKE_COMMIT_S):
                await self.commit(self._last_positions())
        except TimeoutError:
            log.warning("partitions were lost before a last commit: their steps may be repeated")
        self.assigned = self.assigned - frozenset(partitions)
        self.generation += 1
        self._on_revoked(partitions)
