"""Queries about alerts and what was decided about them."""

import sqlite3
from dataclasses import dataclass

from console.paging import Mark
from console.read_model.listing import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which alerts a list is about; None asks nothing. `since_ms` is in it, `until_ms` is not."""

    endpoint: str | None = None
    playbook: str | None = None
    text: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def list_alerts(
    connection: sqlite3.Connection, asked: Asked, mark: Mark | None, limit: int
) -> list[sqlite3.Row]:
    """Rows of `alerts`, the latest first; one more than `limit` where there are more."""
    filters = [
        ("endpoint = ?", asked.endpoint),
        ("at_ms >= ?", asked.since_ms),
        ("at_ms < ?", asked.until_ms),
        ("instr(matched, ?)", f'"{asked.playbook}"' if asked.playbook else None),
        ("instr(lower(title || char(10) || scope || char(10) || monitor_id), lower(?))", asked.text),
    ]
    return listed(connection, "SELECT * FROM alerts", filters, ("at_ms", "alert_id"), mark, limit)


def alert_row(connection: sqlite3.Connection, alert_id: str) -> sqlite3.Row | None:
    """The row of an alert."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM alerts WHERE alert_id = ?", (alert_id,)
    ).fetchone()
    return row


def alert_at(connection: sqlite3.Connection, partition: int, offset: int) -> str | None:
    """The id of the alert that stands at this place of `alerts`."""
    row = connection.execute(
        'SELECT alert_id FROM alerts WHERE partition = ? AND "offset" = ?', (partition, offset)
    ).fetchone()
    return row[0] if row else None


def alert_decisions(connection: sqlite3.Connection, alert_id: str) -> list[bytes]:
    """Encoded admission decisions about an alert's candidates, in their order."""
    rows = connection.execute(
        "SELECT record FROM decided WHERE request_id = ? OR alert_id = ?"
        ' ORDER BY playbook, partition, "offset"',
        (alert_id, alert_id),
    )
    return [row[0] for row in rows]
