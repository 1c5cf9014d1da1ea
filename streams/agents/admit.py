"""admit: may it start now? Candidates, recoveries, ends and timers of a playbook, in one order, over its
rows.

The rules are `engine.admission`. An input that was settled before is known by its rows: they are written
again.
"""

from typing import cast

from faust.types import Message

from engine.admission.admitting import admit
from engine.admission.rows import Row, playbook_of
from engine.admission.situation import Situation
from schemas.admissions import AdmissionsRecord
from schemas.errors import MalformedMessage
from schemas.inbox import TimerFired
from schemas.topics import ADMISSIONS
from streams.handling import CatalogView, bury, internal
from streams.inbound import cause_of, key_checked, record_of
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.outbox import Outbox, Unwritable
from streams.refolding import compiled_of


class Admit:
    """The agent of `admissions`."""

    name = "admit"

    def __init__(
        self,
        ledger: Ledger[Row],
        outbox: Outbox,
        metrics: Metrics,
        catalog: CatalogView,
        situation: Situation,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._metrics = metrics
        self._inputs = metrics.inputs.labels(self.name)
        self._catalog = catalog
        self._situation = situation

    async def handle(self, message: Message) -> None:
        """Take an input, decode it, ask the rules, send what follows, settle it with its rows."""
        self._inputs.inc()
        if self._ledger.is_covered(message.partition, message.offset):
            await self._ledger.put(message)
            return
        cause = cause_of(message, ADMISSIONS)
        shared = (self._ledger, self._outbox, self._metrics, message, cause, self.name)
        try:
            record = cast(AdmissionsRecord, record_of(message, ADMISSIONS))
            playbook = playbook_of(record.row) if isinstance(record, TimerFired) else record.playbook
            key_checked(message, playbook)
        except MalformedMessage as wrong:
            await bury(*shared, str(wrong), wrong)
            return
        compiled = await compiled_of(self._catalog, record)
        seen: dict[str, int] = {}

        def get(key: str) -> Row | None:
            row, seen[key] = self._ledger.look(message.partition, key)
            return row

        try:
            admitted = admit(get, record, cause, compiled, self._situation)
            ready = self._outbox.prepared(admitted.sends)
        except Exception as failure:
            reason = str(failure) if isinstance(failure, Unwritable) else internal(failure)
            await bury(*shared, reason, failure)
            return
        again = [key for key, applied in seen.items() if applied >= message.offset]
        if again:
            await self._ledger.put_again(message, again)
            return
        await self._ledger.put(message, admitted.rows, await self._outbox.send(ready))
