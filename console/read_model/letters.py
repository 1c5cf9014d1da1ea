"""Queries about what was published and what could not be handled."""

import sqlite3

from console.paging import Mark
from console.read_model.listing import listed

ORDER = ("at_ms", "partition", '"offset"')


def list_publications(connection: sqlite3.Connection, mark: Mark | None, limit: int) -> list[sqlite3.Row]:
    """Rows of `publications`, the latest first; one more than `limit` where there are more."""
    return listed(connection, "SELECT * FROM publications", (), ORDER, mark, limit)


def list_dead_letters(connection: sqlite3.Connection, mark: Mark | None, limit: int) -> list[sqlite3.Row]:
    """Rows of `dead_letters`, the latest first; one more than `limit` where there are more."""
    return listed(connection, "SELECT * FROM dead_letters", (), ORDER, mark, limit)


def letter_from(
    connection: sqlite3.Connection, topic: str, partition: int, offset: int
) -> sqlite3.Row | None:
    """The dead letter of the message that stood at this place."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM dead_letters WHERE topic = ? AND origin_partition = ? AND origin_offset = ?",
        (topic, partition, offset),
    ).fetchone()
    return row


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many alerts, publications and dead letters are known."""
    return {
        name: connection.execute(statement).fetchone()[0]
        for name, statement in (
            ("alerts", "SELECT count(*) FROM alerts"),
            ("publications", "SELECT count(*) FROM publications"),
            ("dead_letters", "SELECT count(*) FROM dead_letters"),
        )
    }
