"""One playbook's rows and all that was sent, fed input after input. Rows live as bytes, as on disk."""

from collections.abc import Iterable
from typing import Any

from engine.admission.admitting import Admitted, Situation, admit, decode_row, encode_row, timers
from engine.admission.rows import PlaybookRow, Row
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, Admission, Playbook
from schemas.actions import PinnedAction
from schemas.admissions import (
    AdmissionsRecord,
    AlertRecovered,
    Candidate,
    CandidateCancelled,
    Hold,
    PlaybookSwitched,
    RunEnded,
)
from schemas.alerts import Alert
from schemas.decisions import AdmissionDecided
from schemas.fields import Record
from schemas.ids import run_id
from schemas.inbox import RunRequested, TimerFired
from schemas.outgoing import Cause
from tests.engine.alert.builders import a_recovery, an_alert

BOOK = "restart"
START_MS = 1_795_316_672_000
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
LOG = PinnedAction(name="log", repeatable=True)


def a_book(**admission: Any) -> Compiled:
    """A playbook of one step, with these rules."""
    steps = (ActionStep(path="say", action="log"),)
    playbook = Playbook(name=BOOK, admission=Admission(**admission), steps=steps)
    return Compiled(playbook, f"digest of {sorted(admission.items())}")


class World:
    """Feeds `admit` and keeps what comes out."""

    def __init__(self, book: Compiled | None, situation: Situation | None = None) -> None:
        self.book = book
        self.situation = situation or Situation(actions={"log": LOG}, run_url_prefix="https://pulse/runs")
        self.rows: dict[str, bytes] = {}
        self.at_ms = START_MS
        self.offset = 0
        self.inputs: list[tuple[AdmissionsRecord, Cause]] = []
        self.sent: list[tuple[str, str, Record]] = []

    def row(self, key: str) -> Row | None:
        data = self.rows.get(key)
        return None if data is None else decode_row(data)

    def slots(self) -> PlaybookRow:
        row = self.row(BOOK)
        assert isinstance(row, PlaybookRow)
        return row

    def feed(self, record: AdmissionsRecord) -> Admitted:
        """The next input, one millisecond later."""
        self.offset += 1
        self.at_ms += 1
        cause = Cause("admissions", 3, self.offset, self.at_ms)
        self.inputs.append((record, cause))
        admitted = admit(self.row, record, cause, self.book, self.situation)
        for key, row in admitted.rows.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = encode_row(row)
        self.sent += [(sent.topic.name, sent.key, sent.record) for sent in admitted.sends]
        return admitted

    def alert(self, request: str, **fields: Any) -> AdmissionDecided:
        """A candidate for an alert. The last decision that came of it."""
        return self.candidate(a_candidate(request, an_alert(id=request, **fields)))

    def candidate(self, candidate: Candidate) -> AdmissionDecided:
        decided = decisions(self.feed(candidate))
        return next(one for one in reversed(decided) if one.run_id == candidate.run_id)

    def recovery(self, alert_id: str = "a-recovered", **fields: Any) -> Admitted:
        return self.feed(a_recovered(a_recovery(id=alert_id, **fields)))

    def end(self, request: str) -> Admitted:
        """The run of a request ends."""
        return self.feed(RunEnded(run_id=run_id(BOOK, request), playbook=BOOK, key="", status="succeeded"))

    def cancel(self, request: str, reason: str = "") -> Admitted:
        """Somebody cancels what a request asked for."""
        cancelled = CandidateCancelled(
            playbook=BOOK, run_id=run_id(BOOK, request), actor="mira", reason=reason
        )
        return self.feed(cancelled)

    def switch(self, enabled: bool, catalog_offset: int = 8, paused: Hold | None = None) -> Admitted:
        """The playbook is enabled or disabled, as of a catalog offset (that of `a_candidate` is 7)."""
        return self.feed(
            PlaybookSwitched(playbook=BOOK, enabled=enabled, catalog_offset=catalog_offset, paused=paused)
        )

    def pending(self) -> dict[tuple[str, str], int]:
        """Every timer of every row: (row key, timer id) to due time."""
        rows = {key: decode_row(data) for key, data in self.rows.items()}
        return {(key, timer): due for key, row in rows.items() for timer, due in timers(row).items()}

    def wait(self, wait_ms: int) -> list[AdmissionDecided]:
        """Time goes by; timers fire when they are due, in the order of their due times."""
        until_ms = self.at_ms + wait_ms
        decided: list[AdmissionDecided] = []
        while due := sorted((due, *timer) for timer, due in self.pending().items() if due <= until_ms):
            due_ms, row, timer = due[0]
            self.at_ms = max(self.at_ms, due_ms)
            decided += decisions(self.feed(TimerFired(row=row, timer=timer, due_ms=due_ms)))
        self.at_ms = max(self.at_ms, until_ms)
        return decided

    def decided(self, request: str) -> list[str]:
        """What was decided on a request, in order, without the repeats."""
        found: dict[tuple[str, int], None] = {}
        for _, _, record in self.sent:
            if isinstance(record, AdmissionDecided) and record.request_id == request:
                found[record.decision, record.offset] = None
        return [decision for decision, _ in found]

    def told(self, kind: type[Record]) -> list[Any]:
        """Records of one type that were sent."""
        return [record for _, _, record in self.sent if isinstance(record, kind)]

    def started(self) -> list[str]:
        """Requests whose run was requested, in order."""
        return [request.request_id for request in self.told(RunRequested)]


def a_candidate(request: str, alert: Alert | None, **fields: Any) -> Candidate:
    given: dict[str, Any] = {
        "request_id": request,
        "playbook": BOOK,
        "revision": "0123456789abcdef",
        "catalog_offset": 7,
        "run_id": run_id(BOOK, request),
        "alert": alert,
        "received_at_ms": START_MS,
    }
    return Candidate(**given | fields)


def a_recovered(alert: Alert) -> AlertRecovered:
    return AlertRecovered(alert_id=alert.id, playbook=BOOK, revision="0123", catalog_offset=7, alert=alert)


def decisions(admitted: Admitted) -> list[AdmissionDecided]:
    return [sent.record for sent in admitted.sends if isinstance(sent.record, AdmissionDecided)]


def refolded(
    inputs: Iterable[tuple[AdmissionsRecord, Cause]], book: Compiled | None, situation: Situation
) -> World:
    """A new world that was fed the same inputs at the same times."""
    world = World(book, situation)
    for record, cause in inputs:
        world.offset, world.at_ms = cause.offset - 1, cause.at_ms - 1
        world.feed(record)
    return world
