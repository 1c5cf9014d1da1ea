"""Which records follow from others, and what each is about: the run or the alert, and which of its records.

Whatever else stands on a topic came from outside (a person, an executor, a clock) and is taken as given.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from engine.run.evolving import PAUSE
from schemas.admissions import AlertRecovered, Candidate, CandidateCancelled, RunEnded
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord
from schemas.fields import Record
from schemas.inbox import CancelRequested, ChildEnded, RunRecovered, RunRequested, TimerFired
from schemas.publications import Published, Refused
from schemas.topics import ADMISSIONS, ALERTS, DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_INBOX, RUN_JOURNAL

RUN_ACTOR = "run "
"""How the actor of a CandidateCancelled begins that a run sent to its child."""
_OFFSET_BITS = 48


class Kind(IntEnum):
    """What follows from an input, and therefore can be made again and compared."""

    MATCHED = 1
    CANDIDATE = 2
    RECOVERY = 3
    DECIDED = 4
    REQUESTED = 5
    RECOVERED = 6
    CANCEL = 7
    JOURNAL = 8
    ENDED = 9
    CHILD = 10
    CHILD_CANCELLED = 11
    CHILD_ENDED = 12
    PAUSED = 13
    PUBLISHED = 14
    LETTER = 15


OF_ALERTS = frozenset({Kind.MATCHED, Kind.CANDIDATE, Kind.RECOVERY})
"""Kinds that are about an alert; all others are about a run, or about one message."""
FREE = frozenset({Kind.CANCEL, Kind.PAUSED})
"""Kinds that people and timers send, too: there may be more of them than follow from anything."""

NUMBERED = frozenset({Kind.MATCHED, Kind.DECIDED, Kind.JOURNAL, Kind.PUBLISHED, Kind.LETTER})
"""Kinds of which there is one of each number about a subject (of decisions, one change by each input)."""

RECORDS: Mapping[Kind, str] = {
    Kind.MATCHED: "AlertMatched",
    Kind.CANDIDATE: "Candidate",
    Kind.RECOVERY: "AlertRecovered",
    Kind.DECIDED: "AdmissionDecided",
    Kind.REQUESTED: "RunRequested",
    Kind.RECOVERED: "RunRecovered",
    Kind.CANCEL: "CancelRequested",
    Kind.JOURNAL: "JournalRecord",
    Kind.ENDED: "RunEnded",
    Kind.CHILD: "Candidate of a child",
    Kind.CHILD_CANCELLED: "CandidateCancelled",
    Kind.CHILD_ENDED: "ChildEnded",
    Kind.PAUSED: "TimerFired",
    Kind.PUBLISHED: "Published or Refused",
    Kind.LETTER: "DeadLetter",
}
STANDS_ON: Mapping[Kind, str] = {
    Kind.MATCHED: DECISIONS.name,
    Kind.CANDIDATE: ADMISSIONS.name,
    Kind.RECOVERY: ADMISSIONS.name,
    Kind.DECIDED: DECISIONS.name,
    Kind.REQUESTED: RUN_INBOX.name,
    Kind.RECOVERED: RUN_INBOX.name,
    Kind.CANCEL: RUN_INBOX.name,
    Kind.JOURNAL: RUN_JOURNAL.name,
    Kind.ENDED: ADMISSIONS.name,
    Kind.CHILD: ADMISSIONS.name,
    Kind.CHILD_CANCELLED: ADMISSIONS.name,
    Kind.CHILD_ENDED: RUN_INBOX.name,
    Kind.PAUSED: RUN_INBOX.name,
    Kind.PUBLISHED: PUBLICATIONS.name,
    Kind.LETTER: DEAD_LETTERS.name,
}
FOLLOWS_FROM: Mapping[Kind, str] = {
    Kind.MATCHED: ALERTS.name,
    Kind.CANDIDATE: ALERTS.name,
    Kind.RECOVERY: ALERTS.name,
    Kind.DECIDED: ADMISSIONS.name,
    Kind.REQUESTED: ADMISSIONS.name,
    Kind.RECOVERED: ADMISSIONS.name,
    Kind.CANCEL: ADMISSIONS.name,
    Kind.PUBLISHED: RUN_JOURNAL.name,
}
"""Topic of the input; of all others it is `run-inbox` (of a dead letter, whichever it names)."""


class About(NamedTuple):
    """What a record is about. `number` tells apart the records of one kind about one subject."""

    kind: Kind
    subject: str
    number: int


def place_number(partition: int, offset: int) -> int:
    """A place within a topic as one number."""
    return partition << _OFFSET_BITS | offset


def place_of(number: int) -> tuple[int, int]:
    """The inverse: partition and offset."""
    return number >> _OFFSET_BITS, number & (1 << _OFFSET_BITS) - 1


def about(record: Record) -> About | None:
    """What a record that follows from another is about; None for one that may come from outside."""
    found = _ABOUT.get(type(record))
    return None if found is None else found(record)


def _candidate(one: Candidate) -> About | None:
    if one.via == "alert":
        return About(Kind.CANDIDATE, one.request_id, one.catalog_offset)
    if one.via == "playbook" and one.parent is not None:
        return About(Kind.CHILD, one.parent.run_id, one.parent.seq)
    return None


def _cancelled(one: CandidateCancelled) -> About | None:
    if not one.actor.startswith(RUN_ACTOR):
        return None
    return About(Kind.CHILD_CANCELLED, one.actor[len(RUN_ACTOR) :], 0)


def _fired(one: TimerFired) -> About | None:
    return About(Kind.PAUSED, one.row, one.due_ms) if one.timer == PAUSE else None


def _posted(one: Published | Refused) -> About:
    return About(Kind.PUBLISHED, one.run_id, one.seq << 16 | one.index)


_ABOUT: Mapping[type[Record], Callable[[Any], About | None]] = {
    AlertMatched: lambda one: About(Kind.MATCHED, one.alert_id, place_number(one.partition, one.offset)),
    Candidate: _candidate,
    AlertRecovered: lambda one: About(Kind.RECOVERY, one.alert_id, one.catalog_offset),
    AdmissionDecided: lambda one: About(Kind.DECIDED, one.run_id, place_number(one.partition, one.offset)),
    RunRequested: lambda one: About(Kind.REQUESTED, one.run_id, 0),
    RunRecovered: lambda one: About(Kind.RECOVERED, one.run_id, 0),
    CancelRequested: lambda one: About(Kind.CANCEL, one.run_id, 0),
    JournalRecord: lambda one: About(Kind.JOURNAL, one.run_id, one.seq),
    RunEnded: lambda one: About(Kind.ENDED, one.run_id, 0),
    CandidateCancelled: _cancelled,
    ChildEnded: lambda one: About(Kind.CHILD_ENDED, one.child_run_id, one.answers_seq),
    TimerFired: _fired,
    Published: _posted,
    Refused: _posted,
}
