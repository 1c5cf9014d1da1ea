"""One world in virtual time: alerts come in, playbooks match, are admitted and run, and nothing leaves it.

Matching, admission and runs are the real ones (`engine`); what they would send is handed to the next of them
at once, in place of Kafka. What executors and people would answer comes from `Answers`. Nothing here reads a
clock, opens anything or writes anywhere.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

from msgspec.structs import replace

from audit.whatif.fates import Fates
from engine.admission.admitting import Row, Situation, admit
from engine.admission.admitting import timers as row_timers
from engine.catalog import Catalog
from engine.matching import matched_records
from engine.playbook.compiled import Compiled
from engine.run.advancing import Advanced, advance, failed_internally
from engine.run.state import ENDED, Run
from engine.simulation.running import BOOT, EXECUTOR, INPUTS_MAX, claim
from schemas.admissions import AdmissionsRecord, AlertRecovered, Candidate, RunEnded
from schemas.alerts import AlertReceived
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord, RunFinished, StepAsked, StepGranted, StepRequested
from schemas.fields import Record
from schemas.inbox import Answered, InboxRecord, RunRequested, StepFinished, TimerFired
from schemas.outgoing import Cause, Outgoing
from schemas.topics import ADMISSIONS, RUN_INBOX, Topic


@dataclass(frozen=True, slots=True)
class Answer:
    """What an attempt came to, `after_ms` after it was asked for. `assumed`: why it is none on record."""

    finished: StepFinished
    after_ms: int
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said, `after_ms` after being asked; no choice: nobody answered in time."""

    choice: str = ""
    actor: str = ""
    after_ms: int = 0
    assumed: str = ""


class Answers(Protocol):
    """What the world would say. The same questions get the same answers."""

    def attempt(self, run_id: str, playbook: str, asked: StepRequested) -> Answer:
        """What an executor would answer."""

    def question(self, run_id: str, asked: StepAsked) -> Word:
        """What a person would answer."""


@dataclass(slots=True)
class _Live:
    """A run that has not ended."""

    book: Compiled | None
    row: Run | None = None
    inputs: int = 0


class World:
    """The playbooks of a catalog, and all that becomes of the alerts that it is given."""

    def __init__(self, catalog: Catalog, situation: Situation, answers: Answers, fates: Fates) -> None:
        self._catalog, self._situation = catalog, situation
        self._answers, self._fates = answers, fates
        self._rows: dict[str, Row] = {}
        self._runs: dict[str, _Live] = {}
        self._requests: dict[tuple[str, str], tuple[StepRequested, int]] = {}
        """Of steps that wait for the grant of their claim."""
        self._agenda: list[tuple[int, int, Topic, Record]] = []
        self._held: list[Outgoing] = []
        self._number = 0
        self._now_ms = 0

    def matched(self, received: AlertReceived, cause: Cause) -> AlertMatched:
        """An alert comes, after all that was due before it: what match says of it. What follows waits for
        `go_on`.
        """
        self._until(cause.at_ms)
        self._now_ms = max(self._now_ms, cause.at_ms)
        matched, *self._held = matched_records(received, cause, self._catalog)
        if not isinstance(matched.record, AlertMatched):
            raise AssertionError("the first record of an alert is its AlertMatched")
        return matched.record

    def go_on(self) -> None:
        """What follows from the alert happens."""
        self._deliver(self._held)
        self._held = []

    def finish(self) -> None:
        """No more alerts: everything that is under way goes to its end."""
        self._until(None)

    def _until(self, at_ms: int | None) -> None:
        while self._agenda and (at_ms is None or self._agenda[0][0] <= at_ms):
            due_ms, _, topic, record = heappop(self._agenda)
            if isinstance(record, TimerFired) and not self._is_pending(topic, record):
                continue
            self._now_ms = max(self._now_ms, due_ms)
            self._deliver([Outgoing(topic, "", record)])

    def _is_pending(self, topic: Topic, record: TimerFired) -> bool:
        if topic is ADMISSIONS:
            row = self._rows.get(record.row)
            return row is not None and row_timers(row).get(record.timer) == record.due_ms
        live = self._runs.get(record.row)
        pending = {} if live is None or live.row is None else live.row.timers
        return pending.get(record.timer) == record.due_ms

    def _deliver(self, sends: Iterable[Outgoing]) -> None:
        """Hand on what was sent, and what follows from it, in order."""
        waiting = deque(sends)
        while waiting:
            sent = waiting.popleft()
            if sent.topic is ADMISSIONS:
                waiting.extend(self._admit(sent.record))
            elif sent.topic is RUN_INBOX:
                waiting.extend(self._advance(sent.record))

    def _admit(self, record: Record) -> list[Outgoing]:
        if not isinstance(record, AdmissionsRecord):
            raise AssertionError(f"a {type(record).__name__} is nothing for admission")
        named = record.revision if isinstance(record, Candidate | AlertRecovered) else ""
        book = self._catalog.compiled(named)
        admitted = admit(self._rows.get, record, self._cause(ADMISSIONS), book, self._situation)
        for key, row in admitted.rows.items():
            before = self._rows.get(key)
            if row is None:
                self._rows.pop(key, None)
                continue
            self._rows[key] = row
            known = {} if before is None else row_timers(before)
            self._set_timers(ADMISSIONS, key, row_timers(row), known)
        # Decisions first: a run's first steps belong to a fate that is known.
        for sent in admitted.sends:
            if isinstance(sent.record, AdmissionDecided):
                self._fates.decided(sent.record)
        return [sent for sent in admitted.sends if sent.topic is RUN_INBOX]

    def _advance(self, record: Record) -> list[Outgoing]:
        if not isinstance(record, InboxRecord):
            raise AssertionError(f"a {type(record).__name__} is nothing for a run")
        run_id = record.row if isinstance(record, TimerFired) else record.run_id
        live = self._runs.get(run_id)
        if live is None:
            if not isinstance(record, RunRequested):
                return []  # it has ended
            live = self._runs[run_id] = _Live(self._catalog.compiled(record.revision))
        live.inputs += 1
        if live.inputs > INPUTS_MAX:
            return self._give_up(run_id, live)
        advanced = self._advanced(live, record)
        known = {} if live.row is None else live.row.timers
        live.row = advanced.row
        if advanced.journal is None or live.row is None:
            return []
        now = self._react(live, advanced.journal)
        if live.row.status in ENDED:
            del self._runs[run_id]
        else:
            self._set_timers(RUN_INBOX, run_id, live.row.timers, known)
        return [*advanced.sends, *now]

    def _advanced(self, live: _Live, record: InboxRecord) -> Advanced:
        cause = self._cause(RUN_INBOX)
        try:
            return advance(live.row, record, cause, live.book)
        except Exception as error:
            # As the processor does it: the run fails, and says why.
            return failed_internally(live.row, record, cause, f"{type(error).__name__}: {error}")

    def _react(self, live: _Live, journal: JournalRecord) -> list[Outgoing]:
        """What executor and people do about these events. What they do at once comes back."""
        now: list[Outgoing] = []
        run_id = journal.run_id
        for event in journal.events:
            if isinstance(event, RunFinished):
                self._fates.depends(run_id, live.book)
            self._fates.happened(run_id, event)
            match event:
                case StepRequested() if event.repeatable:
                    self._carry_out(journal, event, journal.seq)
                case StepRequested():
                    self._requests[run_id, event.step] = (event, journal.seq)
                    now.append(Outgoing(RUN_INBOX, run_id, claim(run_id, event, journal.seq)))
                case StepGranted():
                    self._carry_out(journal, *self._requests.pop((run_id, event.step)))
                case StepAsked():
                    self._ask(run_id, event)
                case _:
                    pass
        return now

    def _carry_out(self, journal: JournalRecord, asked: StepRequested, seq: int) -> None:
        answer = self._answers.attempt(journal.run_id, journal.playbook, asked)
        if answer.assumed:
            self._fates.assumed(journal.run_id, asked.step, answer.assumed)
        finished = replace(answer.finished, answers_seq=seq, instance=EXECUTOR, boot=BOOT)
        self._schedule(self._now_ms + answer.after_ms, RUN_INBOX, finished)

    def _ask(self, run_id: str, asked: StepAsked) -> None:
        word = self._answers.question(run_id, asked)
        if word.assumed:
            self._fates.assumed(run_id, asked.step, word.assumed)
        if word.choice:
            answered = Answered(run_id=run_id, step=asked.step, choice=word.choice, actor=word.actor)
            self._schedule(self._now_ms + word.after_ms, RUN_INBOX, answered)

    def _give_up(self, run_id: str, live: _Live) -> list[Outgoing]:
        """A run that does not come to an end in any number of inputs that one would wait for."""
        del self._runs[run_id]
        self._fates.gave_up(run_id, f"not followed beyond {INPUTS_MAX} inputs")
        if live.row is None:
            return []
        ended = RunEnded(run_id=run_id, playbook=live.row.playbook, key=live.row.pinned.key, status="failed")
        return [Outgoing(ADMISSIONS, live.row.playbook, ended)]

    def _set_timers(
        self, topic: Topic, row: str, timers: Mapping[str, int], known: Mapping[str, int]
    ) -> None:
        for timer, due_ms in timers.items():
            if known.get(timer) != due_ms:
                self._schedule(due_ms, topic, TimerFired(row=row, timer=timer, due_ms=due_ms))

    def _schedule(self, at_ms: int, topic: Topic, record: Record) -> None:
        self._number += 1
        heappush(self._agenda, (at_ms, self._number, topic, record))

    def _cause(self, topic: Topic) -> Cause:
        self._number += 1
        return Cause(topic.name, 0, self._number, self._now_ms)
