"""The topics that nothing is folded from: decisions, journal, publications, dead letters. Each record leaves
a trace; what a fold must know of them beforehand becomes a note about its input.

Also: every offset follows the one before (nothing but retention deletes there), and every record lies under
its key.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from audit.log import Entry
from audit.verify.emitting import Emitter
from audit.verify.findings import Difference, Tally
from audit.verify.forms import todays
from audit.verify.frame import Frame
from audit.verify.heads import journal_head
from audit.verify.kinds import About, Kind, about
from audit.verify.publishing import expected_content, found_content
from audit.verify.spool import Note, Notes
from audit.verify.traces import BEHIND, QUIET, STARTED, content_hash
from schemas.codec import decode
from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetter, DeadLetterHandled
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord, Reported, RunFinished
from schemas.json import canonical
from schemas.publications import Published, Refused
from schemas.topics import (
    ADMISSIONS,
    ALERTS,
    DEAD_LETTERS,
    DECISIONS,
    PUBLICATIONS,
    RUN_INBOX,
    RUN_JOURNAL,
)

READ = (DECISIONS.name, RUN_JOURNAL.name, PUBLICATIONS.name, DEAD_LETTERS.name)
FOLDED = frozenset({ALERTS.name, ADMISSIONS.name, RUN_INBOX.name})
STAGES = frozenset({"match", "admit", "advance"})
NOT_RECORDED = frozenset({"actions", "size", "revision"})
"""Rules of a refusal that look at what is nowhere recorded: what was installed, set, or read by then."""
REPORTS_NOTHING = ("reports", b"0")


class Offsets:
    """Watches over the offsets of one partition."""

    def __init__(self, topic: str, partition: int, frame: Frame, tally: Tally) -> None:
        self._topic, self._partition, self._tally = topic, partition, tally
        self._next = frame.start(topic, partition)
        self._all = not frame.only

    def passed(self, entry: Entry) -> None:
        """An entry was read."""
        if self._all and entry.offset != self._next:
            self._gap(self._next, entry.offset, entry.at_ms)
        self._next = entry.offset + 1

    def ended(self, end: int, at_ms: int) -> None:
        """There is nothing more, up to `end`."""
        if self._all and self._next < end:
            self._gap(self._next, end, at_ms)

    def _gap(self, first: int, end: int, at_ms: int) -> None:
        text = f"offset {first} is gone" if end == first + 1 else f"offsets {first} to {end - 1} are gone"
        if end < first:
            text = f"offset {end} comes after {first - 1}"
        found = (self._topic, self._partition, first)
        self._tally.differs(Difference(at_ms, self._topic, "gap", number=first, found=found, text=text))


class Outputs:
    """Takes the records of one partition of such a topic, in order."""

    def __init__(
        self,
        topic: str,
        partition: int,
        frame: Frame,
        emitter: Emitter,
        notes: Notes,
        tally: Tally,
        adopted_ms: Mapping[int, int] | None = None,
    ) -> None:
        """`adopted_ms`: by partition of `admissions`, until when decisions are adopted."""
        self._adopted_ms = adopted_ms or {}
        self._topic, self._partition, self._frame = topic, partition, frame
        self._emitter, self._notes, self._tally = emitter, notes, tally
        self._offsets = Offsets(topic, partition, frame, tally)
        self._end = frame.bounds.get((topic, partition), (0, 0))[1]
        self._latest: dict[tuple[str, int], int] = {}
        self._take = self._takers()[topic]

    def take(self, entry: Entry) -> None:
        """One record."""
        self._offsets.passed(entry)
        try:
            self._take(entry)
        except MalformedMessage as wrong:
            self._wrong(entry, "unreadable", str(wrong))

    def ended(self, end: int) -> None:
        """The partition is over."""
        self._offsets.ended(end, self._frame.now_ms)

    def _takers(self) -> Mapping[str, Callable[[Entry], None]]:
        return {
            DECISIONS.name: self._decision,
            RUN_JOURNAL.name: self._journal,
            PUBLICATIONS.name: self._publication,
            DEAD_LETTERS.name: self._letter,
        }

    def _wrong(self, entry: Entry, what: str, text: str) -> None:
        if not self._frame.within(entry.at_ms):
            return
        found = (entry.topic, entry.partition, entry.offset)
        self._tally.differs(
            Difference(entry.at_ms, entry.topic, what, number=entry.offset, found=found, text=text)
        )

    def _keyed(self, entry: Entry, key: str) -> None:
        if entry.key != key.encode():
            self._wrong(entry, "wrong key", f"it lies under the key {entry.key!r}, and is about {key}")

    def _behind(self, entry: Entry, topic: str, partition: int, offset: int) -> int:
        """The flag of a record whose cause is before that of one in front of it.

        A cause that is no input was made up: honest records behind it are not to be measured by it.
        """
        place = topic, partition
        if offset >= self._frame.ends.get(place, offset + 1):
            return 0
        if self._frame.is_judged(entry.at_ms):
            self._tally.caused(topic, partition, offset)
        latest = self._latest.get(place, -1)
        self._latest[place] = max(latest, offset)
        return BEHIND if offset < latest else 0

    def _decision(self, entry: Entry) -> None:
        record: Any = decode(entry.value)
        at = entry.partition, entry.offset
        if isinstance(record, AlertMatched):
            self._keyed(entry, record.alert_id)
            flags = self._behind(entry, ALERTS.name, record.partition, record.offset)
            content = content_hash(todays(entry.value or b"", record))
            self._emitter.found(
                about(record) or _nothing(), content, at, record.at_ms, flags, record.catalog_offset
            )
        elif isinstance(record, AdmissionDecided):
            self._keyed(entry, record.request_id)
            flags = self._behind(entry, ADMISSIONS.name, record.partition, record.offset)
            flags |= STARTED if record.decision == "started" else 0
            content = content_hash(todays(entry.value or b"", record))
            self._emitter.found(about(record) or _nothing(), content, at, record.at_ms, flags)
            if record.at_ms < self._adopted_ms.get(record.partition, -1):
                self._notes.add(ADMISSIONS.name, record.partition, decided_note(record))
            if record.decision == "refused" and record.rule in NOT_RECORDED:
                note = Note(record.offset, record.rule, record.reason)
                self._notes.add(ADMISSIONS.name, record.partition, note)
        else:
            raise MalformedMessage(f"a {type(record).__name__} on {DECISIONS.name}")

    def _journal(self, entry: Entry) -> None:
        head, data, record = journal_head(entry.value)
        quiet = REPORTS_NOTHING in entry.headers
        flags = QUIET if quiet else 0
        if head.cause_topic == RUN_INBOX.name and head.cause_partition == entry.partition:
            flags |= self._behind(entry, RUN_INBOX.name, entry.partition, head.cause_offset)
        else:
            text = f"its cause is {head.cause_topic}/{head.cause_partition}, not {RUN_INBOX.name}/"
            self._wrong(entry, "wrong cause", f"{text}{entry.partition}")
        self._keyed(entry, head.run_id)
        one = About(Kind.JOURNAL, head.run_id, head.seq)
        at = entry.partition, entry.offset
        if entry.offset < self._end:  # beyond it, only the sink's input is of interest
            self._emitter.found(one, content_hash(data), at, head.at_ms, flags, head.cause_offset)
        if record is None and (not quiet or b"internal" in data):
            record = _journal_record(data)
        if record is not None:
            self._within(entry, record)

    def _within(self, entry: Entry, record: JournalRecord) -> None:
        """What the sink and the fold of the inbox must know of the events."""
        index = 0
        for event in record.events:
            if isinstance(event, Reported):
                one = About(Kind.PUBLISHED, record.run_id, record.seq << 16 | index)
                content = expected_content(event, record.run_id, record.seq, index, record.at_ms)
                self._emitter.expected(one, record.run_id, content, event, entry.cause)
                index += 1
            elif isinstance(event, RunFinished) and event.kind == "internal":
                note = Note(record.cause_offset, "internal", event.message)
                self._notes.add(RUN_INBOX.name, entry.partition, note)

    def _publication(self, entry: Entry) -> None:
        record = decode(entry.value)
        if not isinstance(record, Published | Refused):
            raise MalformedMessage(f"a {type(record).__name__} on {PUBLICATIONS.name}")
        self._keyed(entry, record.run_id)
        one = about(record) or _nothing()
        self._emitter.found(one, found_content(record), (entry.partition, entry.offset), entry.at_ms)

    def _letter(self, entry: Entry) -> None:
        record = decode(entry.value)
        if isinstance(record, DeadLetterHandled):
            return
        if not isinstance(record, DeadLetter):
            raise MalformedMessage(f"a {type(record).__name__} on {DEAD_LETTERS.name}")
        if record.topic not in FOLDED or record.stage not in STAGES:
            return
        one = letter_about(record.topic, record.partition, record.offset)
        content = letter_content(record.stage, record.key, record.value)
        self._emitter.found(one, content, (entry.partition, entry.offset), record.at_ms)
        self._notes.add(record.topic, record.partition, Note(record.offset, "letter", record.reason))


def decided_note(record: AdmissionDecided) -> Note:
    """The note that an input led to this decision."""
    return Note(record.offset, "decided", msgspec.json.encode(record).decode())


def decided_in(note: Note) -> AdmissionDecided:
    """The inverse."""
    return msgspec.json.decode(note.text, type=AdmissionDecided)


def letter_about(topic: str, partition: int, offset: int) -> About:
    """What a dead letter is about: the message that nobody could handle."""
    return About(Kind.LETTER, f"{topic}/{partition}@{offset}", place_of_letter(topic))


def place_of_letter(topic: str) -> int:
    """Which topic, as the number of the trace."""
    return sorted(FOLDED).index(topic)


def letter_content(stage: str, key: bytes | None, value: bytes | None) -> bytes:
    """What a dead letter says that follows from its message."""
    cut = None if value is None else value[:VALUE_BYTES_MAX]
    return content_hash(canonical([stage, _hexed(key), _hexed(cut)]))


def _hexed(data: bytes | None) -> str | None:
    return None if data is None else content_hash(data).hex()


def _journal_record(data: bytes) -> JournalRecord:
    record = decode(data)
    if not isinstance(record, JournalRecord):
        raise MalformedMessage(f"a {type(record).__name__} on {RUN_JOURNAL.name}")
    return record


def _nothing() -> About:
    raise AssertionError("every kind of these topics is about something")
