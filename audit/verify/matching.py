"""The topic `alerts` matched once more, as the agent match does: what follows on `decisions` and
`admissions`.

What match had read of the catalog is recorded with what it wrote; a note about each alert says it. An alert
that was delivered again may have been matched twice, with what was known each time.
"""

from audit.log import Entry
from audit.verify.admitting import LETTERS_THEN
from audit.verify.catalogs import Catalogs
from audit.verify.emitting import CONFLUENT, EXCUSES, NO_CONTENT, Emitter
from audit.verify.findings import Tally
from audit.verify.frame import Frame
from audit.verify.kinds import About, Kind, about, place_number
from audit.verify.outputs import Offsets, letter_about, letter_content
from audit.verify.spool import Note, NotesOf
from audit.verify.traces import UNKNOWN, content_hash
from engine.alert.producing import received_from_json
from engine.matching import matched_records
from schemas.alerts import AlertReceived
from schemas.alerts_wire import ConfluentAlert, sniff
from schemas.codec import encode
from schemas.errors import MalformedMessage
from schemas.outgoing import Cause
from schemas.topics import ALERTS

ATTEMPT = "attempt"
"""The note about an alert that was matched: `number` is the offset of the catalog, `text` the subject."""


class Matching:
    """match over one partition."""

    def __init__(
        self,
        partition: int,
        frame: Frame,
        catalogs: Catalogs,
        notes: NotesOf,
        emitter: Emitter,
        tally: Tally,
    ) -> None:
        self._frame, self._catalogs, self._notes = frame, catalogs, notes
        self._emitter, self._tally = emitter, tally
        self._offsets = Offsets(ALERTS.name, partition, frame, tally)

    def take(self, entry: Entry) -> None:
        """One alert."""
        self._offsets.passed(entry)
        cause, notes = entry.cause, self._notes.at(entry.offset)
        attempts = [note for note in notes if note.what == ATTEMPT]
        try:
            received = _received(entry, cause)
        except MalformedMessage:
            self._buried(entry, cause)
            return
        if received is None:
            for note in attempts:
                self._emitter.excuse(Kind.MATCHED, bytes.fromhex(note.text), CONFLUENT)
            if any(note.what == "letter" for note in notes):
                self._buried(entry, cause)
            self._tally.unchecked[EXCUSES[CONFLUENT]] += 1
            return
        if any(note.what == "letter" for note in notes) and not attempts:
            self._tally.unchecked[LETTERS_THEN] += 1
            self._buried(entry, cause)
            return
        if received.alert is None:
            self._buried(entry, cause)
        if not attempts:
            of = About(Kind.MATCHED, received.alert_id, place_number(entry.partition, entry.offset))
            self._emitter.expected(of, received.alert_id, NO_CONTENT, None, cause, UNKNOWN)
        for offset in sorted({note.number for note in attempts}):
            self._matched(received, cause, offset)

    def ended(self, end: int) -> None:
        """The partition is over."""
        self._offsets.ended(end, self._frame.now_ms)

    def _matched(self, received: AlertReceived, cause: Cause, offset: int) -> None:
        try:
            sends = matched_records(received, cause, self._catalogs.at(offset))
        except Exception as failure:
            reason = f"alerts that this version cannot match ({type(failure).__name__})"
            self._tally.unchecked[reason] += 1
            return
        for one in sends:
            of = about(one.record)
            if of is None:
                raise AssertionError(f"a {type(one.record).__name__} does not follow from an alert")
            self._emitter.expected(
                of, one.key, content_hash(encode(one.record)), one.record, cause, 0, offset
            )

    def _buried(self, entry: Entry, cause: Cause) -> None:
        of = letter_about(entry.topic, entry.partition, entry.offset)
        content = letter_content("match", entry.key, entry.value)
        key = (entry.key or b"").decode("utf-8", "surrogateescape")
        self._emitter.expected(of, key, content, None, cause)


def _received(entry: Entry, cause: Cause) -> AlertReceived | None:
    """The alert; None for one that only a registry's schema can read. Raises MalformedMessage."""
    found = sniff(entry.value)
    if isinstance(found, ConfluentAlert):
        return None
    if isinstance(found, AlertReceived):
        return found
    return received_from_json(found, cause, {name: value or b"" for name, value in entry.headers})


def attempt_note(offset: int, catalog_offset: int, subject: bytes) -> Note:
    """The note that an alert was matched with what is before `catalog_offset`."""
    return Note(offset, ATTEMPT, subject.hex(), catalog_offset)
