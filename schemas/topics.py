"""Which topics exist, keyed by what, kept how long. The one list that everything else is checked against."""

from dataclasses import dataclass

from schemas.admissions import AlertRecovered, Candidate, CandidateCancelled, PlaybookSwitched, RunEnded
from schemas.alerts import AlertReceived
from schemas.catalog import EndpointSet, PlaybookSet, RebuildReported, RevisionAdded, SwitchSet, TokenSet
from schemas.dead_letters import DeadLetter, DeadLetterHandled
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord
from schemas.fields import Record
from schemas.inbox import (
    Answered,
    CancelRequested,
    ChildEnded,
    RunRecovered,
    RunRequested,
    StepClaimed,
    StepFinished,
    TimerFired,
)
from schemas.publications import Published, Refused

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `kept_ms` None: for ever. `single`: one partition, where others have the prefix's count."""

    name: str
    key: str
    records: tuple[type[Record], ...]
    kept_ms: int | None
    purpose: str
    single: bool = False
    compacted: bool = False


ALERTS = Topic(
    "alerts",
    "alert key",
    (AlertReceived,),
    45 * DAY_MS,
    "alerts as received; producers may write JSON or Avro",
)
DECISIONS = Topic(
    "decisions", "alert id or request id", (AlertMatched, AdmissionDecided), 400 * DAY_MS, "why and why not"
)
ADMISSIONS = Topic(
    "admissions",
    "playbook",
    (Candidate, AlertRecovered, RunEnded, CandidateCancelled, TimerFired, PlaybookSwitched),
    45 * DAY_MS,
    "what may start, in one order per playbook",
)
RUN_INBOX = Topic(
    "run-inbox",
    "run id",
    (
        RunRequested,
        StepClaimed,
        StepFinished,
        TimerFired,
        Answered,
        RunRecovered,
        CancelRequested,
        ChildEnded,
    ),
    400 * DAY_MS,
    "everything that can happen to a run, in one order per run",
)
RUN_JOURNAL = Topic("run-journal", "run id", (JournalRecord,), 400 * DAY_MS, "what happened: the truth")
PUBLICATIONS = Topic("publications", "run id", (Published, Refused), 400 * DAY_MS, "what Datadog was told")
CATALOG = Topic(
    "catalog",
    "playbook/NAME, revision/DIGEST, endpoint/NAME, token/NAME, switch/NAME, rebuilt/TABLE/PARTITION",
    (RevisionAdded, PlaybookSet, EndpointSet, TokenSet, SwitchSet, RebuildReported),
    None,
    "every change of playbooks, endpoints, tokens and switches; what rebuilds came to",
    single=True,
)
DEAD_LETTERS = Topic(
    "dead-letters",
    "as it came",
    (DeadLetter, DeadLetterHandled),
    45 * DAY_MS,
    "what could not be handled, why, and what was done about it",
)

TOPICS: tuple[Topic, ...] = (
    ALERTS,
    DECISIONS,
    ADMISSIONS,
    RUN_INBOX,
    RUN_JOURNAL,
    PUBLICATIONS,
    CATALOG,
    DEAD_LETTERS,
)

CHANGELOGS: tuple[Topic, ...] = tuple(
    Topic(f"{table}-changelog", "row key", (), None, f"changelog of a table: {table}", compacted=True)
    for table in ("processor-matched", "processor-admissions", "processor-runs", "sink-notified")
)
"""Faust names a changelog APP-TABLE-changelog; the apps are PREFIXprocessor and PREFIXsink."""

MESSAGE_BYTES_MAX = 2 * 1024 * 1024
"""`max.message.bytes` of every topic and changelog."""
