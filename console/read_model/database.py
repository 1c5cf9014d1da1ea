"""The file of the read model: opened, checked, set aside when it is broken, made again when it is of another
form.

What is in it is not here: `tables` (form), `projecting` (rows).
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from console.read_model.log import Place
from console.read_model.tables import TABLES, VERSION

log = logging.getLogger("pulsebook.read_model")

BUSY_S = 5.0
JOURNAL_BYTES_MAX = 64 * 1024 * 1024


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The one connection that writes. Makes the file where there is none, or none that can be used.

    A file that fails SQLite's own check is kept beside as `NAME.broken`; one of another form is simply made
    again. Raises sqlite3.Error or OSError where the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        problem = _problem(path)
        if not problem:
            return _connect(path)
        log.warning("the read model %s is made again from the log: %s", path.name, problem)
        _set_aside(path)
    connection = _connect(path)
    make_again(connection)
    return connection


def make_again(connection: sqlite3.Connection) -> None:
    """Empty tables, whatever was there before."""
    with transaction(connection):
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            connection.execute(f'DROP TABLE "{name}"')
        for statement in TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that can only read. Raises sqlite3.OperationalError where there is no file."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def positions(connection: sqlite3.Connection) -> dict[Place, int]:
    """Next offset to read, by topic and partition."""
    rows = connection.execute("SELECT topic, partition, next FROM positions")
    return {(topic, partition): offset for topic, partition, offset in rows}


def topic_ids(connection: sqlite3.Connection) -> dict[str, str]:
    """The topic ids that the rows came from."""
    rows = connection.execute("SELECT name, value FROM meta WHERE name LIKE 'topic/%'")
    return {name.removeprefix("topic/"): value for name, value in rows}


def keep_topic_ids(connection: sqlite3.Connection, ids: Mapping[str, str]) -> None:
    """Note which topics the rows come from."""
    with transaction(connection):
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(f"topic/{name}", value) for name, value in ids.items()],
        )


def noted(connection: sqlite3.Connection, name: str) -> int:
    """A number that was noted with `note`; 0 where none was."""
    found = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0


def note(connection: sqlite3.Connection, **numbers: int) -> None:
    """Note numbers by name."""
    with transaction(connection):
        connection.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, str(n)) for name, n in numbers.items()]
        )


def _connect(path: Path) -> sqlite3.Connection:
    # synchronous=NORMAL: a power cut may cost the last commits, never consistency; they are read again.
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_BYTES_MAX}")
    connection.execute("PRAGMA cache_size = -16000")
    return connection


def _problem(path: Path) -> str:
    """Why the file cannot be used; empty when it can."""
    try:
        connection = sqlite3.connect(path, timeout=BUSY_S)
        try:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return f"it cannot be read ({error})"
    if found != "ok":
        return f"it is damaged ({found})"
    return "" if version == VERSION else f"its form is {version}, this version's is {VERSION}"


def _set_aside(path: Path) -> None:
    """Keep the last file that could not be used for whoever wants to look, and only that one."""
    path.replace(path.with_name(path.name + ".broken"))
    for companion in ("-wal", "-shm"):
        path.with_name(path.name + companion).unlink(missing_ok=True)
