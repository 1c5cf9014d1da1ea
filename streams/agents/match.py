"""match: which playbooks does an alert fit? One AlertMatched, and a Candidate or AlertRecovered for each
that does.

It holds no rows (its table has watermarks only), so a redelivered alert is matched again: the first decision
counts, and admission answers a repeated candidate as it did before. Matching itself is `engine.matching`.
"""

from collections.abc import Awaitable, Callable

from faust.types import Message

from engine.matching import matched_records
from schemas.confluent import WriterSchema
from schemas.errors import MalformedMessage
from schemas.topics import ALERTS
from streams.alert_forms import received_of
from streams.handling import CatalogView, bury, internal
from streams.inbound import cause_of, dead_letter
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.outbox import Outbox, Unwritable

SchemaOf = Callable[[int], Awaitable[WriterSchema]]
"""A registry's schema by its id. May raise anything; the message is a dead letter then."""


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
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._metrics = metrics
        self._inputs = metrics.inputs.labels(self.name)
        self._catalog = catalog
        self._schema_of = schema_of

    async def handle(self, message: Message) -> None:
        """Take an alert, decode it, match it, send what follows, settle it."""
        self._inputs.inc()
        if self._ledger.is_covered(message.partition, message.offset):
            await self._ledger.put(message)
            return
        cause = cause_of(message, ALERTS)
        shared = (self._ledger, self._outbox, self._metrics, message, cause, self.name)
        try:
            received = await received_of(message, cause, self._schema_of)
            ready = self._outbox.prepared(matched_records(received, cause, self._catalog.catalog))
        except (MalformedMessage, Unwritable) as wrong:
            await bury(*shared, str(wrong), wrong)
            return
        except Exception as failure:
            await bury(*shared, internal(failure), failure)
            return
        if received.alert is None:
            self._metrics.dead_letters.labels(self.name).inc()
            ready.append(dead_letter(message, cause, self._outbox.prefix, self.name, received.problem))
        await self._ledger.put(message, sent=await self._outbox.send(ready))
