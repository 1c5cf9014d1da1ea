"""Posts the reports of runs: those of one run in their order, many runs at once, each until it is taken
or refused.

A temporary refusal (no connection, 5xx, rate limits, rejected keys) closes a gate for all for a while;
nothing is given up, Kafka is the buffer. What is posted is `engine.posting`; by whom is handed in.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, assert_never

from faust.types import Message

from engine.posting import event_to_post
from schemas.events import Reported
from schemas.outgoing import Cause, Outgoing
from schemas.posting import EventToPost, Posted, Poster, PostLater, PostRefused
from schemas.publications import Published, Refused
from schemas.topics import PUBLICATIONS
from streams.inbound import dead_letter
from streams.ledger import Ledger
from streams.metrics import SinkMetrics
from streams.notified import Notified
from streams.outbox import Outbox, Prepared
from streams.ticking import now_ms

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)

AT_ONCE_MAX = 32
WAIT_MIN_S = 1.0
WAIT_MAX_S = 60.0
STOP_WITHIN_S = 10.0
SETTLE_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of one journal record that are to be posted: from `first` on."""

    run_id: str
    seq: int
    at_ms: int
    all: tuple[Reported, ...]
    first: int
    may_repeat: bool
    """The first one may have been posted by a worker that ended before it could say so."""
    message: Message
    cause: Cause


class Reporter:
    """Everything that is being posted by this worker."""

    def __init__(
        self,
        app: "HardenedApp",
        ledger: Ledger[Notified],
        outbox: Outbox,
        metrics: SinkMetrics,
        poster: Poster,
        wait_min_s: float = WAIT_MIN_S,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._outbox = outbox
        self._metrics = metrics
        self._poster = poster
        self._wait_min_s = wait_min_s
        self._slots = asyncio.Semaphore(AT_ONCE_MAX)
        self._open_s = 0.0
        """Loop time at which the gate opens."""
        self._latest: dict[str, asyncio.Task[None]] = {}
        self._tasks: dict[asyncio.Task[None], int] = {}
        self._delivering: set[asyncio.Task[None]] = set()
        """Those whose post has left, until what came of it is recorded: cut short, it would be repeated."""
        self._stopping = False

    def begin(self, reports: Reports) -> asyncio.Task[None]:
        """Post in the background, after what the run has to report before. Done: all are settled."""
        before = self._latest.get(reports.run_id)
        task = asyncio.create_task(self._report_all(reports, before))
        self._latest[reports.run_id] = task
        self._tasks[task] = reports.message.partition

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.pop(task, None)
            if self._latest.get(reports.run_id) is task:
                del self._latest[reports.run_id]

        task.add_done_callback(ended)
        return task

    def revoke(self, partitions: Collection[int]) -> None:
        """Give up what belongs to these partitions: their next owner posts it."""
        for task, partition in list(self._tasks.items()):
            if partition in partitions:
                task.cancel()

    async def stop(self) -> None:
        """Begin nothing more; let what is on its way be recorded and settled, so that it is not repeated."""
        self._stopping = True
        for task in list(self._tasks):
            if task not in self._delivering:
                task.cancel()
        if self._delivering:
            await asyncio.wait(self._delivering, timeout=STOP_WITHIN_S)
        await self._ledger.settle(SETTLE_WITHIN_S)

    async def _report_all(self, reports: Reports, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        async with self._slots:
            for index in range(reports.first, len(reports.all)):
                await self._report(reports, index, reports.may_repeat and index == reports.first)

    async def _report(self, reports: Reports, index: int, may_repeat: bool) -> None:
        """Post one report until it is taken or refused, and record what came of it."""
        if self._stopping:
            raise asyncio.CancelledError
        trying = Notified(reports.seq, index, trying=True)
        await self._ledger.note(reports.message, reports.run_id, trying)
        tries = 0
        while True:
            await self._gate()
            await self._app.lease.ready()
            report = reports.all[index]
            event = event_to_post(
                report, reports.run_id, reports.seq, index, reports.at_ms, now_ms(), may_repeat
            )
            tries += 1
            with self._on_its_way():
                result = await self._poster.post(event)
                self._metrics.posts.labels(type(result).__name__.lower()).inc()
                match result:
                    case Posted():
                        await self._record(self._published(reports, index, event, result, tries, may_repeat))
                        return
                    case PostRefused():
                        await self._record(self._refused(reports, index, event, result))
                        return
                    case PostLater():
                        may_repeat = may_repeat or result.may_have_happened
                        self._close_gate(result, tries)
                    case _:
                        assert_never(result)

    @contextmanager
    def _on_its_way(self) -> Iterator[None]:
        """A stop waits for what happens within."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs has a task
        self._delivering.add(task)
        try:
            yield
        finally:
            self._delivering.discard(task)

    async def _gate(self) -> None:
        loop = asyncio.get_running_loop()
        while (wait_s := self._open_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)

    def _close_gate(self, later: PostLater, tries: int) -> None:
        wait_s = later.retry_after_s
        if wait_s is None:
            wait_s = min(self._wait_min_s * 2 ** min(tries - 1, 10), WAIT_MAX_S)
        log.warning("Datadog cannot be told now (%s); next try in %.1f s", later.reason, wait_s)
        self._open_s = max(self._open_s, asyncio.get_running_loop().time() + wait_s)

    def _published(
        self, reports: Reports, index: int, event: EventToPost, posted: Posted, tries: int, may_repeat: bool
    ) -> list[Prepared]:
        record = Published(
            run_id=reports.run_id,
            seq=reports.seq,
            index=index,
            event_id=posted.event_id,
            url=posted.url,
            sent=_json(event),
            attempts=tries,
            may_repeat=may_repeat,
            at_ms=now_ms(),
        )
        return self._outbox.prepared([Outgoing(PUBLICATIONS, reports.run_id, record)])

    def _refused(
        self, reports: Reports, index: int, event: EventToPost, refused: PostRefused
    ) -> list[Prepared]:
        record = Refused(
            run_id=reports.run_id,
            seq=reports.seq,
            index=index,
            status=refused.status,
            reason=refused.reason,
            sent=_json(event),
            at_ms=now_ms(),
        )
        reason = f"Datadog refused report {index} ({refused.status}): {refused.reason}"
        self._metrics.dead_letters.labels("notify").inc()
        letter = dead_letter(reports.message, reports.cause, self._outbox.prefix, "notify", reason)
        return [*self._outbox.prepared([Outgoing(PUBLICATIONS, reports.run_id, record)]), letter]

    async def _record(self, ready: list[Prepared]) -> None:
        for sent in await self._outbox.send(ready):
            await asyncio.shield(sent)


def _json(event: EventToPost) -> dict[str, object]:
    fields = asdict(event)
    return {**fields, "tags": list(event.tags)}
