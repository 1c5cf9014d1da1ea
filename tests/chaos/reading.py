"""A history, decoded and put in order once, for all the checks."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from connectors.event_log import Entry
from engine.catalog import Catalog
from engine.posting import identity
from schemas.alerts_wire import ConfluentAlert, JsonAlert, sniff
from schemas.dead_letters import DeadLetter
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.errors import MalformedMessage
from schemas.events import (
    JournalRecord,
    Reported,
    RunEvent,
    StepAsked,
    StepCancelled,
    StepFailed,
    StepGranted,
    StepRequested,
    StepRetryScheduled,
    StepSucceeded,
)
from schemas.ids import alert_id_for_record
from schemas.publications import Published, Refused
from schemas.redriven import first_place
from tests.chaos.history import History
from tests.chaos.refolding import Admissions, Inbox, catalog_of, in_order

StepEnd = StepSucceeded | StepFailed | StepRetryScheduled | StepAsked | StepCancelled


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a step as the journal has it. `ended`: by what, and when (ms)."""

    request: StepRequested
    requested_ms: int
    granted: bool = False
    ended: tuple[StepEnd, int] | None = None


class Reading:
    """What a history says."""

    def __init__(self, history: History) -> None:
        self.history = history

    @cached_property
    def alerts(self) -> dict[tuple[int, int], str | None]:
        """Place on `alerts` to alert id; None: nobody can read it."""
        return {(one.partition, one.offset): _alert_id(one) for one in self.history.of("alerts")}

    @cached_property
    def matched(self) -> dict[str, AlertMatched]:
        """By alert id; the first one wins."""
        found: dict[str, AlertMatched] = {}
        for entry in in_order(self.history.of("decisions")):
            if isinstance(entry.record, AlertMatched):
                found.setdefault(entry.record.alert_id, entry.record)
        return found

    @cached_property
    def decided(self) -> dict[str, list[AdmissionDecided]]:
        """By run id of the candidate."""
        found: dict[str, list[AdmissionDecided]] = defaultdict(list)
        for entry in in_order(self.history.of("decisions")):
            if isinstance(entry.record, AdmissionDecided):
                found[entry.record.run_id].append(entry.record)
        return found

    @cached_property
    def letters(self) -> set[tuple[str, int, int]]:
        """Where the dead letters came from."""
        records = (entry.record for entry in self.history.of("dead-letters"))
        return {(one.topic, one.partition, one.offset) for one in records if isinstance(one, DeadLetter)}

    @cached_property
    def journal(self) -> dict[str, list[tuple[JournalRecord, Entry]]]:
        """By run id, with repeats, as it lies there."""
        found: dict[str, list[tuple[JournalRecord, Entry]]] = defaultdict(list)
        for entry in in_order(self.history.of("run-journal")):
            if isinstance(entry.record, JournalRecord):
                found[entry.record.run_id].append((entry.record, entry))
        return found

    def events(self) -> Iterator[tuple[JournalRecord, RunEvent, int]]:
        """Every event, repeats dropped: its record, itself, the broker's time of the record."""
        for records in self.journal.values():
            first = {record.seq: (record, entry) for record, entry in reversed(records)}
            for _, (record, entry) in sorted(first.items(), key=lambda item: item[0]):
                for event in record.events:
                    yield record, event, entry.at_ms

    @cached_property
    def attempts(self) -> dict[str, Attempt]:
        """By run/step/attempt."""
        found: dict[str, Attempt] = {}
        for record, event, at_ms in self.events():
            match event:
                case StepRequested():
                    found[event.idempotency_key] = Attempt(event, at_ms)
                case StepGranted():
                    key = f"{record.run_id}/{event.step}/{event.attempt}"
                    if key in found:
                        found[key] = replace(found[key], granted=True)
                case StepSucceeded() | StepFailed() | StepRetryScheduled() | StepAsked() | StepCancelled():
                    key = f"{record.run_id}/{event.step}/{event.attempt}"
                    if key in found and found[key].ended is None:
                        found[key] = replace(found[key], ended=(event, at_ms))
        return found

    @cached_property
    def reported_at(self) -> dict[str, int]:
        """Every report by its identity: when it was journalled (ms)."""
        found: dict[str, int] = {}
        count: dict[tuple[str, int], int] = defaultdict(int)
        for record, event, at_ms in self.events():
            if isinstance(event, Reported):
                found[identity(record.run_id, record.seq, count[record.run_id, record.seq])] = at_ms
                count[record.run_id, record.seq] += 1
        return found

    @cached_property
    def published(self) -> dict[str, list[tuple[Published | Refused, int]]]:
        """What the sink recorded of each report, and when (ms)."""
        found: dict[str, list[tuple[Published | Refused, int]]] = defaultdict(list)
        for entry in self.history.of("publications"):
            if isinstance(entry.record, Published | Refused):
                one = entry.record
                found[identity(one.run_id, one.seq, one.index)].append((one, entry.at_ms))
        return found

    @cached_property
    def catalog(self) -> Catalog:
        return catalog_of(in_order(self.history.of("catalog")))

    @cached_property
    def admissions(self) -> Admissions:
        """The whole topic `admissions`, folded once more."""
        folded = Admissions(self.catalog, self.history.situation)
        for entry in in_order(self.history.of("admissions")):
            folded.fold(entry)
        return folded

    @cached_property
    def inbox(self) -> Inbox:
        """The whole topic `run-inbox`, folded once more."""
        folded = Inbox(self.catalog)
        for entry in in_order(self.history.of("run-inbox")):
            folded.fold(entry)
        return folded


def _alert_id(entry: Entry) -> str | None:
    try:
        found = sniff(entry.value)
    except MalformedMessage:
        return None
    if isinstance(found, ConfluentAlert):
        return None  # no world of ours has a registry
    if isinstance(found, JsonAlert):
        place = first_place((entry.topic, entry.partition, entry.offset), dict(entry.headers))
        return alert_id_for_record(*place)
    return found.alert_id
