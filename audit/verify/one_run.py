"""`audit verify --run`: one run alone. Its inbox is folded once more and compared with its journal, its
reports with what was published, its request with the decision that started it.

What it sent to others (the end to admission, candidates of children) is not looked for: that takes all.
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from audit.log import Entry, Log
from audit.verify.findings import Difference, Tally
from audit.verify.frame import Frame
from audit.verify.kinds import Kind
from audit.verify.partitioning import partition_of
from audit.verify.traces import subject_of
from audit.verify.verifying import Crew
from audit.verify.work import Part
from schemas.decisions import AdmissionDecided
from schemas.inbox import RunRequested
from schemas.topics import DECISIONS, PUBLICATIONS, RUN_INBOX, RUN_JOURNAL


class UnknownRun(LookupError):
    """Nothing that is kept is about this run. The message says where was looked."""


async def verify_run(run_id: str, frame: Frame, crew: Crew, log: Log) -> tuple[Tally, Frame]:
    """The findings about one run. Raises UnknownRun."""
    frame = replace(frame, only=run_id, buckets=1)
    partition = _partition(run_id, RUN_INBOX.name, frame)
    inbox = await _of_key(run_id, RUN_INBOX.name, frame, log)
    if not inbox:
        raise UnknownRun(
            f"there is nothing about {run_id} in run-inbox/{partition}, as far as that is kept; "
            "`pulsebook run list` names runs"
        )
    tally = Tally()
    steps = (
        [Part("read", RUN_JOURNAL.name, partition), Part("read", PUBLICATIONS.name, partition)],
        [Part("fold", RUN_INBOX.name, partition)],
        [Part("join")],
    )
    for step, parts in enumerate(steps):
        async for found in crew.work(parts, frame):
            tally.add(found)
        if step == 0:
            place = RUN_INBOX.name, partition
            settled = tally.causes.get(place, -1) + 1
            frame = replace(frame, settled={place: settled, **frame.settled})
    await _decided(run_id, inbox, frame, log, tally)
    return tally, frame


async def _decided(run_id: str, inbox: Sequence[Entry], frame: Frame, log: Log, tally: Tally) -> None:
    """Whether somebody decided that it starts, as it was asked for."""
    first = next((one for one in inbox if isinstance(one.record, RunRequested)), None)
    if first is None or not isinstance(first.record, RunRequested):
        start = frame.start(RUN_INBOX.name, inbox[0].partition)
        place = f"run-inbox/{inbox[0].partition} begins at {start}"
        tally.unchecked[f"runs that began before what is kept: {place}"] += 1
        return
    request = first.record
    entries = await _of_key(request.request_id, DECISIONS.name, frame, log)
    tally.read[DECISIONS.name] += len(entries)
    started = [
        one
        for one in entries
        if isinstance(one.record, AdmissionDecided)
        and (one.record.run_id, one.record.decision) == (run_id, "started")
    ]
    found = (first.topic, first.partition, first.offset)
    if not started:
        partition = _partition(request.request_id, DECISIONS.name, frame)
        if frame.begins_ms.get((DECISIONS.name, partition), -1) >= first.at_ms:
            tally.unchecked[f"decisions that are gone: decisions/{partition} lost its beginning"] += 1
            return
        _differs(tally, "unexplained", first, found, "no decision started it")
        return
    decision = started[0].record
    assert isinstance(decision, AdmissionDecided)  # noqa: S101 - looked at above
    for name in ("playbook", "revision", "key", "request_id"):
        said, asked = getattr(decision, name), getattr(request, name)
        if said != asked:
            text = f"its decision says {name} {said!r}, its request {asked!r}"
            _differs(tally, "differs", first, found, text)
            return
    tally.counts[DECISIONS.name, "equal"] += 1


def _differs(tally: Tally, what: str, first: Entry, found: tuple[str, int, int], text: str) -> None:
    subject = subject_of(Kind.REQUESTED, "")
    tally.differs(
        Difference(first.at_ms, RUN_INBOX.name, what, Kind.REQUESTED, subject, found=found, text=text)
    )


def _partition(key: str, topic: str, frame: Frame) -> int:
    partitions = sum(1 for name, _ in frame.bounds if name == topic)
    return partition_of(key.encode("utf-8", "surrogatepass"), partitions)


async def _of_key(key: str, topic: str, frame: Frame, log: Log) -> list[Entry]:
    """All under one key, in order."""
    partition, raw = _partition(key, topic, frame), key.encode("utf-8", "surrogatepass")
    end = frame.ends.get((topic, partition), 0)
    found: list[Entry] = []
    async with aclosing(log.read({}, {(topic, partition): end})) as batches:
        async for batch in batches:
            found += [entry for entry in batch if entry.key == raw]
    return found
