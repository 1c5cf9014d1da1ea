"""The dead letters in an alert's trace: what of it nobody could handle, and what was done about that."""

import sqlite3
from collections.abc import Collection

import msgspec

from console.letter_view import HandledView, handled_view
from console.read_model.letters import handlings, letter_from, letters_about
from schemas.topics import ALERTS

LETTERS_MAX = 50


class TracedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter of the alert or of a run of it. `topic`, `partition`, `offset`: where it came from."""

    id: str
    at_ms: int
    stage: str
    topic: str
    partition: int
    offset: int
    reason: str
    state: str
    handled: list[HandledView]


def traced_letters(
    connection: sqlite3.Connection, partition: int, offset: int, ids: Collection[str]
) -> list[TracedLetter]:
    """Of the alert that stands at this place of `alerts`, and of these runs and alerts; the first first."""
    itself = letter_from(connection, ALERTS.name, partition, offset)
    rows = [itself] if itself else []
    rows += letters_about(connection, ids, LETTERS_MAX)
    found = {(row["partition"], row["offset"]): row for row in rows}
    return [_traced(connection, row) for row in sorted(found.values(), key=lambda row: int(row["at_ms"]))]


def _traced(connection: sqlite3.Connection, row: sqlite3.Row) -> TracedLetter:
    done = handlings(connection, row["partition"], row["offset"])
    return TracedLetter(
        id=f"{row['partition']}-{row['offset']}",
        at_ms=row["at_ms"],
        stage=row["stage"],
        topic=row["topic"],
        partition=row["origin_partition"],
        offset=row["origin_offset"],
        reason=row["reason"],
        state=row["state"],
        handled=[handled_view(one) for one in done],
    )
