"""Where the sandbox keeps its events: one SQLite file, each event there once its post was answered.

Write-ahead log: what was answered survives the end of the process, whatever way it ends.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import msgspec

from connectors.datadog_sandbox_rules import SandboxEvent

FIRST_ID = 7_412_000_000_000_000_000
"""As large as Datadog's: a reader that keeps ids as floating-point numbers shows itself."""
_FIELDS = tuple(field.name for field in fields(SandboxEvent) if field.name != "id")
_COLUMNS = ", ".join(_FIELDS)
_TABLE = f"CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, {_COLUMNS})"
# The names in these statements are ours, never a caller's.
_ADD = f"INSERT INTO events ({_COLUMNS}) VALUES ({', '.join('?' for _ in _FIELDS)})"  # noqa: S608 # ours
_FIND = f"SELECT id, {_COLUMNS} FROM events WHERE "  # noqa: S608 # ours
_COUNT = "SELECT count(*) FROM events WHERE "
_NEWEST = " ORDER BY date_happened DESC, id DESC LIMIT ? OFFSET ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events; what is empty asks nothing. Tags and sources are compared without case."""

    start_s: int | None = None
    end_s: int | None = None
    tags: Sequence[str] = ()
    """All of them."""
    sources: Sequence[str] = ()
    """Any of them."""
    priority: str = ""
    words: str = ""
    """Text in title or text."""


class SandboxStore:
    """The events of one file. Not for several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_TABLE)
        if self._database.execute("SELECT 1 FROM sqlite_sequence").fetchone() is None:
            self._database.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (FIRST_ID,))

    def close(self) -> None:
        self._database.close()

    def add(self, event: SandboxEvent) -> int:
        """Keep an event; its id."""
        row = asdict(event) | {"tags": msgspec.json.encode(event.tags).decode()}
        return int(self._database.execute(_ADD, [row[name] for name in _FIELDS]).lastrowid or 0)

    def get(self, event_id: int) -> SandboxEvent | None:
        """One event."""
        row = self._database.execute(f"{_FIND} id = ?", (event_id,)).fetchone()
        return None if row is None else _event(row)

    def find(self, wanted: Filter, limit: int, page: int = 0) -> list[SandboxEvent]:
        """Events, newest first: a page (from 0) of at most `limit`."""
        where, values = _conditions(wanted)
        return [
            _event(row)
            for row in self._database.execute(_FIND + where + _NEWEST, (*values, limit, page * limit))
        ]

    def count(self, wanted: Filter) -> int:
        """How many events there are."""
        where, values = _conditions(wanted)
        [[number]] = self._database.execute(_COUNT + where, values)
        return int(number)


def _conditions(wanted: Filter) -> tuple[str, list[Any]]:
    parts, values = ["1"], list[Any]()
    if wanted.start_s is not None:
        parts.append("date_happened >= ?")
        values.append(wanted.start_s)
    if wanted.end_s is not None:
        parts.append("date_happened <= ?")
        values.append(wanted.end_s)
    if wanted.priority:
        parts.append("priority = ?")
        values.append(wanted.priority)
    for tag in wanted.tags:
        parts.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE lower(value) = lower(?))")
        values.append(tag)
    if wanted.sources:
        parts.append(f"lower(source_type_name) IN ({', '.join('lower(?)' for _ in wanted.sources)})")
        values += wanted.sources
    if wanted.words:
        parts.append("(instr(lower(title), lower(?)) OR instr(lower(text), lower(?)))")
        values += [wanted.words, wanted.words]
    return " AND ".join(parts), values


def _event(row: tuple[Any, ...]) -> SandboxEvent:
    named = dict(zip(("id", *_FIELDS), row, strict=True))
    return SandboxEvent(**named | {"tags": tuple(msgspec.json.decode(named["tags"]))})
