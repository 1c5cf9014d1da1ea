"""Queries about what came of an alert that says that another is over."""

import sqlite3
from typing import Any

from console.decoding import decoded
from schemas.decisions import AdmissionDecided

DROPPED_WITHIN_MS = 3_600_000
"""A recovery drops what waits when it is read; one that was read later than this is not looked for."""


def heard_by(connection: sqlite3.Connection, run_id: str) -> list[dict[str, Any]]:
    """The recoveries that a run heard of."""
    rows = connection.execute("SELECT * FROM recoveries WHERE run_id = ? ORDER BY at_ms", (run_id,))
    return [dict(row) for row in rows]


def heard_of(connection: sqlite3.Connection, alert_id: str) -> list[dict[str, Any]]:
    """The runs that heard of this recovery."""
    rows = connection.execute("SELECT * FROM recoveries WHERE alert_id = ? ORDER BY at_ms", (alert_id,))
    return [dict(row) for row in rows]


def dropped_by(connection: sqlite3.Connection, alert_id: str, at_ms: int) -> list[bytes]:
    """Encoded decisions by which something left the queue because this recovery came then. They name it in
    their reason.
    """
    rows = connection.execute(
        "SELECT record FROM decided WHERE at_ms BETWEEN ? AND ? AND decision = 'dropped'"
        " AND instr(record, ?) ORDER BY at_ms",
        (at_ms, at_ms + DROPPED_WITHIN_MS, alert_id.encode()),
    )
    return [row["record"] for row in rows if _is_by(decoded(row["record"], AdmissionDecided), alert_id)]


def _is_by(decided: AdmissionDecided, alert_id: str) -> bool:
    return decided.rule == "on_recovered" and alert_id in decided.reason
