"""Row by row: what is equal, what differs, what stays; all of it is written, and timers hear of changes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from streams.entries import Kept
from streams.rebuild.fresh import FreshRows
from streams.rebuild.replacing import Counts, Replacing
from streams.rows import applied_of, packed, payload_of
from streams.table import MadeAgain
from tests.streams.bench import Bench


class Rows:
    """A table with rows, fresh ones beside it, and what is written."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.store = bench.table().store
        self.fresh: FreshRows[str] = FreshRows(folder / "fresh", str.encode, bytes.decode)
        self.written: list[MadeAgain] = []
        self.changed: list[Kept[str]] = []
        self.kept: set[str] = set()
        self.longest = 0

    def there(self, **rows: str) -> None:
        for key, text in rows.items():
            self.store.write(0, {key.encode(): packed(7, text.encode())}, None)

    def made(self, **rows: str) -> None:
        self.made_at(7, rows)

    def made_at(self, applied: int, rows: Mapping[str, str]) -> None:
        for key, text in rows.items():
            self.fresh.put(key, text, applied)

    async def replace(self) -> Counts:
        async def write(made: Sequence[MadeAgain]) -> None:
            self.longest = max(self.longest, len(made))
            self.written += made
            self.store.write(0, {one.key: one.row for one in made}, None)

        def keeps(key: str, row: bytes | None, made: bytes | None) -> bool:
            return key in self.kept

        replacing = Replacing(self.store, 0, self.fresh, bytes.decode, keeps, write, self.changed.append)
        return await replacing.run()

    def table(self) -> dict[str, str]:
        rows = self.store.rows_after(0, None, 9_999)
        return {key.decode(): payload_of(row).decode() for key, row in rows}


@pytest.fixture
async def rows(bench: Bench, tmp_path: Path) -> Rows:
    await bench.ledger("rows", str.encode, bytes.decode)
    return Rows(bench, tmp_path)


async def test_equal_rows_are_written_too_for_the_changelog_may_have_lost_them(rows: Rows) -> None:
    rows.there(a="1", b="2")
    rows.made(a="1", b="2")

    counts = await rows.replace()

    assert (counts.rows, counts.equal, counts.differing, counts.kept) == (2, 2, 0, 0)
    assert [one.key for one in rows.written] == [b"a", b"b"]
    assert rows.changed == []


async def test_wrong_missing_and_needless_rows_are_put_right_and_told_of(rows: Rows) -> None:
    rows.there(a="1", b="wrong", z="needless")
    rows.made(a="1", b="2", c="3")

    counts = await rows.replace()

    assert rows.table() == {"a": "1", "b": "2", "c": "3"}
    assert (counts.rows, counts.equal, counts.differing) == (3, 1, 3)
    assert counts.examples == ["b", "c", "z"]
    assert rows.changed == [
        Kept(0, "b", "2", "wrong"),
        Kept(0, "c", "3", None),
        Kept(0, "z", None, "needless"),
    ]


async def test_the_greatest_applied_is_written_or_a_replay_brings_back_what_was_wrong(
    rows: Rows,
) -> None:
    rows.there(a="wrong", z="needless")
    rows.made_at(3, {"a": "1"})

    await rows.replace()

    (a, z) = rows.written
    assert (a.row is not None and applied_of(a.row), a.applied) == (7, 7)
    assert (z.row, z.applied) == (None, 7)


async def test_what_the_topics_no_longer_tell_stays_and_is_written(rows: Rows) -> None:
    rows.there(a="old", b="old", c="1")
    rows.made(a="new", c="1", d="not wanted")
    rows.kept = {"a", "b", "d"}

    counts = await rows.replace()

    assert rows.table() == {"a": "old", "b": "old", "c": "1"}
    assert (counts.rows, counts.equal, counts.differing, counts.kept) == (3, 1, 0, 2)
    assert [one.key for one in rows.written] == [b"a", b"b", b"c"]


async def test_a_row_that_cannot_be_read_is_replaced(rows: Rows) -> None:
    rows.store.write(0, {b"a": packed(1, b"\xff")}, None)
    rows.made(a="1")

    assert (await rows.replace()).differing == 1
    assert rows.changed == [Kept(0, "a", "1", None)]


async def test_many_rows_are_written_in_small_bites(rows: Rows) -> None:
    for number in range(1_050):
        rows.made(**{f"r-{number:05}": "x" * 9})
        if number % 2:
            rows.there(**{f"r-{number:05}": "x" * 9})

    counts = await rows.replace()

    assert (counts.rows, counts.equal, counts.differing) == (1_050, 525, 525)
    assert rows.longest == 100
    assert len(counts.examples) == 5
    assert len(rows.table()) == 1_050


async def test_large_rows_are_written_a_few_at_a_time(rows: Rows) -> None:
    rows.made(**{f"r-{number}": "x" * 300_000 for number in range(6)})

    await rows.replace()

    assert rows.longest == 2
