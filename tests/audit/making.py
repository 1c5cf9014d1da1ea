"""A whole history made by the engine alone: match, admit, advance as the agents do it; executors, people,
timers and Datadog by dice that are always thrown alike. Several partitions, one clock.
"""

import heapq
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from audit.verify.partitioning import partition_of
from connectors.event_log import Entry
from engine.admission.rows import timers
from engine.alert.producing import received_from_json
from engine.catalog import Catalog
from engine.matching import matched_records
from engine.posting import event_to_post
from engine.run.state import ENDED
from schemas.alerts import Alert, AlertReceived
from schemas.alerts_wire import JsonAlert, sniff
from schemas.catalog import SwitchSet
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord, Reported, StepAsked, StepGranted, StepRequested
from schemas.fields import Record
from schemas.inbox import Answered, CancelRequested, StepClaimed, StepFinished, TimerFired
from schemas.outgoing import Outgoing
from schemas.publications import Published
from schemas.topics import (
    ADMISSIONS,
    ALERTS,
    CATALOG,
    DEAD_LETTERS,
    PUBLICATIONS,
    RUN_INBOX,
    TOPICS,
    Topic,
)
from streams.reporting_header import journal_headers
from tests.audit.made_books import BOOKS, changes
from tests.audit.watched import Watched
from tests.chaos.playbooks import SITUATION
from tests.chaos.refolding import Admissions, Inbox

NOON_MS = 1_800_000_000_000
BY_NAME = {topic.name: topic for topic in TOPICS}
FAILURES = ("unreachable", "http_5xx", "http_4xx", "timeout")


class Making:
    """Makes a history. `hours` of timers are fired at the end of each `settle`."""

    def __init__(self, partitions: int = 2, seed: int = 1, books: Iterable[str] = BOOKS) -> None:
        self.partitions = partitions
        self.topics: dict[str, list[Entry]] = defaultdict(list)
        self.now_ms = NOON_MS
        self.dice = random.Random(seed)  # noqa: S311 - dice, not secrets
        self.catalog = Catalog()
        self.admissions = Admissions(self.catalog, SITUATION)
        self.inbox = Inbox(self.catalog)
        self._ends: dict[tuple[str, int], int] = defaultdict(int)
        self._todo: deque[Entry] = deque()
        self._admission_rows, self._run_rows = Watched(), Watched()
        self.admissions.rows, self.inbox.rows = self._admission_rows, self._run_rows
        self._timers: dict[tuple[str, str], Mapping[str, int]] = {}
        """By topic and row: timer to due time."""
        self._due: list[tuple[int, str, str, str]] = []
        self._requests: dict[tuple[str, str, int], tuple[StepRequested, int]] = {}
        self.alerts = 0
        for name in books:
            self.apply(name)

    # --- what comes from outside

    def apply(self, name: str, more: str = "") -> None:
        """Make a playbook of `made_books` the active one."""
        for key, record in changes(name, more):
            self.append(CATALOG, key, record)

    def switch(self, name: str, value: object) -> None:
        """Set a switch of the catalog."""
        record = SwitchSet(actor="test", at_ms=self.now_ms, name=name, value=value)
        self.append(CATALOG, f"switch/{name}", record)

    def alert(self, play: str, scope: str = "", transition: str = "Triggered") -> str:
        """One alert for a playbook arrives; its id."""
        self.alerts += 1
        alert_id = f"a-{self.alerts}"
        alert = Alert(
            id=alert_id,
            endpoint="demo",
            title=f"{play} is hot",
            transition=transition,
            monitor_id="7",
            scope=scope or f"host:{self.alerts}",
            tag_list=(f"play:{play}", "env:prod"),
            last_updated_ms=self.now_ms,
        )
        self.append(
            ALERTS,
            f"7/{alert.scope}",
            AlertReceived(
                alert_id=alert_id,
                endpoint="demo",
                received_at_ms=self.now_ms,
                raw=b'{"title": "hot"}',
                alert=alert,
            ),
        )
        return alert_id

    def cancel(self) -> None:
        """Somebody cancels a run, or what waits in a queue."""
        runs = [run_id for run_id, row in self.inbox.rows.items() if row.status not in ENDED]
        if runs:
            run_id = self.dice.choice(sorted(runs))
            self.append(RUN_INBOX, run_id, CancelRequested(run_id=run_id, actor="mira", reason="enough"))

    def raw(
        self,
        topic: Topic,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Entry:
        """Put bytes on a topic, as they are."""
        self.now_ms += 7
        partition = 0 if topic.single else partition_of(key or b"", self.partitions)
        offset = self._ends[topic.name, partition]
        self._ends[topic.name, partition] += 1
        entry = Entry(topic.name, partition, offset, self.now_ms, key, value, tuple(headers))
        self.topics[topic.name].append(entry)
        self._todo.append(entry)
        return entry

    def append(self, topic: Topic, key: str, record: Record) -> Entry:
        """Put a record on a topic."""
        headers = journal_headers(record) if isinstance(record, JournalRecord) else ()
        return self.raw(topic, key.encode(), encode(record), headers)

    # --- what follows

    def work(self) -> None:
        """Everything that there is to do now."""
        while self._todo:
            entry = self._todo.popleft()
            match entry.topic:
                case "catalog":
                    self.catalog.apply(entry.offset, entry.record)
                case "alerts":
                    self._match(entry)
                case "admissions":
                    self._admit(entry)
                case "run-inbox":
                    self._advance(entry)
                case "run-journal":
                    self._act(entry)

    def settle(self, hours: float = 1.0) -> Mapping[str, Sequence[Entry]]:
        """Work, and let the time pass: timers fire. The history."""
        until_ms = self.now_ms + int(hours * 3_600_000)
        self.work()
        while self._due and self._due[0][0] <= until_ms:
            due_ms, name, row, timer = heapq.heappop(self._due)
            if self._timers.get((name, row), {}).get(timer) != due_ms:
                continue  # it is not pending any more
            self.now_ms = max(self.now_ms, due_ms)
            key = row.split("@")[0].split("#")[0] if name == ADMISSIONS.name else row
            self.append(BY_NAME[name], key, TimerFired(row=row, timer=timer, due_ms=due_ms))
            self.work()
        return {name: tuple(entries) for name, entries in self.topics.items()}

    def _match(self, entry: Entry) -> None:
        try:
            found = sniff(entry.value)
        except MalformedMessage as wrong:
            self._bury(entry, "match", str(wrong))
            return
        received = (
            received_from_json(found, entry.cause, dict(entry.headers))
            if isinstance(found, JsonAlert)
            else found
        )
        assert isinstance(received, AlertReceived)
        self.send(matched_records(received, entry.cause, self.catalog))
        if received.alert is None:
            self._bury(entry, "match", received.problem)

    def _admit(self, entry: Entry) -> None:
        letters = len(self.admissions.letters)
        self.send(self.admissions.fold(entry))
        if len(self.admissions.letters) > letters:
            self._bury(entry, "admit", "nobody can read it")
        for key in self._admission_rows.take():
            held = self._admission_rows.get(key)
            self._pending(ADMISSIONS, key, {} if held is None else timers(held[0]))

    def _advance(self, entry: Entry) -> None:
        letters = len(self.inbox.letters)
        self.send(self.inbox.fold(entry))
        if len(self.inbox.letters) > letters:
            self._bury(entry, "advance", "nobody can read it")
        for run_id in self._run_rows.take():
            row = self._run_rows.get(run_id)
            self._pending(RUN_INBOX, run_id, {} if row is None else row.timers)

    def _pending(self, topic: Topic, row: str, pending: Mapping[str, int]) -> None:
        before = self._timers.pop((topic.name, row), {})
        if pending:
            self._timers[topic.name, row] = pending
        for timer, due_ms in pending.items():
            if before.get(timer) != due_ms:
                heapq.heappush(self._due, (due_ms, topic.name, row, timer))

    def _act(self, entry: Entry) -> None:
        """Executor, people and sink."""
        record = entry.record
        assert isinstance(record, JournalRecord)
        reports = 0
        for event in record.events:
            match event:
                case StepRequested():
                    self._requests[record.run_id, event.step, event.attempt] = event, record.seq
                    if event.repeatable:
                        self._answer(record.run_id, event, record.seq)
                    else:
                        self._claim(record.run_id, event, record.seq)
                case StepGranted():
                    self._answer(record.run_id, *self._requests[record.run_id, event.step, event.attempt])
                case StepAsked() if self.dice.random() < 0.6:
                    choice = self.dice.choice(event.choices)
                    answer = Answered(run_id=record.run_id, step=event.step, choice=choice, actor="mira")
                    self.append(RUN_INBOX, record.run_id, answer)
                case Reported():
                    self._post(record, event, reports)
                    reports += 1

    def _claim(self, run_id: str, request: StepRequested, seq: int) -> None:
        claim = StepClaimed(
            run_id=run_id,
            step=request.step,
            attempt=request.attempt,
            answers_seq=seq,
            instance="executor",
            boot="one",
            booted_at_ms=1,
        )
        self.append(RUN_INBOX, run_id, claim)

    def _answer(self, run_id: str, request: StepRequested, seq: int) -> None:
        thrown = self.dice.random()
        fields: dict[str, object] = {"status": "succeeded", "output": {"status": 200, "n": [1, {"a": 2.5}]}}
        if thrown < 0.15:
            fields = {"status": "failed", "kind": self.dice.choice(FAILURES), "message": "no luck"}
        elif thrown < 0.2 and not request.repeatable:
            fields = {"status": "unknown", "kind": "timeout", "message": "reset"}
        elif thrown < 0.23:
            return  # never: its timer ends it
        answer = StepFinished(
            run_id=run_id,
            step=request.step,
            attempt=request.attempt,
            answers_seq=seq,
            instance="executor",
            boot="one",
            **fields,  # type: ignore[arg-type]  # as the dice fell
        )
        self.append(RUN_INBOX, run_id, answer)

    def _post(self, record: JournalRecord, report: Reported, index: int) -> None:
        event = event_to_post(report, record.run_id, record.seq, index, record.at_ms, self.now_ms, False)
        sent = {**asdict(event), "tags": list(event.tags)}
        published = Published(
            run_id=record.run_id, seq=record.seq, index=index, event_id="1", sent=sent, at_ms=self.now_ms
        )
        self.append(PUBLICATIONS, record.run_id, published)

    def _bury(self, entry: Entry, stage: str, reason: str) -> None:
        letter = DeadLetter(
            topic=entry.topic,
            partition=entry.partition,
            offset=entry.offset,
            at_ms=entry.at_ms,
            key=entry.key,
            value=entry.value,
            stage=stage,
            reason=reason,
        )
        self.raw(DEAD_LETTERS, entry.key, encode(letter))

    def send(self, sends: Iterable[Outgoing]) -> None:
        """What an agent sends."""
        for one in sends:
            self.append(one.topic, one.key, one.record)
