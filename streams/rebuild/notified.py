"""Rows of the sink, made again from the journal; where they were lost, also from `publications`.

A report before the offset that is settled was posted or refused for good. What is later is begun anew, and
its row, where there is one, says how far that was. With the rows lost, the publications say which of those
reports Datadog has; whether one more was on its way nobody knows: the next post says that it may repeat.
"""

from collections import defaultdict

from schemas.events import JournalRecord, Reported, RunForgotten
from schemas.publications import Published, Refused
from streams.notified import Notified
from streams.rebuild.fresh import FreshRows
from streams.rebuild.source import PartitionLog, Rows, in_steps
from streams.reporting_header import reports_nothing
from streams.rows import applied_of

BEFORE_MS = 600_000
"""How much earlier than the first open report its publications are looked for: brokers' clocks differ."""


class NotifiedAgain:
    """A `Refold` of one partition of the journal."""

    rows_are_settled = False  # a row is written before its post

    def __init__(self, journal: PartitionLog, publications: PartitionLog) -> None:
        self._journal = journal
        self._publications = publications
        self._until = 0
        self.since_ms = 0

    async def run(
        self, partition: int, until: int, there: Rows, fresh: FreshRows[Notified], lost: bool = False
    ) -> None:
        """Fold the journal before the offset `until`."""
        first, end = await self._journal.bounds(partition)
        self._until = until
        async for one in in_steps(self._journal, partition, 0, until):
            if first and not self.since_ms:
                self.since_ms = one.cause.at_ms
            if not reports_nothing(one) and isinstance(one.record, JournalRecord):
                _fold(one.record, one.cause.offset, fresh)
        if lost:
            await self._open_reports(partition, until, end, fresh)

    def keeps(self, key: str, row: bytes | None, made: bytes | None) -> bool:
        """What is under way; and a run whose reports are no longer in the journal."""
        if row is None:
            return False
        return applied_of(row) >= self._until or (made is None and bool(self.since_ms))

    async def _open_reports(self, partition: int, until: int, end: int, fresh: FreshRows[Notified]) -> None:
        """The rows are lost: for each run the first record with reports that are not all on record."""
        open_records: defaultdict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        since_ms = 0
        async for one in in_steps(self._journal, partition, until, end):
            record = one.record
            if reports_nothing(one) or not isinstance(record, JournalRecord):
                continue
            since_ms = since_ms or one.cause.at_ms
            if count := _reports(record):
                open_records[record.run_id].setdefault(record.seq, (one.cause.offset, count))
        done = await self._done(partition, since_ms) if open_records else {}
        for run_id, records in open_records.items():
            for seq, (_, count) in sorted(records.items()):
                told = done.get((run_id, seq), 0)
                fresh.put(run_id, Notified(seq, told, trying=told < count), max(until - 1, 0))
                if told < count:
                    break

    async def _done(self, partition: int, since_ms: int) -> dict[tuple[str, int], int]:
        """By run and seq, how many reports are on record."""
        done: dict[tuple[str, int], int] = {}
        since = await self._publications.offset_at(partition, max(0, since_ms - BEFORE_MS))
        _, end = await self._publications.bounds(partition)
        async for one in in_steps(self._publications, partition, since, end):
            record = one.record
            if isinstance(record, Published | Refused):
                at = record.run_id, record.seq
                done[at] = max(done.get(at, 0), record.index + 1)
        return done


def _fold(record: JournalRecord, offset: int, fresh: FreshRows[Notified]) -> None:
    """What the agent did with a record that is settled."""
    row = fresh.get(record.run_id)
    count = _reports(record)
    if not count:
        if row is not None and any(isinstance(event, RunForgotten) for event in record.events):
            fresh.put(record.run_id, None, offset)
    elif row is None or not row.covers(record.seq, count):
        fresh.put(record.run_id, Notified(record.seq, count), offset)


def _reports(record: JournalRecord) -> int:
    return sum(isinstance(event, Reported) for event in record.events)
