"""The executor process: reads the journal, has open steps carried out, commits what is safe, stops in order.

Which step runs when is `executor.dispatcher`. Composed by `cli`, which hands in actions and secrets.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Collection, Iterable, Mapping

from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord
from prometheus_client import CollectorRegistry

from executor.broker_clock import BrokerClock, now_s
from executor.committing import Committer
from executor.config import ExecutorConfig, Identity
from executor.dispatcher import Dispatcher
from executor.journal import Journal, NameTaken, TopicMissing
from executor.last_grants import read_on
from executor.metrics import Metrics
from executor.partition_work import PartitionWork
from executor.repeats import Repeats
from executor.run_step import StepRunner
from executor.secret_slots import FindSecret
from executor.sending import Sender
from executor.unreadable import unreadable
from schemas.actions import Action
from schemas.codec import decode
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.topics import RUN_JOURNAL

log = logging.getLogger(__name__)

POLL_S = 0.2
RECORDS_A_POLL = 500
TICK_S = 1.0
FULL_WAIT_S = 0.02
RETRY_WAIT_S = 2.0
UNACKNOWLEDGED_S = 10.0
"""How long an answer may travel before we say that we are not ready."""
GRANTS_S = 3.0
"""How long a stop or a rebalance waits for the grants of what is claimed; they come within a tenth of a
second."""
CLOSE_S = 1.5
"""How long the last acknowledgements, the last commit, and the leaving may take each."""


class Executor:
    """One executor process without its health server."""

    def __init__(
        self,
        config: ExecutorConfig,
        actions: Mapping[str, Action],
        find_secret: FindSecret,
        registry: CollectorRegistry,
    ) -> None:
        self._config = config
        self._metrics = Metrics(registry)
        self._repeats = Repeats()
        self._clock = BrokerClock()
        self._ticked_at = 0.0
        self._stop = asyncio.Event()
        self._grants_took_s = 0.0
        self._trouble = "not connected to Kafka yet"
        self._journal: Journal | None = None
        self._sender = Sender(config.kafka, config.prefix, self._clock.acknowledged)
        self._dispatcher = Dispatcher(
            StepRunner(actions, find_secret),
            self._sender,
            Identity(config.instance, secrets.token_hex(8), time.time_ns() // 1_000_000),
            self._metrics,
            concurrency=config.concurrency,
            now_ms=self._now_ms,
            is_member=lambda: self._clock.never_behind and self._committer.is_member(self._journal),
        )
        self._committer = Committer(config, self._metrics, self._dispatcher.positions)

    def problems(self) -> tuple[str, ...]:
        """What keeps it from doing its job, for a person; empty when it is ready."""
        journal = self._journal
        if self._trouble or journal is None:
            return (self._trouble,)
        if not journal.joined:
            return ("waiting for the consumer group to give out its partitions",)
        found = []
        if journal.assigned and not self._committer.is_member(journal):
            found.append("no commit was acknowledged for longer than the session timeout: is Kafka away?")
        if (waited_s := self._sender.oldest_s()) > UNACKNOWLEDGED_S:
            found.append(f"answers wait for Kafka's acknowledgement since {waited_s:.0f} s")
        if missing := journal.assigned - set(self._dispatcher.partitions):
            found.append(f"{len(missing)} partitions are being taken over")
        if behind := self._dispatcher.behind:
            found.append(f"reading the journal to its end before anything starts: {behind} records to go")
        return tuple(found)

    @property
    def finished(self) -> int:
        """Steps that this process has answered."""
        return self._dispatcher.finished

    def request_stop(self) -> None:
        """Take no more, finish what runs, commit, leave: `run` returns within 30 s."""
        self._stop.set()

    async def run(self) -> None:
        """Work until `request_stop`.

        Raises NameTaken when another executor joined under our name, KafkaError when the group will not have
        us for another reason; what runs is finished before, as with a stop.
        """
        committing: asyncio.Task[None] | None = None
        try:
            journal = await self._connect()
            if journal is not None:
                committing = asyncio.create_task(self._committer.run(journal))
            while journal is not None and not self._stop.is_set():
                await self._work_on(journal)
            if journal is not None:
                await self._use_grants(journal)
        finally:
            await self._leave(committing)

    async def _connect(self) -> Journal | None:
        """Connect, however long it takes; None if we were asked to stop meanwhile."""
        while not self._stop.is_set():
            journal = Journal(
                self._config,
                before_revoked=self._use_last_grants,
                on_revoked=self._revoked,
                last_positions=self._dispatcher.positions,
            )
            try:
                await self._sender.start()
                await journal.start()
            except (KafkaError, TopicMissing, OSError) as error:
                self._trouble = (
                    str(error) if isinstance(error, TopicMissing) else f"cannot reach Kafka: {error}"
                )
                log.warning("%s; trying again every %g s", self._trouble, RETRY_WAIT_S)
                await asyncio.gather(journal.stop(CLOSE_S), self._sender.stop(0))
                await self._pause(RETRY_WAIT_S)
                continue
            self._journal, self._trouble = journal, ""
            return journal
        return None

    async def _work_on(self, journal: Journal) -> None:
        """One turn: new partitions, some records, what waited too long."""
        if journal.superseded:
            raise NameTaken(
                f"another executor runs under the name {self._config.instance}: "
                "give each a PULSEBOOK_INSTANCE of its own"
            )
        await self._take_over(journal)
        config, dispatcher = self._config, self._dispatcher
        full = dispatcher.is_full(config.open_steps_max, config.open_bytes_max)
        self._metrics.full.set(full)
        if full:
            # Not to poll is to pause: the fetcher holds one batch a partition and asks for no more.
            await self._pause(FULL_WAIT_S)
        else:
            self._take(await self._polled(journal))
            await asyncio.sleep(0)
        if time.monotonic() - self._ticked_at >= TICK_S:
            self._ticked_at = time.monotonic()
            dispatcher.tick()

    async def _use_grants(self, journal: Journal) -> None:
        """Asked to stop: start what was claimed as its grant comes, so that no step is left in doubt."""
        self._dispatcher.close()
        began_s = time.monotonic()
        while self._dispatcher.claimed and self._grants_took_s < GRANTS_S and not journal.superseded:
            self._take(await self._polled(journal))
            await asyncio.sleep(FULL_WAIT_S)
            self._grants_took_s = time.monotonic() - began_s

    async def _use_last_grants(self, partitions: Collection[int]) -> None:
        """About to lose partitions: start what was claimed there as its grant comes, as with a stop."""
        starts = self._dispatcher.claimed_in(partitions)
        if not starts:
            return
        self._dispatcher.close()
        topic = self._config.prefix + RUN_JOURNAL.name
        try:
            async with asyncio.timeout(min(GRANTS_S, self._config.session_timeout_s / 2)):
                await read_on(
                    self._config.kafka,
                    topic,
                    starts,
                    lambda partition, records: self._take({partition: records}),
                    lambda: bool(self._dispatcher.claimed_in(partitions)),
                )
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("partitions are given back before the grants of what was claimed came: %r", error)
        finally:
            if not self._stop.is_set():
                self._dispatcher.reopen()

    def _take(self, polled: Mapping[int, list[ConsumerRecord]]) -> None:
        for partition, records in polled.items():
            for record in records:
                if not self._dispatcher.has_read(partition, record.offset):
                    self._read(partition, record)
        self._dispatcher.go_live()

    async def _polled(self, journal: Journal) -> Mapping[int, list[ConsumerRecord]]:
        try:
            return await journal.poll(POLL_S, RECORDS_A_POLL)
        except KafkaError as error:
            if not error.retriable:
                log.error("the consumer group has no place for %s any more: %r", self._config.instance, error)
                raise
            log.warning("the journal cannot be read, trying again: %r", error)
            await self._pause(RETRY_WAIT_S)
            return {}

    async def _take_over(self, journal: Journal) -> None:
        """Begin with partitions that were assigned since the last turn."""
        fresh = journal.assigned - set(self._dispatcher.partitions)
        if not fresh:
            return
        generation = journal.generation
        try:
            starts = await journal.starts(fresh)
            if generation != journal.generation:
                return
            for partition, start in starts.items():
                journal.seek(partition, start.offset)
                self._dispatcher.assign(
                    PartitionWork(partition, start.offset, start.metadata, start.end_offset)
                )
        except (KafkaError, IllegalStateError) as error:
            log.warning("partitions cannot be taken over yet, trying again: %r", error)
            await self._pause(RETRY_WAIT_S)

    def _revoked(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self._dispatcher.revoke(partition)

    def _read(self, partition: int, message: ConsumerRecord) -> None:
        self._clock.read(now_s(), message.timestamp)
        try:
            record = decode(message.value)
            if not isinstance(record, JournalRecord):
                raise MalformedMessage(f"a {type(record).__name__} is no journal record")
        except MalformedMessage as error:
            self._give_up(partition, message, str(error))
            return
        if self._repeats.contradicts(record.run_id, record.seq, message.value):
            log.error(
                "journal record %d/%d: run %s has another record %d with other content; the first one holds",
                partition,
                message.offset,
                record.run_id,
                record.seq,
            )
            self._metrics.contradictions.inc()
        self._dispatcher.read(partition, message.offset, record, len(message.value))

    def _give_up(self, partition: int, message: ConsumerRecord, reason: str) -> None:
        """A record that nobody can read: its steps end by the run's own timers."""
        log.error("journal record %d/%d is unreadable: %s", partition, message.offset, reason)
        self._metrics.dead_letters.labels("executor").inc()
        letter = unreadable(partition, message, reason)
        self._sender.send_dead_letter(message.key, letter)
        self._dispatcher.skip(partition, message.offset)

    def _now_ms(self) -> int:
        """The broker's time: grants and deadlines are its, whatever our own clock says."""
        known_ms = self._clock.epoch_ms(now_s())
        return time.time_ns() // 1_000_000 if known_ms is None else known_ms

    async def _pause(self, wait_s: float) -> None:
        """Wait, or less if we are asked to stop."""
        try:
            async with asyncio.timeout(wait_s):
                await self._stop.wait()
        except TimeoutError:
            pass

    async def _leave(self, committing: "asyncio.Task[None] | None") -> None:
        self._trouble = "stopping"
        await self._dispatcher.drain(max(0.0, self._config.stop_grace_s - self._grants_took_s))
        await self._sender.stop(CLOSE_S)
        if committing is not None:
            committing.cancel()
            await asyncio.wait([committing])
        if self._journal is not None:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._journal.commit(self._dispatcher.positions())
            except TimeoutError:
                log.warning("the last commit was not acknowledged: steps may be repeated after the restart")
            await self._journal.stop(CLOSE_S / 2)
