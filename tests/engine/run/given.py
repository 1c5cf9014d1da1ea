"""Builders with boring defaults, and `Life`: a run that is fed one input after the other.

Every input that a `Life` is fed also proves the laws of the row: the same again gives the same bytes, a
redelivery changes nothing, the row is the refold of the journal and comes back from its bytes.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from engine.playbook.canonical import digest
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, Playbook, Step
from engine.run.advancing import Advanced, advance, decode_row, encode_row, expects_newer, refold, timers
from engine.run.number import ENGINE_NUMBER
from engine.run.state import ENDED, Run
from schemas.actions import PinnedAction
from schemas.alerts import Alert
from schemas.codec import decode, encode
from schemas.events import JournalRecord, Reported, RunEvent, RunFinished, StepRequested
from schemas.inbox import (
    Answered,
    CancelRequested,
    ChildEnded,
    InboxRecord,
    RunRecovered,
    RunRequested,
    StepClaimed,
    StepFinished,
    TimerFired,
)
from schemas.outgoing import Cause
from schemas.relations import PinnedChild

Event = TypeVar("Event")
NOON_MS = 1_769_860_800_000
RUN_ID = "r-test"
ACTIONS = (
    PinnedAction(name="look", repeatable=True),
    PinnedAction(name="touch", repeatable=False),
    PinnedAction(
        name="http.request",
        repeatable=True,
        unrepeatable_when={"method": ["POST", "PATCH"]},
        url_inputs=("url",),
    ),
)

CHILDREN = (PinnedChild(playbook="status-page", revision="d-child", catalog_offset=6),)


def a_step(path: str = "pods", action: str = "look", **fields: Any) -> ActionStep:
    return ActionStep(path=path, action=action, **fields)


def a_playbook(*steps: Step, **fields: Any) -> Playbook:
    return Playbook(name="demo", steps=steps or (a_step(),), **fields)


def compiled(playbook: Playbook) -> Compiled:
    return Compiled(playbook, digest(playbook))


def an_alert(**fields: Any) -> Alert:
    return Alert(**{"id": "a-1", "title": "latency is high", **fields})


def a_request(book: Compiled, **fields: Any) -> RunRequested:
    defaults: dict[str, Any] = {
        "run_id": RUN_ID,
        "playbook": book.playbook.name,
        "revision": book.digest,
        "catalog_offset": 7,
        "engine": ENGINE_NUMBER,
        "request_id": "a-1",
        "via": "alert",
        "key": "monitor/group",
        "alert": an_alert(),
        "actions": ACTIONS,
        "children": CHILDREN,
    }
    return RunRequested(**{**defaults, **fields})


class Life:
    """A run from its request on. `at_ms` is the broker's clock; every input is one second after the last."""

    def __init__(self, playbook: Playbook, **request: Any) -> None:
        self.book = compiled(playbook)
        self.row: Run | None = None
        self.journal: list[JournalRecord] = []
        self.sends: list[Any] = []
        self.inputs: list[tuple[InboxRecord, Cause]] = []
        self.offset = 100
        self.at_ms = NOON_MS
        self.feed(a_request(self.book, **request))

    def feed(self, record: InboxRecord, *, at_ms: int | None = None) -> tuple[RunEvent, ...]:
        """Feed one input; the events that it led to."""
        self.offset += 3
        self.at_ms = self.at_ms + 1_000 if at_ms is None else at_ms
        cause = Cause("run-inbox", 4, self.offset, self.at_ms)
        before = None if self.row is None else encode_row(self.row)
        advanced = advance(self.row, record, cause, self.book)
        self._check_laws(record, cause, before, advanced)
        self.inputs.append((record, cause))
        if advanced.journal is None:
            return ()
        self.row = advanced.row
        self.journal.append(advanced.journal)
        self.sends.extend(advanced.sends)
        return advanced.journal.events

    def _check_laws(self, record: InboxRecord, cause: Cause, before: bytes | None, after: Advanced) -> None:
        assert advance(self.row, record, cause, self.book) == after, "the same again is the same"
        assert before == (None if self.row is None else encode_row(self.row)), "the row given is left alone"
        assert after.forgotten == (self.row is not None and after.row is None)
        if after.journal is None:
            assert after.row is self.row
            assert after.sends == ()
            return
        assert after.journal.seq == len(self.journal) + 1
        assert after.journal.cause_offset == cause.offset
        assert decode(encode(after.journal)) == after.journal, "the record comes back from its bytes"
        assert refold([*self.journal, after.journal]) == after.row, "the row is the refold of the journal"
        if after.row is None:
            return
        assert encode_row(refold([*self.journal, after.journal]) or after.row) == encode_row(after.row)
        assert decode_row(encode_row(after.row)) == after.row
        again = advance(after.row, record, cause, self.book)
        assert again.row is after.row and again.journal is None, "a redelivery changes nothing"

    @property
    def live(self) -> Run:
        assert self.row is not None
        return self.row

    @property
    def status(self) -> str:
        return self.live.status

    @property
    def ended(self) -> bool:
        return self.live.status in ENDED

    @property
    def events(self) -> list[RunEvent]:
        """All events of the journal, in order."""
        return [event for record in self.journal for event in record.events]

    @property
    def finished(self) -> RunFinished:
        return one(RunFinished, self.events)

    @property
    def reports(self) -> list[Reported]:
        return [event for event in self.events if isinstance(event, Reported)]

    @property
    def asked(self) -> StepRequested:
        """The latest StepRequested."""
        return [event for event in self.events if isinstance(event, StepRequested)][-1]

    @property
    def asked_seq(self) -> int:
        return max(r.seq for r in self.journal if any(isinstance(e, StepRequested) for e in r.events))

    def succeed(self, output: Any = None, **fields: Any) -> tuple[RunEvent, ...]:
        """The executor answers the latest request."""
        return self.feed(self.answer(status="succeeded", output=output, **fields))

    def fail(self, kind: str = "http_5xx", message: str = "503", **fields: Any) -> tuple[RunEvent, ...]:
        return self.feed(self.answer(**{"status": "failed", "kind": kind, "message": message, **fields}))

    def seq_of(self, step: str) -> int:
        """The journal record of the latest request of that step."""
        return max(
            (
                r.seq
                for r in self.journal
                for e in r.events
                if isinstance(e, StepRequested) and e.step == step
            ),
            default=self.asked_seq,
        )

    def answer(self, **fields: Any) -> StepFinished:
        step = fields.get("step", self.asked.step)
        defaults: dict[str, Any] = {
            "run_id": RUN_ID,
            "step": step,
            "attempt": self.live.steps[step].attempt if step in self.live.steps else self.asked.attempt,
            "answers_seq": self.seq_of(step),
            "instance": "executor-1",
            "boot": "boot-1",
        }
        return StepFinished(**{**defaults, **fields})

    def claim(
        self, instance: str = "executor-1", boot: str = "boot-1", booted_at_ms: int = 1, **fields: Any
    ) -> StepClaimed:
        defaults: dict[str, Any] = {
            "run_id": RUN_ID,
            "step": self.asked.step,
            "attempt": self.asked.attempt,
            "answers_seq": self.asked_seq,
        }
        who = {"instance": instance, "boot": boot, "booted_at_ms": booted_at_ms}
        return StepClaimed(**{**defaults, **who, **fields})

    def timer(self, start: str = "") -> str:
        """The one pending timer whose id begins so."""
        (timer,) = [timer for timer in timers(self.live) if timer.startswith(start)]
        return timer

    def fire(self, start: str, *, late_ms: int = 0) -> tuple[RunEvent, ...]:
        """The timer whose id begins so fires at its due time, or later."""
        timer = self.timer(start)
        due_ms = timers(self.live)[timer]
        return self.feed(TimerFired(row=RUN_ID, timer=timer, due_ms=due_ms), at_ms=due_ms + late_ms)

    def cancel(self, actor: str = "ann", reason: str = "a drill") -> tuple[RunEvent, ...]:
        return self.feed(CancelRequested(run_id=RUN_ID, actor=actor, reason=reason))

    def recover(self, *, cancel: bool = False, alert_id: str = "a-2") -> tuple[RunEvent, ...]:
        return self.feed(
            RunRecovered(run_id=RUN_ID, alert_id=alert_id, recovered_at_ms=NOON_MS, cancel=cancel)
        )

    def reply(self, choice: str, actor: str = "ann", step: str | None = None) -> tuple[RunEvent, ...]:
        path = self.asked.step if step is None else step
        return self.feed(Answered(run_id=RUN_ID, step=path, choice=choice, actor=actor))

    def child_ends(
        self, step: str, status: str, outputs: Any = None, message: str = ""
    ) -> tuple[RunEvent, ...]:
        """The run that a step waits for has ended, or did not begin."""
        ended = ChildEnded(
            run_id=RUN_ID,
            step=step,
            child_run_id=self.live.steps[step].child_run_id,
            status=status,
            outputs=outputs,
            message=message,
        )
        return self.feed(ended)

    def stale(self, record: InboxRecord) -> bool:
        return expects_newer(self.row, record)


def one(kind: type[Event], events: Iterable[RunEvent]) -> Event:
    """The one event of that type."""
    (event,) = [event for event in events if isinstance(event, kind)]
    return event


def names(events: Iterable[RunEvent]) -> list[str]:
    """The types of events, by name."""
    return [type(event).__name__ for event in events]
