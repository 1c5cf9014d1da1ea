"""Looks on while it happens: what is still missing, and when what made progress. From the topics, as they
grow.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from connectors.event_log import Entry, EventLogReader
from engine.posting import identity
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import (
    JournalRecord,
    Reported,
    RunFinished,
    StepAnswered,
    StepAsked,
    StepFailed,
    StepSucceeded,
)
from schemas.events_flow import WaitStarted
from schemas.publications import Published, Refused
from schemas.topics import DECISIONS, PUBLICATIONS, RUN_JOURNAL


@dataclass(slots=True)
class Following:
    """What the topics said so far."""

    matched: set[str] = field(default_factory=set)
    open_candidates: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    """Candidates about which something final was decided."""
    started: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    """Run id to how it ended."""
    reported: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    asked: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """By run and step: what somebody may answer."""
    waiting: dict[str, str] = field(default_factory=dict)
    """Run id to what it waits for, or waited for last: a time, or a recovery. Until it ends."""
    unknown: list[str] = field(default_factory=list)
    """Steps whose outcome nobody knows."""
    failures: list[str] = field(default_factory=list)
    """The kind of each failed step."""
    progress: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By kind of process: the broker's times of what it did."""

    async def follow(self, kafka: dict[str, str], prefix: str) -> None:
        """On and on."""
        topics = (DECISIONS, RUN_JOURNAL, PUBLICATIONS)
        reader = EventLogReader(kafka, topics, prefix)
        async for batch in reader.follow():
            for entry in batch:
                self.take(entry)
            await asyncio.sleep(0)

    def take(self, entry: Entry) -> None:
        """One record."""
        match entry.record:
            case AlertMatched() as one:
                self.matched.add(one.alert_id)
            case AdmissionDecided() as one:
                self._decided(one)
            case Published() | Refused() as one:
                self.published.add(identity(one.run_id, one.seq, one.index))
                self.progress["sink"].append(entry.at_ms)
            case JournalRecord() as one:
                self.progress["processor"].append(entry.at_ms)
                self._journal(one, entry.at_ms)
            case _:
                pass

    def _decided(self, one: AdmissionDecided) -> None:
        """A repeated candidate is answered with its first decision again, also after it left the queue."""
        if one.decision == "queued":
            if one.run_id not in self.left:
                self.open_candidates.add(one.run_id)
            return
        self.left.add(one.run_id)
        self.open_candidates.discard(one.run_id)
        if one.decision == "started":
            self.started.add(one.run_id)

    def _journal(self, record: JournalRecord, at_ms: int) -> None:
        reports = 0
        for event in record.events:
            match event:
                case StepSucceeded() | StepFailed():
                    self.progress["executor"].append(at_ms)
                    if isinstance(event, StepFailed):
                        self.failures.append(event.kind)
                    if isinstance(event, StepFailed) and event.status == "unknown":
                        self.unknown.append(f"{record.run_id}/{event.step}: {event.message}")
                case StepAsked():
                    self.asked[record.run_id, event.step] = event.choices
                    if event.attempt:
                        self.unknown.append(f"{record.run_id}/{event.step}: {event.question}")
                case StepAnswered():
                    self.asked.pop((record.run_id, event.step), None)
                case WaitStarted():
                    self.waiting[record.run_id] = event.until
                case Reported():
                    self.reported.add(identity(record.run_id, record.seq, reports))
                    reports += 1
                case RunFinished():
                    self.ended[record.run_id] = event.status
                    self.waiting.pop(record.run_id, None)
                case _:
                    pass

    def missing(self, accepted: Collection[str]) -> list[str]:
        """What has not come to its end, a line each. `accepted`: ids of all alerts."""
        lines = [f"{each}: not matched" for each in accepted if each not in self.matched]
        lines += [f"{each}: queued" for each in self.open_candidates]
        lines += [f"{each}: not ended" for each in self.started - self.ended.keys()]
        return lines + [f"{each}: not published" for each in self.reported - self.published]


def longest_gap_s(times_ms: Sequence[int], begin_ms: int, within_ms: int) -> float:
    """The longest time without progress that touches [begin, begin + within]; 0.0 where nothing came
    after.
    """
    gaps = [
        later - earlier
        for earlier, later in itertools.pairwise(sorted(times_ms))
        if later >= begin_ms and earlier <= begin_ms + within_ms
    ]
    return max(gaps, default=0) / 1_000
