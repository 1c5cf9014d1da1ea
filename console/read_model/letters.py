"""Queries about what was published and what could not be handled."""

import sqlite3
from collections.abc import Collection

import msgspec

from console.decoding import decoded
from console.paging import Mark
from console.read_model.listing import listed
from schemas.dead_letters import DeadLetterHandled

STATES = ("open", "redriven", "dropped")
ORDER = ("at_ms", "partition", '"offset"')


def list_publications(connection: sqlite3.Connection, mark: Mark | None, limit: int) -> list[sqlite3.Row]:
    """Rows of `publications`, the latest first; one more than `limit` where there are more."""
    return listed(connection, "SELECT * FROM publications", (), ORDER, mark, limit)


def list_dead_letters(
    connection: sqlite3.Connection,
    mark: Mark | None,
    limit: int,
    *,
    state: str | None = None,
    topic: str | None = None,
    stage: str | None = None,
    reason: str | None = None,
) -> list[sqlite3.Row]:
    """Rows of `dead_letters`, the latest first; one more than `limit` where there are more.

    `reason`: text that the reason holds, whatever the case of its letters.
    """
    filters = (
        ("state = ?", state),
        ("topic = ?", topic),
        ("stage = ?", stage),
        ("instr(lower(reason), lower(?))", reason),
    )
    return listed(connection, "SELECT * FROM dead_letters", filters, ORDER, mark, limit)


def letter_row(connection: sqlite3.Connection, partition: int, offset: int) -> sqlite3.Row | None:
    """The row of a letter."""
    row: sqlite3.Row | None = connection.execute(
        'SELECT * FROM dead_letters WHERE partition = ? AND "offset" = ?', (partition, offset)
    ).fetchone()
    return row


def handlings(connection: sqlite3.Connection, partition: int, offset: int) -> list[DeadLetterHandled]:
    """What was done about a letter, in order."""
    rows = connection.execute(
        'SELECT record FROM letters_handled WHERE partition = ? AND "offset" = ? ORDER BY handled_offset',
        (partition, offset),
    )
    return [decoded(row["record"], DeadLetterHandled) for row in rows]


def letters_by_state(connection: sqlite3.Connection) -> dict[str, int]:
    """How many letters are open, redriven, dropped."""
    found = dict.fromkeys(STATES, 0)
    found.update(connection.execute("SELECT state, count(*) FROM dead_letters GROUP BY state").fetchall())
    return found


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
    """How many alerts, publications and dead letters (all, and open ones) are known."""
    return {
        name: connection.execute(statement).fetchone()[0]
        for name, statement in (
            ("alerts", "SELECT count(*) FROM alerts"),
            ("publications", "SELECT count(*) FROM publications"),
            ("dead_letters", "SELECT count(*) FROM dead_letters"),
            ("dead_letters_open", "SELECT count(*) FROM dead_letters WHERE state = 'open'"),
        )
    }


def letters_about(connection: sqlite3.Connection, ids: Collection[str], limit: int) -> list[sqlite3.Row]:
    """The first dead letters whose message names one of these runs or alerts."""
    return connection.execute(
        "SELECT * FROM dead_letters WHERE about IN (SELECT value FROM json_each(?))"
        ' ORDER BY at_ms, partition, "offset" LIMIT ?',
        (msgspec.json.encode(list(ids)).decode(), limit),
    ).fetchall()


def put_back_as(
    connection: sqlite3.Connection, topic: str, partition: int, offset: int
) -> DeadLetterHandled | None:
    """The redrive that put a message at this place; None where none did."""
    row = connection.execute(
        "SELECT record FROM letters_handled WHERE topic = ? AND to_partition = ? AND to_offset = ?",
        (topic, partition, offset),
    ).fetchone()
    return decoded(row["record"], DeadLetterHandled) if row else None
