"""How a run's row follows its journal and the decisions about it. Other rows: `projecting`."""

import sqlite3
from typing import Literal

import msgspec

from schemas.decisions import AdmissionDecided
from schemas.events import (
    BlockEntered,
    JournalRecord,
    RecoverySeen,
    RunEvent,
    RunFinished,
    RunStarted,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepFailed,
    StepRequested,
    StepRetryScheduled,
    StepSucceeded,
)
from schemas.events_flow import ChildRequested, IterationEnded, IterationStarted, WaitStarted

TITLE_MAX = 300

WAITING = (StepRetryScheduled, StepAsked, WaitStarted, ChildRequested)
"""After these a step is on hold: for a time, a person, a recovery, a child."""
OVER = (StepSucceeded, StepFailed, StepCancelled, StepAnswered, IterationStarted)
"""After these a step neither waits nor is with the executor."""

BEFORE_THE_JOURNAL = {"started": "queued", "queued": "queued"}
"""What a decision means until the journal speaks; the others (held_back, dropped, ...) mean themselves."""


def project_journal(
    connection: sqlite3.Connection, record: JournalRecord, raw: bytes
) -> Literal["new", "repeat", "conflict"]:
    """One journal record. A repeat changes nothing; the same (run id, seq) with other content is a
    conflict.
    """
    written = connection.execute(
        "INSERT OR IGNORE INTO run_records VALUES (?, ?, ?, ?)",
        (record.run_id, record.seq, record.at_ms, raw),
    )
    if not written.rowcount:
        held = connection.execute(
            "SELECT record FROM run_records WHERE run_id = ? AND seq = ?", (record.run_id, record.seq)
        ).fetchone()
        return "repeat" if held[0] == raw else "conflict"
    _ensure_run(connection, record)
    live: dict[str, bool] | None = None
    for event in record.events:
        if isinstance(event, RunStarted):
            _start(connection, record, event)
        elif isinstance(event, RunFinished):
            _finish(connection, record, event)
            return "new"
        elif isinstance(event, RecoverySeen):
            connection.execute(
                "INSERT OR IGNORE INTO recoveries VALUES (?, ?, ?)",
                (event.alert_id, record.run_id, record.at_ms),
            )
        if isinstance(event, (*WAITING, *OVER, StepRequested, IterationEnded, BlockEntered)):
            live = _live(connection, record.run_id) if live is None else live
            _follow(live, event)
    if live is not None:
        status = "waiting" if live and all(live.values()) else "running"
        connection.execute(
            "UPDATE runs SET status = ?, live = ? WHERE run_id = ? AND ended_at_ms IS NULL",
            (status, msgspec.json.encode(live).decode(), record.run_id),
        )
    return "new"


def _live(connection: sqlite3.Connection, run_id: str) -> dict[str, bool]:
    """The steps under way: path to whether it waits (else it is with the executor)."""
    held = connection.execute("SELECT live FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return msgspec.json.decode(held[0], type=dict[str, bool]) if held else {}


def _follow(live: dict[str, bool], event: RunEvent) -> None:
    if isinstance(event, BlockEntered):
        live.clear()
    elif isinstance(event, StepRequested):
        live[event.step] = False
    elif isinstance(event, WAITING) or (isinstance(event, IterationEnded) and event.next_ms):
        live[event.step] = True
    elif isinstance(event, OVER):
        live.pop(event.step, None)


def _ensure_run(connection: sqlite3.Connection, record: JournalRecord) -> None:
    """A row for the run: made by a decision, by its first record, or here where the log no longer has that
    one.
    """
    connection.execute(
        "INSERT INTO runs (run_id, at_ms, playbook, status, journaled) VALUES (?, ?, ?, 'running', 1)"
        " ON CONFLICT DO UPDATE SET journaled = 1, at_ms = min(at_ms, excluded.at_ms),"
        " status = CASE journaled WHEN 0 THEN 'running' ELSE status END,"
        " message = CASE journaled WHEN 0 THEN '' ELSE message END"
        " WHERE journaled = 0 OR at_ms > excluded.at_ms",
        (record.run_id, record.at_ms, record.playbook),
    )


def _start(connection: sqlite3.Connection, record: JournalRecord, event: RunStarted) -> None:
    connection.execute(
        "UPDATE runs SET status = 'running', playbook = ?, revision = ?, via = ?, actor = ?, request_id = ?,"
        " alert_id = ?, title = ?, started_at_ms = ?, kind = '', step = '', message = '' WHERE run_id = ?",
        (
            event.playbook,
            event.revision,
            event.via,
            event.actor,
            event.request_id,
            event.alert.id if event.alert else "",
            event.alert.title[:TITLE_MAX] if event.alert else "",
            record.at_ms,
            record.run_id,
        ),
    )


def _finish(connection: sqlite3.Connection, record: JournalRecord, event: RunFinished) -> None:
    connection.execute(
        "UPDATE runs SET live = '{}', status = ?, ended_at_ms = ?, kind = ?, step = ?, message = ?"
        " WHERE run_id = ?",
        (event.status, record.at_ms, event.kind, event.step, event.message, record.run_id),
    )


def project_decision(connection: sqlite3.Connection, decided: AdmissionDecided, raw: bytes) -> None:
    """One decision about a candidate: kept, and for a run that the journal does not know yet, its status."""
    written = connection.execute(
        "INSERT OR IGNORE INTO decided VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            decided.request_id,
            decided.playbook,
            decided.partition,
            decided.offset,
            decided.decision,
            decided.alert_id,
            decided.run_id,
            decided.at_ms,
            raw,
        ),
    )
    if not written.rowcount:
        return
    status = BEFORE_THE_JOURNAL.get(decided.decision, decided.decision)
    message = f"{decided.rule}: {decided.reason}" if decided.rule else decided.reason
    connection.execute(
        "INSERT INTO runs"
        " (run_id, at_ms, playbook, status, revision, request_id, alert_id, message, decided_offset)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET at_ms = min(at_ms, excluded.at_ms),"
        " status = CASE WHEN journaled = 0 AND decided_offset < excluded.decided_offset"
        " THEN excluded.status ELSE status END,"
        " message = CASE WHEN journaled = 0 AND decided_offset < excluded.decided_offset"
        " THEN excluded.message ELSE message END,"
        " decided_offset = max(decided_offset, excluded.decided_offset)",
        (
            decided.run_id,
            decided.at_ms,
            decided.playbook,
            status,
            decided.revision,
            decided.request_id,
            decided.alert_id,
            message,
            decided.offset,
        ),
    )
