"""All that the topics of a machine say, put together for tests: decisions, runs, reports, publications."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from connectors.event_log import EventLogReader
from engine.posting import identity
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord, Reported, RunFinished
from schemas.publications import Published, Refused
from schemas.topics import DECISIONS, PUBLICATIONS, RUN_JOURNAL


@dataclass(slots=True)
class WholeLog:
    """What was read, in the order of each partition."""

    matched: dict[str, AlertMatched] = field(default_factory=dict)
    """By alert id; the first wins."""
    decided: dict[str, list[AdmissionDecided]] = field(default_factory=lambda: defaultdict(list))
    """By alert id."""
    journal: dict[str, list[JournalRecord]] = field(default_factory=lambda: defaultdict(list))
    """By run id, with repeats."""
    published: dict[str, list[Published | Refused]] = field(default_factory=lambda: defaultdict(list))
    """By identity of the report."""

    def ended(self) -> dict[str, RunFinished]:
        """How each run that has ended did, by run id."""
        return {
            run_id: event
            for run_id, records in self.journal.items()
            for record in records
            for event in record.events
            if isinstance(event, RunFinished)
        }

    def reported(self) -> dict[str, Reported]:
        """Every report in the journal, by identity."""
        found = {}
        for run_id, records in self.journal.items():
            for record in records:
                reports = [event for event in record.events if isinstance(event, Reported)]
                for index, report in enumerate(reports):
                    found[identity(run_id, record.seq, index)] = report
        return found

    def unsettled(self, alert_ids: Collection[str]) -> list[str]:
        """What is still missing for these alerts, a line each: decision, run, end, report."""
        ended = self.ended()
        lines = [f"{each}: not matched yet" for each in alert_ids if each not in self.matched]
        for each in alert_ids:
            runs = {one.run_id for one in self.decided.get(each, ()) if one.decision == "started"}
            lines += [] if runs else [f"{each}: no run started"]
            lines += [f"{each}: run {run} has not ended" for run in runs if run not in ended]
        return lines + [
            f"report {each} not published" for each in self.reported() if each not in self.published
        ]

    def gaps(self) -> dict[str, list[int]]:
        """Seqs of the runs whose journal is not 1, 2, 3, … or that say two things under one seq."""
        found = {}
        for run_id, records in self.journal.items():
            first: dict[int, JournalRecord] = {}
            contradicts = any(first.setdefault(each.seq, each) != each for each in records)
            if contradicts or sorted(first) != list(range(1, len(first) + 1)):
                found[run_id] = [each.seq for each in records]
        return found


async def read_whole_log(servers: str) -> WholeLog:
    """Read from the beginning to the present end."""
    log = WholeLog()
    reader = EventLogReader({"bootstrap_servers": servers}, (DECISIONS, RUN_JOURNAL, PUBLICATIONS))
    async for batch in reader.read():
        for entry in batch:
            match entry.record:
                case AlertMatched() as matched:
                    log.matched.setdefault(matched.alert_id, matched)
                case AdmissionDecided() as decided:
                    log.decided[decided.alert_id].append(decided)
                case JournalRecord() as record:
                    log.journal[record.run_id].append(record)
                case Published() | Refused() as published:
                    what = identity(published.run_id, published.seq, published.index)
                    log.published[what].append(published)
                case other:
                    raise AssertionError(f"a {type(other).__name__} on {entry.topic}")
    return log
