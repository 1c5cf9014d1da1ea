"""Queries about runs."""

import sqlite3

from console.decoding import decoded
from console.paging import Mark
from console.read_model.listing import listed
from schemas.alerts import Alert
from schemas.events import JournalRecord, RunStarted, StepAnswered

NEVER_RAN = "status NOT IN ('held_back', 'refused')"
"""What a list of runs leaves out unless that status is asked for: candidates that a rule turned away."""


def list_runs(
    connection: sqlite3.Connection,
    *,
    status: str | None,
    playbook: str | None,
    alert_id: str | None,
    since_ms: int | None,
    until_ms: int | None,
    mark: Mark | None,
    limit: int,
) -> list[sqlite3.Row]:
    """Rows of `runs`, the latest first; one more than `limit` where there are more."""
    filters = [
        ("status = ?", status),
        ("playbook = ?", playbook),
        ("alert_id = ?", alert_id),
        ("at_ms >= ?", since_ms),
        ("at_ms < ?", until_ms),
        (f"{NEVER_RAN} AND ?", None if status else 1),
    ]
    return listed(connection, "SELECT * FROM runs", filters, ("at_ms", "run_id"), mark, limit)


def run_row(connection: sqlite3.Connection, run_id: str) -> sqlite3.Row | None:
    """The row of a run."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM runs WHERE run_id = ?", (run_id,)).fetchone()
    return row


def run_records(connection: sqlite3.Connection, run_id: str, after_seq: int, limit: int) -> list[bytes]:
    """Encoded journal records of a run after a seq, in order."""
    rows = connection.execute(
        "SELECT record FROM run_records WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        (run_id, after_seq, limit),
    )
    return [row[0] for row in rows]


def run_decisions(connection: sqlite3.Connection, run_id: str) -> list[bytes]:
    """Encoded admission decisions about a run, in their order."""
    rows = connection.execute(
        'SELECT record FROM decided WHERE run_id = ? ORDER BY partition, "offset"', (run_id,)
    )
    return [row[0] for row in rows]


def run_publications(connection: sqlite3.Connection, run_id: str) -> list[bytes]:
    """Encoded publications of a run, in their order."""
    rows = connection.execute(
        'SELECT record FROM publications WHERE run_id = ? ORDER BY partition, "offset"', (run_id,)
    )
    return [row[0] for row in rows]


def runs_by_status(connection: sqlite3.Connection) -> dict[str, int]:
    """How many runs there are of each status."""
    return dict(tuple(row) for row in connection.execute("SELECT status, count(*) FROM runs GROUP BY status"))


def answers(
    connection: sqlite3.Connection, run_id: str, step: str, after_seq: int
) -> list[tuple[tuple[int, int], StepAnswered]]:
    """Answers to a step's question that was asked in record `after_seq`: the place of each in the inbox, and
    what it was.
    """
    rows = connection.execute(
        "SELECT record FROM run_records WHERE run_id = ? AND seq > ? ORDER BY seq", (run_id, after_seq)
    )
    records = (decoded(row["record"], JournalRecord) for row in rows)
    return [
        ((record.cause_partition, record.cause_offset), event)
        for record in records
        for event in record.events
        if isinstance(event, StepAnswered) and event.step == step
    ]


def started_with(connection: sqlite3.Connection, alert_id: str) -> Alert | None:
    """An alert as the journal of a run has it that was started with it; None where there is none."""
    rows = connection.execute(
        "SELECT record FROM run_records JOIN runs USING (run_id) WHERE alert_id = ? AND alert_id <> ''"
        " AND seq = 1 LIMIT 1",
        (alert_id,),
    )
    events = (event for row in rows for event in decoded(row["record"], JournalRecord).events)
    return next((event.alert for event in events if isinstance(event, RunStarted)), None)
