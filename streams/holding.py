"""Messages that wait for something outside, their partition's later ones behind them; the others go on.

The agent hands over a message that cannot be handled now and takes the next. What is held is not settled: a
rebalance or a stop does not wait for it (`StrictConsumer.set_aside`), and whoever owns the partition then
reads it again. Nothing new is fetched of a partition that is held, so what waits here is bounded by what
had been fetched.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faust.types import TP, Message

from schemas.errors import SchemaUnavailable
from streams.ending import EXIT_BROKEN
from streams.inbound import where
from streams.metrics import ProcessorMetrics

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
SAID_EVERY_S = 60.0


@dataclass(slots=True)
class Held:
    """One partition. The first message is the one that cannot be handled yet."""

    tp: TP
    since_s: float
    reason: str
    waiting: deque[Message] = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None
    said_s: float = 0.0

    def sentence(self) -> str:
        """For a person."""
        return (
            f"{self.reason}: partition {self.tp.partition} of {self.tp.topic} is held at offset "
            f"{self.waiting[0].offset} for {time.monotonic() - self.since_s:.0f} s until that can be asked, "
            f"{len(self.waiting)} messages wait"
        )


class Holding:
    """What one agent holds. `handle` tries a message again, and raises SchemaUnavailable while it must."""

    def __init__(
        self, app: "HardenedApp", metrics: ProcessorMetrics, handle: Callable[[Message], Awaitable[None]]
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._handle = handle
        self._held: dict[TP, Held] = {}
        app.before_stop(self.stop)
        app.when_revoked(self.revoke)

    def __len__(self) -> int:
        """How many partitions are held."""
        return len(self._held)

    def count(self) -> int:
        """How many messages wait."""
        return sum(len(held.waiting) for held in self._held.values())

    def missing(self) -> list[str]:
        """What is waited for, a sentence for each partition."""
        return [held.sentence() for held in self._held.values()]

    def begin(self, message: Message, reason: str) -> None:
        """Hold the partition of a message that cannot be handled now."""
        held = Held(message.tp, time.monotonic(), reason)
        self._held[message.tp] = held
        self._add(held, message)
        held.task = asyncio.create_task(self._go_on(held))

    def follows(self, message: Message) -> bool:
        """Whether the message's partition is held: it waits behind the others then."""
        held = self._held.get(message.tp)
        if held is not None:
            self._add(held, message)
        return held is not None

    def revoke(self, revoked: Collection[TP]) -> None:
        """These partitions are somebody else's now."""
        for tp in set(revoked) & self._held.keys():
            task = self._held.pop(tp).task
            if task is not None:
                task.cancel()
        self._tell()

    async def stop(self) -> None:
        """Try nothing more."""
        self.revoke(list(self._held))

    def _add(self, held: Held, message: Message) -> None:
        held.waiting.append(message)
        self._app.strict_consumer.set_aside(message)
        self._app.strict_consumer.pause_partitions({held.tp})  # again: a buffer that empties resumes it
        self._tell()

    async def _go_on(self, held: Held) -> None:
        """Handle what waits, in order, each as soon as it can be. Then the agent goes on by itself."""
        pause_s = FIRST_PAUSE_S
        try:
            while held.waiting:
                try:
                    await self._handle(held.waiting[0])
                except SchemaUnavailable as away:
                    held.reason = str(away)
                    self._say(held)
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    continue
                held.waiting.popleft()
                pause_s = FIRST_PAUSE_S
                self._tell()
        except Exception as failure:
            log.exception("what was held of %s failed", held.tp.topic)
            self._app.end(f"what was held of {held.tp.topic} failed: {where(failure)}", EXIT_BROKEN)
        del self._held[held.tp]
        self._app.strict_consumer.resume_partitions({held.tp})
        self._tell()
        log.warning("partition %d of %s is held no more", held.tp.partition, held.tp.topic)

    def _say(self, held: Held) -> None:
        if not held.said_s or time.monotonic() - held.said_s > SAID_EVERY_S:
            held.said_s = time.monotonic()
            log.error("%s", held.sentence())

    def _tell(self) -> None:
        self._metrics.held_partitions.set(len(self))
        self._metrics.held_alerts.set(self.count())
