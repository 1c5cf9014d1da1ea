"""notify: tell Datadog. Reads the journal, posts what it reports, records what Datadog said.

It only starts posts (`streams.reporter`) and acks in order what is done: a Datadog that is away fills the
ledger, which then takes no more, and Kafka keeps the rest. Rows say what was posted, so that repeats are
rare and marked.
"""

from typing import cast

from faust.types import Message

from schemas.errors import MalformedMessage
from schemas.events import JournalRecord, Reported, RunForgotten
from schemas.topics import RUN_JOURNAL
from streams.handling import bury
from streams.inbound import cause_of, key_checked, record_of
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.notified import Notified
from streams.outbox import Outbox
from streams.reporter import Reporter, Reports


class Notify:
    """The agent of `run-journal`, in the sink."""

    name = "notify"

    def __init__(
        self, ledger: Ledger[Notified], outbox: Outbox, metrics: Metrics, reporter: Reporter
    ) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._metrics = metrics
        self._reporter = reporter
        self._inputs = metrics.inputs.labels(self.name)

    async def handle(self, message: Message) -> None:
        """Take a journal record, decode it, begin its posts, settle it when they are done."""
        self._inputs.inc()
        if self._ledger.is_covered(message.partition, message.offset):
            await self._ledger.put(message)
            return
        cause = cause_of(message, RUN_JOURNAL)
        try:
            record = cast(JournalRecord, record_of(message, RUN_JOURNAL))
            key_checked(message, record.run_id)
        except MalformedMessage as wrong:
            await bury(
                self._ledger, self._outbox, self._metrics, message, cause, self.name, str(wrong), wrong
            )
            return
        reports = tuple(event for event in record.events if isinstance(event, Reported))
        row = self._ledger.get(message.partition, record.run_id)
        if not reports:
            forgotten = row is not None and any(isinstance(event, RunForgotten) for event in record.events)
            await self._ledger.put(message, {record.run_id: None} if forgotten else {})
            return
        if row is not None and row.covers(record.seq, len(reports)):
            await self._ledger.put(message)
            return
        first, may_repeat = (0, False) if row is None else row.start(record.seq)
        todo = Reports(record.run_id, record.seq, record.at_ms, reports, first, may_repeat, message, cause)
        done = Notified(record.seq, len(reports))
        await self._ledger.put(message, {record.run_id: done}, [self._reporter.begin(todo)])
