"""Rows of runs, made again from the journal.

The journal is read twice. First only to see which runs are not forgotten: of most records nothing but the
key is looked at. Then those runs are folded, from where the first of them begins.
"""

from engine.run.advancing import decode_row
from engine.run.evolving import fold
from engine.run.state import Run
from schemas.events import JournalRecord, RunForgotten
from schemas.topics import RUN_INBOX
from streams.rebuild.fresh import FreshRows
from streams.rebuild.source import Kept, PartitionLog, Rows, in_steps
from streams.rows import payload_of

ONE_EVENT = b"\x02"
END_OF_LIST = b"\x00"


class RunsAgain:
    """A `Refold` of one partition of the journal; it has the runs of the same partition of the inbox."""

    rows_are_settled = True

    def __init__(self, journal: PartitionLog) -> None:
        self._journal = journal
        self._is_cut = False
        self._oldest_ms = 0

    @property
    def since_ms(self) -> int:
        """Since when the journal is kept; 0: from its beginning."""
        return self._oldest_ms if self._is_cut else 0

    async def run(
        self, partition: int, until: int, there: Rows, fresh: FreshRows[Run], lost: bool = False
    ) -> None:
        """Fold what inputs before the offset `until` of the inbox led to."""
        first, end = await self._journal.bounds(partition)
        self._is_cut = first > 0
        live = await self._live(partition, end, until)
        if not live:
            return
        async for one in in_steps(self._journal, partition, min(live.values()), end):
            begins = live.get(one.key or b"")
            if begins is not None and one.cause.offset >= begins and isinstance(one.record, JournalRecord):
                self._fold(one.record, partition, until, there, fresh)

    def keeps(self, key: str, row: bytes | None, made: bytes | None) -> bool:
        """A run whose last record is older than all that is kept, or that is further than the journal."""
        if row is None:
            return False
        try:
            run = decode_row(payload_of(row))
            return run.at_ms < self.since_ms if made is None else run.seq > decode_row(payload_of(made)).seq
        except ValueError:
            return False

    async def _live(self, partition: int, end: int, until: int) -> dict[bytes, int]:
        """Runs that are not forgotten, and the offset of the first record of each since it last was."""
        live: dict[bytes, int] = {}
        async for one in in_steps(self._journal, partition, 0, end):
            if not self._oldest_ms:
                self._oldest_ms = one.cause.at_ms
            key = one.key or b""
            if looks_forgotten(one.value) and self._is_forgotten(one, partition, until):
                live.pop(key, None)
            else:
                live.setdefault(key, one.cause.offset)
        return live

    def _is_forgotten(self, one: Kept, partition: int, until: int) -> bool:
        record = one.record
        if not isinstance(record, JournalRecord) or not _is_from(record, partition, until):
            return False
        return any(isinstance(event, RunForgotten) for event in record.events)

    def _fold(
        self, record: JournalRecord, partition: int, until: int, there: Rows, fresh: FreshRows[Run]
    ) -> None:
        if not _is_from(record, partition, until):
            return
        run = fresh.get(record.run_id)
        if record.seq > (0 if run is None else run.seq) + 1:
            # What came before is gone: the row may know it.
            run = _as_it_was(there(record.run_id.encode()), record.seq) or run
        if run is None or record.seq > run.seq:
            after = fold(run, record)
            if after is not run:
                fresh.put(record.run_id, after, record.cause_offset)


def looks_forgotten(value: bytes | None) -> bool:
    """Whether a journal record may hold a RunForgotten: it stands alone and has no field, so that it ends in
    its list's length, its kind, and the list's end. Those that look so by chance are decoded, and seen to be
    others.
    """
    return value is not None and value[-3:-2] == ONE_EVENT and value[-1:] == END_OF_LIST


def _is_from(record: JournalRecord, partition: int, until: int) -> bool:
    """Whether the record's input is settled. What came of a later one is written again when it comes again,
    with all that is sent beside.
    """
    return (record.cause_topic, record.cause_partition) == (RUN_INBOX.name, partition) and (
        record.cause_offset < until
    )


def _as_it_was(row: bytes | None, seq: int) -> Run | None:
    """The row as it is, where it knows what came before the record `seq`."""
    if row is None:
        return None
    try:
        run = decode_row(payload_of(row))
    except ValueError:
        return None
    return run if run.seq >= seq - 1 else None
