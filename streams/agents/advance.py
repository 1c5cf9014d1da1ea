"""advance: the next move of a run. One input, the run's row, one journal record, and what is sent with it.

The rules are `engine.run`. An exception there is an answer too: the run fails (internal), and the input
is a dead letter besides. A row that is older than what an input answers is rebuilt from the journal
first.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from faust.types import Message

from engine.run.advancing import Advanced, advance, expects_newer, failed_internally, refold
from engine.run.state import Run
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.inbox import InboxRecord, RunRequested, TimerFired
from schemas.outgoing import Cause, Outgoing
from schemas.topics import RUN_INBOX, RUN_JOURNAL
from streams.handling import CatalogView, bury, caught_up, internal
from streams.inbound import cause_of, dead_letter, key_checked, record_of
from streams.ledger import Ledger
from streams.metrics import ProcessorMetrics
from streams.outbox import Outbox, Prepared, Unwritable
from streams.reporting_header import journal_headers
from streams.run_census import count_events

log = logging.getLogger(__name__)

Rebuild = Callable[[str], Awaitable[Sequence[JournalRecord]]]
"""All journal records of a run, in their order; of one seq there are several where they contradict."""


class Advance:
    """The agent of `run-inbox`."""

    name = "advance"

    def __init__(
        self,
        ledger: Ledger[Run],
        outbox: Outbox,
        metrics: ProcessorMetrics,
        catalog: CatalogView,
        rebuild: Rebuild,
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._metrics = metrics
        self._inputs = metrics.inputs.labels(self.name)
        self._catalog = catalog
        self._rebuild = rebuild

    async def handle(self, message: Message) -> None:
        """Take an input, decode it, advance its run, send the journal, settle it with the row."""
        self._inputs.inc()
        if self._ledger.is_covered(message.partition, message.offset):
            await self._ledger.put(message)
            return
        cause = cause_of(message, RUN_INBOX)
        shared = (self._ledger, self._outbox, self._metrics, message, cause, self.name)
        try:
            record = cast(InboxRecord, record_of(message, RUN_INBOX))
            run_id = record.row if isinstance(record, TimerFired) else record.run_id
            key_checked(message, run_id)
        except MalformedMessage as wrong:
            await bury(*shared, str(wrong), wrong)
            return
        row, rebuilt = await self._row(message, run_id, record)
        if row is not None and row.applied >= message.offset:
            await self._again(message, run_id, row, rebuilt)
            return
        if isinstance(record, RunRequested):
            await caught_up(self._catalog, record.catalog_offset)
        try:
            advanced, ready = self._advanced(row, record, cause, message)
        except Exception as failure:
            await bury(*shared, internal(failure), failure)
            return
        rows = {run_id: advanced.row} if advanced.journal is not None or rebuilt else {}
        count_events(self._metrics, advanced.journal)
        await self._ledger.put(message, rows, await self._outbox.send(ready))

    async def _row(self, message: Message, run_id: str, record: InboxRecord) -> tuple[Run | None, bool]:
        """The run's row, and whether it had to be rebuilt."""
        row = self._ledger.get(message.partition, run_id)
        if not expects_newer(row, record):
            return row, False
        newer = refold(self._agreeing(run_id, await self._rebuild(run_id)))
        is_newer = newer is not None and (row is None or newer.seq > row.seq)
        return (newer, True) if is_newer else (row, False)

    def _agreeing(self, run_id: str, records: Sequence[JournalRecord]) -> list[JournalRecord]:
        """The first record of each seq; another one with other content is an alarm (law 3)."""
        first: dict[int, JournalRecord] = {}
        for record in records:
            if first.setdefault(record.seq, record) != record:
                log.error("run %s has two journal records %d that differ", run_id, record.seq)
                self._metrics.contradictions.inc()
        return list(first.values())

    async def _again(self, message: Message, run_id: str, row: Run, rebuilt: bool) -> None:
        """The row has this input already; it is written all the same (law 3)."""
        if rebuilt:
            await self._ledger.put(message, {run_id: row})
        else:
            await self._ledger.put_again(message, [run_id])

    def _advanced(
        self, row: Run | None, record: InboxRecord, cause: Cause, message: Message
    ) -> tuple[Advanced, list[Prepared]]:
        """What the input leads to, as records that can be written."""
        try:
            advanced = advance(row, record, cause, self._catalog.catalog.compiled(_revision(row, record)))
            return advanced, self._prepared(advanced)
        except Exception as failure:
            reason = str(failure) if isinstance(failure, Unwritable) else internal(failure)
            advanced = failed_internally(row, record, cause, reason)
            letter = dead_letter(message, cause, self._outbox.prefix, self.name, reason, failure)
            self._metrics.dead_letters.labels(self.name).inc()
            return advanced, [*self._prepared(advanced), letter]

    def _prepared(self, advanced: Advanced) -> list[Prepared]:
        journal = advanced.journal
        if journal is None:
            return []
        sends = (Outgoing(RUN_JOURNAL, journal.run_id, journal), *advanced.sends)
        first, *rest = self._outbox.prepared(sends)
        return [first._replace(headers=journal_headers(journal)), *rest]


def _revision(row: Run | None, record: InboxRecord) -> str:
    if row is not None and row.started is not None:
        return row.started.revision
    return record.revision if isinstance(record, RunRequested) else ""
