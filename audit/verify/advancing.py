"""The topic `run-inbox` folded once more, as the agent advance folds it: what follows on `run-journal`,
`admissions`, and `run-inbox` itself.

Where the journal says that a run failed inside Pulsebook, a note about the input says so: another version may
not fail there any more, so that end is taken as it was found, and counted.
"""

from collections.abc import Iterator, Mapping
from typing import cast

from audit.log import Entry
from audit.verify.admitting import request_content
from audit.verify.emitting import NO_REVISION, Emitter
from audit.verify.findings import Tally
from audit.verify.forms import record_of, todays
from audit.verify.frame import SKEW_MS, Frame
from audit.verify.kinds import About, Kind, about
from audit.verify.outputs import Offsets, letter_about, letter_content
from audit.verify.spool import NO_NOTES, Note, NotesOf
from audit.verify.traces import OPTIONAL, QUIET, TAKEN, content_hash, subject_of
from engine.catalog import Catalog
from engine.run.advancing import Advanced, advance, expects_newer, failed_internally
from engine.run.state import ENDED, Run, decode_row, encode_row
from schemas.dead_letters import INTERNAL
from schemas.events import JournalRecord, Reported, RunFinished, RunForgotten
from schemas.fields import Record
from schemas.inbox import InboxRecord, Limits, RunRequested, TimerFired
from schemas.outgoing import Cause
from schemas.topics import RUN_INBOX
from schemas.written import Unwritable, written

FAILED_THEN = "inputs at which a run failed inside Pulsebook then, and would not now"


class Advancing:
    """advance over one partition, in order. `only`: a run; others are passed over."""

    def __init__(
        self,
        partition: int,
        frame: Frame,
        catalog: Catalog,
        notes: NotesOf,
        emitter: Emitter,
        tally: Tally,
    ) -> None:
        self._partition, self._frame, self._catalog = partition, frame, catalog
        self._notes, self._emitter, self._tally = notes, emitter, tally
        self._rows: dict[str, Run | bytes] = {}
        self._offsets = Offsets(RUN_INBOX.name, partition, frame, tally)
        self._output_end = frame.bounds.get((RUN_INBOX.name, partition), (0, 0))[1]
        self._trimmed = frame.start(RUN_INBOX.name, partition) > 0
        self._began_before: set[str] = set()

    def take(self, entry: Entry) -> None:
        """One record: as an output of others, and as an input."""
        self._offsets.passed(entry)
        known, cause = record_of(entry), entry.cause
        if not isinstance(known, RUN_INBOX.records):
            self._buried(entry, cause)
            return
        record = cast(InboxRecord, known)
        if entry.offset < self._output_end and (one := about(record)) is not None:
            self._lies_there(entry, record, one)
        run_id = record.row if isinstance(record, TimerFired) else record.run_id
        if entry.key != run_id.encode():
            self._buried(entry, cause)
            return
        found = self._notes.at(entry.offset)
        notes = {note.what: note for note in found} if found else NO_NOTES
        self._folded(entry, record, run_id, cause, notes)

    def ended(self, end: int) -> None:
        """The partition is over."""
        self._offsets.ended(end, self._frame.now_ms)

    def live(self) -> int:
        """How many runs have not ended."""
        return sum(isinstance(kept, Run) for kept in self._rows.values())

    def overdue(self) -> Iterator[tuple[str, str, int]]:
        """Live runs that nothing moves any more: run, timer, due time."""
        for run_id, kept in self._rows.items():
            if isinstance(kept, bytes):
                continue
            timer, due_ms = min(kept.timers.items(), key=lambda one: one[1], default=("", 0))
            if due_ms + SKEW_MS < self._frame.now_ms:
                yield run_id, timer, due_ms

    def _lies_there(self, entry: Entry, record: Record, one: About) -> None:
        content = (
            request_content(record)
            if isinstance(record, RunRequested)
            else content_hash(todays(entry.value or b"", record))
        )
        self._emitter.found(one, content, (entry.partition, entry.offset), entry.at_ms)

    def _folded(
        self, entry: Entry, record: InboxRecord, run_id: str, cause: Cause, notes: Mapping[str, Note]
    ) -> None:
        row = self._row(run_id)
        if row is None and not isinstance(record, RunRequested):
            if self._trimmed and run_id not in self._began_before:
                self._tally.counts[RUN_INBOX.name, "of runs that are not known"] += 1
            return
        if row is not None and expects_newer(row, record):
            self._tally.counts[RUN_INBOX.name, "answers to what is not in the journal"] += 1
        book = self._catalog.compiled(_revision(row, record))
        if book is None and "internal" not in notes and (row is None or row.status not in ENDED):
            self._emitter.excuse(Kind.JOURNAL, subject_of(Kind.JOURNAL, run_id), NO_REVISION)
            self._rows.pop(run_id, None)
            return
        try:
            advanced = advance(row, record, cause, book)
            sends = self._written(advanced, row, record)
        except Exception as failure:
            reason = str(failure) if isinstance(failure, Unwritable) else f"{INTERNAL}{failure!r}"
            reason = notes["internal"].text if "internal" in notes else reason
            advanced = failed_internally(row, record, cause, reason)
            sends = self._written(advanced, row, record)
            self._buried(entry, cause)
            self._say(run_id, advanced, sends, cause, 0)
            return
        flags = 0
        if "internal" in notes and _internal_reason(advanced) != notes["internal"].text:
            advanced = failed_internally(row, record, cause, notes["internal"].text)
            sends = self._written(advanced, row, record)
            self._buried(entry, cause, OPTIONAL)
            self._tally.unchecked[FAILED_THEN] += 1
            flags = TAKEN
        self._say(run_id, advanced, sends, cause, flags)

    def _row(self, run_id: str) -> Run | None:
        kept = self._rows.get(run_id)
        return decode_row(kept) if isinstance(kept, bytes) else kept

    def _written(
        self, advanced: Advanced, row: Run | None, record: InboxRecord
    ) -> list[tuple[Record, str, bytes]]:
        """What is sent, the journal record first, as bytes. Raises Unwritable."""
        journal = advanced.journal
        if journal is None:
            return []
        bytes_max = _limits(row, record).record_bytes_max
        told = [(one.record, one.key) for one in advanced.sends]
        return [(one, key, written(one, bytes_max)) for one, key in ((journal, journal.run_id), *told)]

    def _say(
        self,
        run_id: str,
        advanced: Advanced,
        sends: list[tuple[Record, str, bytes]],
        cause: Cause,
        flags: int,
    ) -> None:
        row = advanced.row
        if advanced.forgotten:
            self._rows.pop(run_id, None)
        elif row is not None and advanced.journal is not None:
            self._rows[run_id] = encode_row(row) if row.status in ENDED else row
        for record, key, data in sends:
            of = about(record)
            if of is None:
                raise AssertionError(f"a {type(record).__name__} is no record that follows from a run")
            more = QUIET if isinstance(record, JournalRecord) and _is_quiet(record) else 0
            self._emitter.expected(
                of, key, content_hash(data), record, cause, flags | more, cause.offset if more else 0
            )

    def _buried(self, entry: Entry, cause: Cause, flags: int = 0) -> None:
        of = letter_about(entry.topic, entry.partition, entry.offset)
        content = letter_content("advance", entry.key, entry.value)
        key = (entry.key or b"").decode("utf-8", "surrogateescape")
        self._emitter.expected(of, key, content, None, cause, flags)


def _revision(row: Run | None, record: InboxRecord) -> str:
    if row is not None and row.started is not None:
        return row.started.revision
    return record.revision if isinstance(record, RunRequested) else ""


def _limits(row: Run | None, record: InboxRecord) -> Limits:
    if row is not None and row.started is not None:
        return row.started.limits
    return record.limits if isinstance(record, RunRequested) else Limits()


def _is_quiet(journal: JournalRecord) -> bool:
    return not any(isinstance(event, Reported | RunForgotten) for event in journal.events)


def _internal_reason(advanced: Advanced) -> str:
    events = () if advanced.journal is None else advanced.journal.events
    return next(
        (one.message for one in events if isinstance(one, RunFinished) and one.kind == "internal"), ""
    )
