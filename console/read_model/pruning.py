"""Rows go when their topic has let go of the records: the read model knows no more than the log keeps."""

import sqlite3
from collections.abc import Mapping

from console.read_model.database import transaction

ROWS_MAX = 1_000
"""Rows of a table deleted in one go, so that no pass holds the writer for long."""

_DELETIONS = {
    "decisions": (
        "DELETE FROM alerts WHERE alert_id IN"
        " (SELECT alert_id FROM alerts WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
        'DELETE FROM decided WHERE (request_id, playbook, partition, "offset", decision) IN (SELECT'
        ' request_id, playbook, partition, "offset", decision FROM decided'
        " WHERE at_ms < ? ORDER BY at_ms LIMIT ?)",
        "DELETE FROM runs WHERE run_id IN"
        " (SELECT run_id FROM runs WHERE at_ms < ? AND journaled = 0 ORDER BY at_ms LIMIT ?)",
    ),
    "run-journal": (
        "DELETE FROM recoveries WHERE run_id IN (SELECT run_id FROM runs"
        " WHERE at_ms < ? AND ended_at_ms IS NOT NULL ORDER BY at_ms LIMIT ?)",
        "DELETE FROM run_records WHERE run_id IN (SELECT run_id FROM runs"
        " WHERE at_ms < ? AND ended_at_ms IS NOT NULL ORDER BY at_ms LIMIT ?)",
        "DELETE FROM runs WHERE run_id IN (SELECT run_id FROM runs"
        " WHERE at_ms < ? AND ended_at_ms IS NOT NULL ORDER BY at_ms LIMIT ?)",
    ),
    "publications": (
        'DELETE FROM publications WHERE (partition, "offset") IN'
        ' (SELECT partition, "offset" FROM publications WHERE at_ms < ? ORDER BY at_ms LIMIT ?)',
    ),
    "dead-letters": (
        'DELETE FROM letters_handled WHERE (partition, "offset") IN'
        ' (SELECT partition, "offset" FROM dead_letters WHERE at_ms < ? ORDER BY at_ms LIMIT ?)',
        'DELETE FROM dead_letters WHERE (partition, "offset") IN'
        ' (SELECT partition, "offset" FROM dead_letters WHERE at_ms < ? ORDER BY at_ms LIMIT ?)',
    ),
}


def prune(connection: sqlite3.Connection, kept_ms: Mapping[str, int | None], now_ms: int) -> int:
    """Delete what is older than its topic keeps (None: for ever); how many rows. Call again while there are
    any.
    """
    gone = 0
    for topic, statements in _DELETIONS.items():
        kept = kept_ms.get(topic)
        if kept is None:
            continue
        with transaction(connection):
            for statement in statements:
                gone += connection.execute(statement, (now_ms - kept, ROWS_MAX)).rowcount
    return gone
