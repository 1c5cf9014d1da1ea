"""Rows do not depend on how topics interleave, on how records are cut into batches, or on repeats."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.read_model.database import make_again, open_for_writing, positions, transaction
from console.read_model.log import LogRecord
from console.read_model.projecting import project
from schemas import codec
from schemas.events import StepRetryScheduled
from schemas.fields import Record
from tests.console.memory_log import Stored
from tests.console.samples import (
    FINISHED,
    LETTER,
    LOOKED,
    PUBLISHED,
    REQUESTED,
    STARTED,
    decided,
    journal,
    matched,
)

RETRY = StepRetryScheduled(step="look", attempt=1, kind="timeout", message="slow", due_ms=9, reason="why")
TOPICS: dict[str, list[Record]] = {
    "decisions": [
        matched(),
        decided("queued", 5, rule="max_running", reason="20 are running"),
        decided("started", 9, at_ms=1_200),
        decided("queued", 5, rule="max_running", reason="20 are running"),
        decided("held_back", 11, run_id="r-held", request_id="a-2", rule="while_running"),
    ],
    "run-journal": [
        journal(1, STARTED, REQUESTED),
        journal(2, RETRY),
        journal(3, REQUESTED),
        journal(2, RETRY),
        journal(4, LOOKED, FINISHED),
        journal(1, STARTED, run_id="r-live"),
    ],
    "publications": [PUBLISHED],
    "dead-letters": [LETTER],
}


def stored(topic: str) -> list[LogRecord]:
    """The topic's one partition as messages."""
    return [
        Stored(topic, 0, offset, 1_000 + offset, b"k", codec.encode(record))
        for offset, record in enumerate(TOPICS[topic])
    ]


def rows(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but the row ids, which nobody sees."""
    tables = ("runs", "run_records", "alerts", "decided", "publications", "dead_letters", "positions")
    return {name: sorted(connection.execute("SELECT * FROM " + name).fetchall()) for name in tables}  # noqa: S608  # constants


def after(connection: sqlite3.Connection, batches: list[list[LogRecord]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that these batches leave in empty tables."""
    make_again(connection)
    for batch in batches:
        with transaction(connection):
            project(connection, batch)
    return rows(connection)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Any:
    connection = open_for_writing(tmp_path_factory.mktemp("model") / "model.sqlite3")
    yield connection
    connection.close()


@st.composite
def readings(draw: st.DrawFn) -> list[list[LogRecord]]:
    """Some way to read all topics: interleaved, in batches, now and then again from an earlier place."""
    left = {topic: stored(topic) for topic in TOPICS}
    seen: list[LogRecord] = []
    batches: list[list[LogRecord]] = []
    while any(left.values()):
        batch: list[LogRecord] = []
        for _ in range(draw(st.integers(1, 4))):
            if open_topics := sorted(topic for topic, held in left.items() if held):
                batch.append(left[draw(st.sampled_from(open_topics))].pop(0))
        seen += batch
        batches.append(batch)
        if draw(st.integers(0, 4)) == 0:
            batches.append(seen[draw(st.integers(0, len(seen) - 1)) :])
    return batches


@settings(max_examples=60, deadline=None)
@given(readings())
def test_rows_are_the_same_however_the_log_is_read(
    connection: sqlite3.Connection, batches: list[list[LogRecord]]
) -> None:
    straight = after(connection, [stored(topic) for topic in TOPICS])

    assert after(connection, batches) == straight
    assert {row[0]: row[3] for row in straight["runs"]} == {
        "r-aaaaaaaaaaaaaaaaaaaaaaaa": "succeeded",
        "r-held": "held_back",
        "r-live": "running",
    }


def test_a_batch_that_fails_leaves_neither_rows_nor_positions(tmp_path: Path) -> None:
    connection = open_for_writing(tmp_path / "model.sqlite3")
    with pytest.raises(RuntimeError), transaction(connection):
        project(connection, stored("run-journal"))
        raise RuntimeError("the disk is full")

    assert positions(connection) == {}
    assert rows(connection)["runs"] == []
    connection.close()
