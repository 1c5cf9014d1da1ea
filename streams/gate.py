"""Lets an agent's messages through, but for those of partitions that are closed: they wait in order.

What waits is not settled: a rebalance or a stop does not wait for it, and whoever owns the partition then
reads it again. Nothing new is fetched of a partition that is closed, so what waits here is bounded by what
had been fetched. Why one is closed is its caller's business; the schema registry has `holding`.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Collection
from typing import TYPE_CHECKING

from faust.types import TP, Message

from streams.ending import EXIT_BROKEN
from streams.handling import Handler
from streams.inbound import where

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)


class Gate:
    """Before one agent. It is a `Handler` itself, once it was told whom it stands before."""

    name = "gate"

    def __init__(self, app: "HardenedApp", topic: str) -> None:
        self._app = app
        self._topic = topic
        self._closed: dict[int, deque[Message]] = {}
        self._in_hand: Counter[int] = Counter()
        self._handler: Handler | None = None
        app.when_revoked(self.revoke)

    def before(self, handler: Handler) -> "Gate":
        """Stand before this agent."""
        self._handler = handler
        self.name = handler.name
        return self

    async def handle(self, message: Message) -> None:
        """Hand the message on, or set it aside."""
        waiting = self._closed.get(message.partition)
        if waiting is None:
            await self._hand_on(message)
            return
        waiting.append(message)
        self._app.strict_consumer.set_aside(message)
        self._app.strict_consumer.pause_partitions({message.tp})  # again: a buffer that empties resumes it

    def close(self, partition: int) -> None:
        """From the next message on. The one in hand is handled to its end (`is_handling`)."""
        if partition not in self._closed:
            self._closed[partition] = deque()
            self._app.strict_consumer.pause_partitions({TP(self._topic, partition)})

    async def open(self, partition: int) -> None:
        """Hand on what waits, in order; then the agent goes on by itself."""
        waiting = self._closed.get(partition)
        if waiting is None:
            return
        try:
            while waiting:
                await self._hand_on(waiting[0])
                waiting.popleft()
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            log.exception("what waited of %s failed", self._topic)
            self._app.end(f"what waited of {self._topic} failed: {where(failure)}", EXIT_BROKEN)
        if self._closed.get(partition) is waiting:
            del self._closed[partition]
            self._app.strict_consumer.resume_partitions({TP(self._topic, partition)})

    def is_closed(self, partition: int) -> bool:
        """Whether messages of the partition wait."""
        return partition in self._closed

    def is_handling(self, partition: int) -> bool:
        """Whether the agent has a message of the partition in hand."""
        return self._in_hand[partition] > 0

    def count(self) -> int:
        """How many messages wait."""
        return sum(map(len, self._closed.values()))

    def revoke(self, revoked: Collection[TP]) -> None:
        """These partitions are somebody else's now."""
        for tp in revoked:
            if tp.topic == self._topic:
                self._closed.pop(tp.partition, None)

    async def _hand_on(self, message: Message) -> None:
        if self._handler is None:
            raise TypeError("the gate was not told before whom it stands")
        self._in_hand[message.partition] += 1
        try:
            await self._handler.handle(message)
        finally:
            self._in_hand[message.partition] -= 1
