"""Where a question lays down what it read, so that no period is too long for the memory: a SQLite file that
is gone when the question is answered.

    alerts     those that any playbook looked at may take note of, in the order of the broker's time
    wanted     the runs that they may start: whose answers are worth keeping
    began      those of them that are on record
    answers    what the attempts of these runs came to
    words      what people said
    examples   the latest good answer of each step of a playbook, whatever the run
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, NamedTuple, Self

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32768;
CREATE TABLE alerts (at_ms INTEGER, part INTEGER, offset INTEGER, alert TEXT UNIQUE, value BLOB);
CREATE TABLE wanted (run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE began (run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE answers (
    run TEXT, step TEXT, attempt INTEGER, asked TEXT, status TEXT, kind TEXT, message TEXT, output BLOB,
    after_ms INTEGER, took_ms INTEGER, timeout_ms INTEGER, PRIMARY KEY (run, step, attempt)
) WITHOUT ROWID;
CREATE TABLE words (
    run TEXT, step TEXT, attempt INTEGER, choice TEXT, actor TEXT, after_ms INTEGER,
    PRIMARY KEY (run, step, attempt)
) WITHOUT ROWID;
CREATE TABLE examples (
    playbook TEXT, step TEXT, does TEXT, at_ms INTEGER, run TEXT, output BLOB, after_ms INTEGER,
    took_ms INTEGER, PRIMARY KEY (playbook, step, does)
) WITHOUT ROWID;
"""
_SIZES = ("page_count", "page_size")
_ANSWER = "status, kind, message, output, after_ms, took_ms, timeout_ms"


class Kept(NamedTuple):
    """What an attempt came to. `output`: JSON bytes."""

    status: str
    kind: str
    message: str
    output: bytes
    after_ms: int
    """From the moment when it was asked for, as the run saw it."""
    took_ms: int
    """Of that, the action itself."""
    timeout_ms: int
    """The bound that it had."""


class Spool:
    """One question's memory. To be closed, or used as a context manager."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="pulsebook-whatif-")
        self._file = Path(self._folder.name) / "spool.sqlite"
        self._db = sqlite3.connect(self._file, isolation_level=None)
        self._db.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop it all."""
        self._db.close()
        self._folder.cleanup()

    @property
    def size_bytes(self) -> int:
        """How much was laid down."""
        pages, page_bytes = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in _SIZES)
        return int(pages * page_bytes)

    def keep_alert(self, at_ms: int, partition: int, offset: int, alert_id: str, value: bytes) -> bool:
        """False for an alert that is there already: a repeat never starts a second run."""
        row = (at_ms, partition, offset, alert_id, value)
        return self._db.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?)", row).rowcount > 0

    def alerts(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Broker's time, partition, offset and record of each, in the order of time."""
        found = self._db.execute("SELECT at_ms, part, offset, value FROM alerts ORDER BY at_ms, part, offset")
        with closing(found):
            yield from found

    def want(self, runs: Iterable[str]) -> None:
        """These runs' answers are to be kept."""
        self._db.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((run,) for run in runs))

    def is_wanted(self, run: str) -> bool:
        """Whether they are."""
        return self._db.execute("SELECT 1 FROM wanted WHERE run = ?", (run,)).fetchone() is not None

    def begin(self, run: str) -> None:
        """The run is on record."""
        self._db.execute("INSERT OR IGNORE INTO began VALUES (?)", (run,))

    def began(self, run: str) -> bool:
        """Whether it is."""
        return self._db.execute("SELECT 1 FROM began WHERE run = ?", (run,)).fetchone() is not None

    def keep_answer(self, run: str, step: str, attempt: int, asked: str, kept: Kept) -> None:
        """The first of an attempt counts."""
        row = (run, step, attempt, asked, *kept)
        self._db.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def answers(self, run: str, asked: str, attempt: int) -> list[tuple[str, Kept]]:
        """What attempts of that number that asked for the very same came to in this run: step and answer."""
        query = (
            f"SELECT step, {_ANSWER} FROM answers WHERE run = ? AND asked = ? AND attempt = ? ORDER BY step"  # noqa: S608  # names of ours
        )
        return [(step, Kept(*rest)) for step, *rest in self._db.execute(query, (run, asked, attempt))]

    def last_good(self, run: str, step: str) -> Kept | None:
        """The step's good answer in this run, whatever it was asked."""
        query = f"SELECT {_ANSWER} FROM answers WHERE run = ? AND step = ? AND status = 'succeeded'"  # noqa: S608  # names of ours
        found: Any = self._db.execute(query, (run, step)).fetchone()
        return None if found is None else Kept(*found)

    def keep_word(self, run: str, step: str, attempt: int, choice: str, actor: str, after_ms: int) -> None:
        """What somebody said; no choice: nobody did."""
        row = (run, step, attempt, choice, actor, after_ms)
        self._db.execute("INSERT OR IGNORE INTO words VALUES (?, ?, ?, ?, ?, ?)", row)

    def word(self, run: str, step: str, attempt: int) -> tuple[str, str, int] | None:
        """Choice, actor, and how long it took."""
        query = "SELECT choice, actor, after_ms FROM words WHERE run = ? AND step = ? AND attempt = ?"
        found: Any = self._db.execute(query, (run, step, attempt)).fetchone()
        return None if found is None else (found[0], found[1], found[2])

    def keep_example(self, playbook: str, step: str, does: str, at_ms: int, run: str, kept: Kept) -> None:
        """The latest counts; of two at one time, that of the greater run id."""
        row = (playbook, step, does, at_ms, run, kept.output, kept.after_ms, kept.took_ms)
        self._db.execute(
            "INSERT INTO examples VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " at_ms = excluded.at_ms, run = excluded.run, output = excluded.output,"
            " after_ms = excluded.after_ms, took_ms = excluded.took_ms"
            " WHERE (excluded.at_ms, excluded.run) > (examples.at_ms, examples.run)",
            row,
        )

    def example(self, playbook: str, step: str, does: str) -> Kept | None:
        """A good answer of that step in some run."""
        query = "SELECT output, after_ms, took_ms FROM examples WHERE playbook = ? AND step = ? AND does = ?"
        found: Any = self._db.execute(query, (playbook, step, does)).fetchone()
        return None if found is None else Kept("succeeded", "", "", found[0], found[1], found[2], 0)
