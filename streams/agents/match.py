"""match: which playbooks does an alert fit? One AlertMatched, and a Candidate or AlertRecovered for each
that does.

It holds no rows (its table has watermarks only), so a redelivered alert is matched again: the first decision
counts, and admission answers a repeated candidate as it did before. Matching itself is `engine.matching`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from faust.types import Message

from engine.matching import matched_records
from schemas.confluent import WriterSchema
from schemas.errors import MalformedMessage, SchemaUnavailable
from schemas.topics import ALERTS
from streams.alert_forms import received_of
from streams.handling import CatalogView, bury, internal
from streams.holding import Holding
from streams.inbound import cause_of, dead_letter
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.outbox import Outbox, Unwritable

Retry = Callable[[Message], Awaitable[None]]
SchemaOf = Callable[[int], Awaitable[WriterSchema]]
"""A registry's schema by its id. Raises MalformedMessage for one that will never be known (the message is a
dead letter then), and SchemaUnavailable while the registry cannot be asked (its partition is held)."""

FIRST_WAIT_S = 2.0
"""How long all partitions wait for one schema, before only its own does: a rebalance waits for this agent."""
HELD_WAIT_S = 60.0


class Match:
    """The agent of `alerts`."""

    name = "match"

    def __init__(
        self,
        ledger: Ledger[None],
        outbox: Outbox,
        metrics: Metrics,
        catalog: CatalogView,
        schema_of: SchemaOf | None,
        holding: Callable[[Retry], Holding],
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._metrics = metrics
        self._inputs = metrics.inputs.labels(self.name)
        self._catalog = catalog
        self._schema_of = schema_of
        self.holding = holding(lambda message: self._handle(message, HELD_WAIT_S))

    async def handle(self, message: Message) -> None:
        """Take an alert and settle it, or hold its partition until that can be done."""
        self._inputs.inc()
        if self.holding.follows(message):
            return
        try:
            await self._handle(message, 0.0 if len(self.holding) else FIRST_WAIT_S)
        except SchemaUnavailable as away:
            self.holding.begin(message, str(away))

    async def _handle(self, message: Message, wait_s: float) -> None:
        """Decode an alert, match it, send what follows, settle it. Raises SchemaUnavailable."""
        if self._ledger.is_covered(message.partition, message.offset):
            await self._ledger.put(message)
            return
        cause = cause_of(message, ALERTS)
        shared = (self._ledger, self._outbox, self._metrics, message, cause, self.name)
        try:
            received = await received_of(message, cause, self._schema_within(wait_s))
            ready = self._outbox.prepared(matched_records(received, cause, self._catalog.catalog))
        except (MalformedMessage, Unwritable) as wrong:
            await bury(*shared, str(wrong), wrong)
            return
        except SchemaUnavailable:
            raise
        except Exception as failure:
            await bury(*shared, internal(failure), failure)
            return
        if received.alert is None:
            self._metrics.dead_letters.labels(self.name).inc()
            ready.append(dead_letter(message, cause, self._outbox.prefix, self.name, received.problem))
        await self._ledger.put(message, sent=await self._outbox.send(ready))

    def _schema_within(self, wait_s: float) -> SchemaOf | None:
        schema_of = self._schema_of
        if schema_of is None:
            return None

        async def within(schema_id: int) -> WriterSchema:
            try:
                async with asyncio.timeout(wait_s):
                    return await schema_of(schema_id)
            except TimeoutError:
                raise SchemaUnavailable("the schema registry does not answer") from None

        return within
