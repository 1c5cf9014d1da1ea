"""Admissions and run inbox folded once more through the engine, as admit and advance fold them: the proof by
replay.

Pure. What the agents add of their own (a key that must fit, what is a dead letter) is repeated here in their
terms, so that any difference is a violation of law 2 or 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from connectors.event_log import Entry
from engine.admission.admitting import Row, admit, playbook_of
from engine.admission.situation import Situation
from engine.catalog import Catalog
from engine.run.advancing import advance, failed_internally
from engine.run.state import Run
from schemas.admissions import AdmissionsRecord, AlertRecovered, Candidate
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.fields import Record
from schemas.inbox import InboxRecord, RunRequested, TimerFired
from schemas.outgoing import Outgoing
from schemas.topics import ADMISSIONS, RUN_INBOX, RUN_JOURNAL, Topic
from streams.handling import internal

Letters = set[tuple[str, int, int]]


@dataclass(slots=True)
class Admissions:
    """admit over one topic `admissions`."""

    catalog: Catalog
    situation: Situation
    rows: dict[str, tuple[Row, int]] = field(default_factory=dict)
    """By key: the row, and the offset of the last input that changed it."""
    sends: list[Outgoing] = field(default_factory=list)
    letters: Letters = field(default_factory=set)

    def fold(self, entry: Entry) -> Sequence[Outgoing]:
        """One input; what it sends."""
        record = cast(AdmissionsRecord | None, _record(entry, ADMISSIONS))
        if record is None:
            return self._buried(entry)
        playbook = playbook_of(record.row) if isinstance(record, TimerFired) else record.playbook
        if (entry.key or b"").decode(errors="replace") != playbook:
            return self._buried(entry)
        book = None
        if isinstance(record, Candidate | AlertRecovered):
            book = self.catalog.compiled(record.revision)

        def get(key: str) -> Row | None:
            held = self.rows.get(key)
            return None if held is None else held[0]

        admitted = admit(get, record, entry.cause, book, self.situation)
        for key, row in admitted.rows.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row, entry.offset
        self.sends += admitted.sends
        return admitted.sends

    def _buried(self, entry: Entry) -> Sequence[Outgoing]:
        self.letters.add((entry.topic, entry.partition, entry.offset))
        return ()


@dataclass(slots=True)
class Inbox:
    """advance over one topic `run-inbox`."""

    catalog: Catalog
    rows: dict[str, Run] = field(default_factory=dict)
    journal: dict[tuple[str, int], JournalRecord] = field(default_factory=dict)
    sends: list[Outgoing] = field(default_factory=list)
    letters: Letters = field(default_factory=set)

    def fold(self, entry: Entry) -> Sequence[Outgoing]:
        """One input; what it sends, the journal record first."""
        record = cast(InboxRecord | None, _record(entry, RUN_INBOX))
        if record is None:
            return self._buried(entry)
        run_id = record.row if isinstance(record, TimerFired) else record.run_id
        if (entry.key or b"").decode(errors="replace") != run_id:
            return self._buried(entry)
        row = self.rows.get(run_id)
        try:
            advanced = advance(row, record, entry.cause, self.catalog.compiled(_revision(row, record)))
        except Exception as failure:  # a fault of ours is an answer too
            advanced = failed_internally(row, record, entry.cause, internal(failure))
            self._buried(entry)
        if advanced.forgotten:
            self.rows.pop(run_id, None)
        elif advanced.row is not None:
            self.rows[run_id] = advanced.row
        if advanced.journal is None:
            return ()
        self.journal[run_id, advanced.journal.seq] = advanced.journal
        sends = [Outgoing(RUN_JOURNAL, run_id, advanced.journal), *advanced.sends]
        self.sends += sends
        return sends

    def _buried(self, entry: Entry) -> Sequence[Outgoing]:
        self.letters.add((entry.topic, entry.partition, entry.offset))
        return ()


def _record(entry: Entry, topic: Topic) -> Record | None:
    record = entry.record
    return None if isinstance(record, MalformedMessage) or not isinstance(record, topic.records) else record


def _revision(row: Run | None, record: InboxRecord) -> str:
    if row is not None and row.started is not None:
        return row.started.revision
    return record.revision if isinstance(record, RunRequested) else ""


def catalog_of(entries: Sequence[Entry]) -> Catalog:
    """The catalog at its end."""
    catalog = Catalog()
    for entry in entries:
        catalog.apply(entry.offset, entry.record)
    return catalog


def in_order(entries: Sequence[Entry]) -> list[Entry]:
    """Partition after partition, each in its own order; a record that was read twice once."""
    return list({(entry.partition, entry.offset): entry for entry in sorted(entries, key=_place)}.values())


def _place(entry: Entry) -> tuple[int, int]:
    return entry.partition, entry.offset
