"""The topic `admissions` folded once more, as the agent admit folds it: what follows on `decisions` and
`run-inbox`.

What was in force at the processor then (actions installed, limits, address of the pages) is recorded in the
RunRequested alone and is taken from there: `pinned_aside` puts it aside on both sides. Where a refusal hangs
on it, a note about the input says so, and it is taken as it was found.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

import msgspec
from msgspec.structs import replace

from audit.log import Entry
from audit.verify.adopting import adopt
from audit.verify.beginnings import Beginnings
from audit.verify.catalogs import Catalogs
from audit.verify.emitting import BEGAN_BEFORE, NO_REVISION, Emitter
from audit.verify.findings import Tally
from audit.verify.forms import record_of, todays
from audit.verify.frame import SKEW_MS, Frame
from audit.verify.kinds import Kind, about
from audit.verify.outputs import Offsets, decided_in, letter_about, letter_content
from audit.verify.spool import NO_NOTES, Note, NotesOf
from audit.verify.traces import ADOPTED, STARTED, TAKEN, content_hash, subject_of
from engine.admission.admitting import Admitted, Situation, admit
from engine.admission.draft import Draft
from engine.admission.rows import ChunkRow, Row, RunRow, decode_row, encode_row, playbook_of, timers
from engine.playbook.compiled import Compiled
from schemas.actions import PinnedAction
from schemas.admissions import AdmissionsRecord, AlertRecovered, Candidate
from schemas.codec import encode
from schemas.decisions import AdmissionDecided
from schemas.inbox import Limits, RunRequested, TimerFired
from schemas.outgoing import Cause, Outgoing
from schemas.topics import ADMISSIONS

LETTERS_THEN = "inputs that became dead letters by what was wrong or in force then"
_WIDE = Limits(row_bytes_max=1 << 40, record_bytes_max=1 << 40)
_NARROW = Limits(row_bytes_max=0, record_bytes_max=1 << 40)
_json = msgspec.json.Encoder(order="deterministic")
_MISSING = re.compile(r"the action (.+) is not installed")


@lru_cache(maxsize=4_096)
def _named(name: str) -> PinnedAction:
    return PinnedAction(name=name, repeatable=False)


class AnyAction(Mapping[str, PinnedAction]):
    """Every action is installed, but for one."""

    def __init__(self, but: str = "") -> None:
        self._but = but

    def __contains__(self, name: object) -> bool:
        return name != self._but

    def __getitem__(self, name: str) -> PinnedAction:
        if name == self._but:
            raise KeyError(name)
        return _named(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


_SITUATION = Situation(engine=0, limits=_WIDE, actions=AnyAction())


def pinned_aside(record: RunRequested) -> RunRequested:
    """The request without what only the processor knew: what is left follows from its candidate."""
    names = tuple(_named(action.name) for action in record.actions)
    return replace(record, engine=0, limits=_WIDE, run_url="", actions=names)


def request_content(record: RunRequested) -> bytes:
    """What a request says that follows from its candidate. As JSON: both sides are at hand as records."""
    return content_hash(_json.encode(pinned_aside(record)))


class Admitting:
    """admit over one partition, in order."""

    def __init__(
        self,
        partition: int,
        frame: Frame,
        catalogs: Catalogs,
        notes: NotesOf,
        emitter: Emitter,
        tally: Tally,
    ) -> None:
        self._partition, self._frame, self._catalog = partition, frame, catalogs.latest
        self._notes, self._emitter, self._tally = notes, emitter, tally
        self._rows: dict[str, Row | bytes] = {}
        self._offsets = Offsets(ADMISSIONS.name, partition, frame, tally)
        self._lost: set[str] = set()
        """Playbooks of which a revision is not in the catalog: what they hold is not known any more."""
        begins_ms = frame.begins_ms.get((ADMISSIONS.name, partition))
        self._beginnings = None if begins_ms is None else Beginnings(begins_ms, catalogs)
        self._output_end = frame.bounds.get((ADMISSIONS.name, partition), (0, 0))[1]

    def take(self, entry: Entry) -> None:
        """One record: as an output of others, and as an input."""
        self._offsets.passed(entry)
        record, cause = record_of(entry), entry.cause
        if not isinstance(record, ADMISSIONS.records):
            self._buried(entry, cause)
            return
        input_ = cast(AdmissionsRecord, record)
        if entry.offset < self._output_end and (one := about(input_)) is not None:
            content = content_hash(todays(entry.value or b"", input_))
            extra = one.number if one.kind <= Kind.RECOVERY else 0
            self._emitter.found(one, content, (entry.partition, entry.offset), entry.at_ms, 0, extra)
        playbook = playbook_of(input_.row) if isinstance(input_, TimerFired) else input_.playbook
        if entry.key != playbook.encode():
            self._buried(entry, cause)
            return
        found = self._notes.at(entry.offset)
        notes = {note.what: note for note in found} if found else NO_NOTES
        self._folded(entry, input_, playbook, cause, notes)

    def ended(self, end: int) -> None:
        """The partition is over."""
        self._offsets.ended(end, self._frame.now_ms)

    def overdue(self) -> Iterator[tuple[str, str, int]]:
        """Rows whose timers should have fired long ago: key, timer, due time."""
        for key, kept in self._rows.items():
            if isinstance(kept, bytes) or (self._beginnings is not None and isinstance(kept, ChunkRow)):
                continue
            for timer, due_ms in timers(kept).items():
                if due_ms + SKEW_MS < self._frame.now_ms:
                    yield key, timer, due_ms

    def _folded(
        self,
        entry: Entry,
        record: AdmissionsRecord,
        playbook: str,
        cause: Cause,
        notes: Mapping[str, Note],
    ) -> None:
        book = self._book(record, notes)
        if isinstance(record, Candidate) and book is None and "revision" not in notes:
            self._lose(playbook)
        if playbook in self._lost:
            if isinstance(record, Candidate):
                self._emitter.excuse(Kind.DECIDED, subject_of(Kind.DECIDED, record.run_id), NO_REVISION)
            return
        situation, taken = self._situation(notes)
        try:
            admitted, flags = self._admitted(record, playbook, cause, book, situation)
        except Exception:
            self._buried(entry, cause)
            return
        if "letter" in notes:
            self._tally.unchecked[LETTERS_THEN] += 1
            self._buried(entry, cause)
            return
        self._keep(admitted)
        self._send(admitted.sends, cause, flags | (TAKEN if taken else 0))

    def _admitted(
        self,
        record: AdmissionsRecord,
        playbook: str,
        cause: Cause,
        book: Compiled | None,
        situation: Situation,
    ) -> tuple[Admitted, int]:
        """What the input leads to; decided by the rules, or, while these lack what went before, adopted."""
        before = self._beginnings
        if before is None:
            return admit(self._get, record, cause, book, situation), 0
        for timer in before.due(cause.at_ms, self._rows.__contains__):
            self._keep(admit(self._get, timer, cause, None, situation))
        if before.is_foreign(playbook, record):
            return Admitted({}, ()), 0
        before.seed(playbook, self._rows)
        if not before.is_uncertain(playbook, cause.at_ms):
            return admit(self._get, record, cause, book, situation), 0
        draft = Draft(self._get, playbook, cause)
        unknown = adopt(draft, record, book, self._decisions(cause.offset), situation, self._catalog)
        for run_id in unknown:
            self._emitter.excuse(Kind.DECIDED, subject_of(Kind.DECIDED, run_id), BEGAN_BEFORE)
        return Admitted(draft.rows, tuple(draft.sends)), ADOPTED

    def _decisions(self, offset: int) -> list[AdmissionDecided]:
        """What the input at this offset led to, as it lies on `decisions`; each once."""
        found = [decided_in(note) for note in self._notes.at(offset) if note.what == "decided"]
        return list({(one.run_id, one.decision): one for one in reversed(found)}.values())[::-1]

    def _lose(self, playbook: str) -> None:
        """Nothing more of this playbook can be judged, nor of those of its runs that go on."""
        if playbook in self._lost:
            return
        self._lost.add(playbook)
        for key, row in self._rows.items():
            if isinstance(row, RunRow) and playbook_of(key) == playbook:
                run_id = key[len(playbook) + 1 :]
                self._emitter.excuse(Kind.DECIDED, subject_of(Kind.DECIDED, run_id), NO_REVISION)

    def _book(self, record: AdmissionsRecord, notes: Mapping[str, Note]) -> Compiled | None:
        if not isinstance(record, Candidate | AlertRecovered) or "revision" in notes:
            return None
        return self._catalog.compiled(record.revision)

    def _situation(self, notes: Mapping[str, Note]) -> tuple[Situation, bool]:
        """What was in force, as far as it decided something, and whether it did."""
        if "actions" in notes:
            missing = _MISSING.fullmatch(notes["actions"].text)
            return _without(missing[1] if missing else ""), True
        if "size" in notes:
            return Situation(engine=0, limits=_NARROW, actions=AnyAction()), True
        return _SITUATION, "revision" in notes

    def _get(self, key: str) -> Row | None:
        kept = self._rows.get(key)
        return decode_row(kept) if isinstance(kept, bytes) else kept

    def _keep(self, admitted: Admitted) -> None:
        for key, row in admitted.rows.items():
            if self._beginnings is not None:
                self._beginnings.kept(key, row)
            if row is None:
                self._rows.pop(key, None)
            elif isinstance(row, RunRow) and row.state == "ended":
                self._rows[key] = encode_row(row)  # most rows by far are these, and few are looked at again
            else:
                self._rows[key] = row

    def _send(self, sends: tuple[Outgoing, ...], cause: Cause, flags: int) -> None:
        for one in sends:
            record = one.record
            of = about(record)
            if of is None:
                raise AssertionError(f"a {type(record).__name__} is no record that follows from admission")
            if isinstance(record, RunRequested):
                content = request_content(record)
            else:
                content = content_hash(encode(record))
            started = isinstance(record, AdmissionDecided) and record.decision == "started"
            self._emitter.expected(of, one.key, content, record, cause, flags | (STARTED if started else 0))

    def _buried(self, entry: Entry, cause: Cause) -> None:
        of = letter_about(entry.topic, entry.partition, entry.offset)
        content = letter_content("admit", entry.key, entry.value)
        self._emitter.expected(of, _text(entry.key), content, None, cause)


def _without(missing: str) -> Situation:
    """Every action but one is installed."""
    return Situation(engine=0, limits=_WIDE, actions=AnyAction(missing))


def _text(key: bytes | None) -> str:
    return (key or b"").decode("utf-8", "surrogateescape")
