"""Records become rows: what each record of the log changes in the tables, whatever order topics arrive in.

Everything here may be repeated without changing anything more. The journal has the last word on a run: what
`decisions` says of it counts only until the journal has spoken.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

import msgspec

from console.read_model.log import LogRecord, Place
from console.read_model.projecting_runs import project_decision, project_journal
from schemas import codec
from schemas.dead_letters import DeadLetter, DeadLetterHandled
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.errors import SchemasError
from schemas.events import JournalRecord
from schemas.publications import Published, Refused

REASON_MAX = 500
"""Characters of a dead letter's reason in lists."""
ABOUT_MAX = 100
"""Characters of the id that a dead letter is about: what a stranger wrote may be any text."""

Projected = (
    AlertMatched | AdmissionDecided | JournalRecord | Published | Refused | DeadLetter | DeadLetterHandled
)


@dataclass(slots=True)
class Batch:
    """What a batch of records did."""

    changed_runs: set[str] = field(default_factory=set)
    """Runs whose journal or admission went on."""
    unreadable: list[LogRecord] = field(default_factory=list)
    """Records that are no records of ours: passed over."""
    conflicts: list[tuple[str, int]] = field(default_factory=list)
    """(run id, seq) that came again with other content: an alarm; the first stays."""


def project(connection: sqlite3.Connection, records: Sequence[LogRecord]) -> Batch:
    """Write the rows and the positions of a batch, inside the caller's transaction."""
    batch = Batch()
    positions: dict[Place, int] = {}
    for record in records:
        positions[record.topic, record.partition] = record.offset + 1
        try:
            known = codec.decode(record.value or b"")
        except SchemasError:
            batch.unreadable.append(record)
            continue
        if isinstance(known, Projected):
            _project_one(connection, known, record, batch)
    connection.executemany(
        "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET next = max(next, excluded.next)",
        [(topic, partition, offset) for (topic, partition), offset in positions.items()],
    )
    return batch


def _project_one(connection: sqlite3.Connection, known: Projected, record: LogRecord, batch: Batch) -> None:
    raw = record.value or b""
    match known:
        case JournalRecord():
            if project_journal(connection, known, raw) == "conflict":
                batch.conflicts.append((known.run_id, known.seq))
            batch.changed_runs.add(known.run_id)
        case AdmissionDecided():
            project_decision(connection, known, raw)
            batch.changed_runs.add(known.run_id)
        case AlertMatched():
            _project_alert(connection, known, record)
        case Published() | Refused():
            connection.execute(
                "INSERT OR IGNORE INTO publications VALUES (?, ?, ?, ?, ?)",
                (record.partition, record.offset, known.run_id, known.at_ms, raw),
            )
            batch.changed_runs.add(known.run_id)
        case DeadLetter():
            _project_dead_letter(connection, known, record)
        case DeadLetterHandled():
            _project_handled(connection, known, record)
        case _:
            assert_never(known)


def _project_alert(connection: sqlite3.Connection, alert: AlertMatched, record: LogRecord) -> None:
    """The first decision about an alert stays: later ones are redeliveries."""
    about = alert.summary
    matched = [each.playbook for each in alert.looked if each.matched]
    connection.execute(
        "INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            alert.alert_id,
            about.received_at_ms or alert.at_ms,
            about.endpoint,
            about.title,
            about.transition,
            about.monitor_id,
            about.scope,
            alert.partition,
            alert.offset,
            msgspec.json.encode(matched).decode(),
            alert.unparsable,
            alert.recovery,
            record.at_ms,
            record.value or b"",
        ),
    )


def _project_dead_letter(connection: sqlite3.Connection, letter: DeadLetter, record: LogRecord) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'open')",
        (
            record.partition,
            record.offset,
            record.at_ms,
            letter.topic,
            letter.partition,
            letter.offset,
            letter.stage,
            letter.reason[:REASON_MAX],
            _about(letter),
        ),
    )


def _about(letter: DeadLetter) -> str:
    """The run that its message names, else the alert; empty where nothing can be read of it."""
    try:
        message = codec.decode(letter.value)
    except SchemasError:
        key = (letter.key or b"").decode("utf-8", "replace")
        return key if key.startswith(("r-", "a-")) and len(key) <= ABOUT_MAX else ""
    return str(getattr(message, "run_id", "") or getattr(message, "alert_id", ""))[:ABOUT_MAX]


def _project_handled(connection: sqlite3.Connection, handled: DeadLetterHandled, record: LogRecord) -> None:
    """It stands behind its letter in the same partition, so the letter has its row, or is gone by now."""
    letter = (handled.partition, handled.offset)
    kept = connection.execute(
        'UPDATE dead_letters SET state = ? WHERE partition = ? AND "offset" = ?', (handled.outcome, *letter)
    )
    if kept.rowcount:
        connection.execute(
            "INSERT OR IGNORE INTO letters_handled VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *letter,
                record.offset,
                handled.topic,
                handled.to_partition,
                handled.to_offset,
                record.value or b"",
            ),
        )
