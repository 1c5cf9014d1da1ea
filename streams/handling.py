"""What all agents share: how one is registered with Faust, and what it is handed.

An agent handles one message at a time (concurrency 1) and acks through its ledger only. Whatever escapes a
handler is broken infrastructure or a fault of ours: the process ends before the ack.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from faust.types import Message

from engine.catalog import Catalog
from schemas.dead_letters import INTERNAL
from schemas.outgoing import Cause
from streams.ending import EXIT_BROKEN
from streams.entries import R
from streams.hardened.raw import raw_topic
from streams.inbound import dead_letter, where
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.outbox import Outbox

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

log = logging.getLogger(__name__)

CATALOG_WITHIN_S = 20.0
"""Well below the time that a rebalance waits for agents."""


class CatalogView(Protocol):
    """The catalog as it is followed by somebody else."""

    @property
    def catalog(self) -> Catalog: ...

    async def reached(self, offset: int) -> None:
        """Wait until everything before `offset` was read."""


async def caught_up(catalog: CatalogView, offset: int) -> Catalog:
    """The catalog once it knows everything before `offset`.

    Or as it is after a while: a record that names an offset which never comes must not stop all others. The
    engine then says that it does not know the revision.
    """
    if catalog.catalog.offset >= offset:
        return catalog.catalog
    try:
        async with asyncio.timeout(CATALOG_WITHIN_S):
            await catalog.reached(offset)
    except TimeoutError:
        log.warning("the catalog has not reached offset %d in %.0f s", offset, CATALOG_WITHIN_S)
    return catalog.catalog


class Handler(Protocol):
    """One agent."""

    name: str

    async def handle(self, message: Message) -> None:
        """Handle one message to its end: a record, a decision against it, or a dead letter."""


def register(
    app: "HardenedApp", topic: str, handler: Handler, in_hand: Callable[[Message | None], None]
) -> None:
    """Let `handler` take the messages of `topic` (its full name). `in_hand` is told which one it has; None:
    none.
    """
    channel = raw_topic(app, topic)

    async def agent(stream: Any) -> None:
        try:
            async for event in stream.noack().events():
                in_hand(event.message)
                await handler.handle(event.message)
                in_hand(None)
        except Exception as failure:
            log.exception("the agent %s failed", handler.name)
            app.end(f"the agent {handler.name} failed: {where(failure)}", EXIT_BROKEN)

    app.agent(channel, name=handler.name, concurrency=1)(agent)


async def bury(
    ledger: Ledger[R],
    outbox: Outbox,
    metrics: Metrics,
    message: Message,
    cause: Cause,
    stage: str,
    reason: str,
    failure: BaseException | None = None,
) -> None:
    """Settle a message that nobody can handle: it becomes a dead letter with the reason."""
    log.warning("%s/%d@%d is a dead letter: %s", cause.topic, cause.partition, cause.offset, reason)
    metrics.dead_letters.labels(stage).inc()
    letter = dead_letter(message, cause, outbox.prefix, stage, reason, failure)
    await ledger.put(message, sent=await outbox.send([letter]))


def internal(failure: BaseException) -> str:
    """The reason of a dead letter, or of a run's failure, that is a fault of ours."""
    return f"{INTERNAL}{where(failure)}"
