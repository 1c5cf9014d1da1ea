"""Rows that are made again lie in a database of their own: bounded in memory, gone afterwards."""

from pathlib import Path

import pytest

from streams.rebuild.fresh import DIRTY_BYTES_MAX, FreshRows
from streams.rows import packed


@pytest.fixture
def fresh(tmp_path: Path) -> FreshRows[str]:
    return FreshRows(tmp_path / "rebuild" / "runs-0", str.encode, bytes.decode)


def test_a_row_is_found_whether_it_was_flushed_or_not(fresh: FreshRows[str]) -> None:
    fresh.put("a", "1", 4)
    assert (fresh.get("a"), fresh.kept(b"a")) == ("1", packed(4, b"1"))
    fresh.flush()
    fresh.put("b", "2", 5)
    fresh.put("a", None, 6)
    assert (fresh.get("a"), fresh.get("b"), fresh.get("c")) == (None, "2", None)
    fresh.flush()
    assert fresh.after(None, 9) == [(b"b", packed(5, b"2"))]


def test_rows_come_in_the_order_of_their_keys_a_page_at_a_time(fresh: FreshRows[str]) -> None:
    for key in ("c", "a", "b"):
        fresh.put(key, key, 1)
    fresh.flush()
    assert [key for key, _ in fresh.after(None, 2)] == [b"a", b"b"]
    assert [key for key, _ in fresh.after(b"b", 2)] == [b"c"]


def test_what_waits_to_be_written_is_bounded(fresh: FreshRows[str]) -> None:
    for number in range(100):
        fresh.put(f"r-{number}", "x" * (DIRTY_BYTES_MAX // 10), number)
        assert fresh._dirty_bytes < DIRTY_BYTES_MAX
    assert all(fresh.get(f"r-{number}") for number in range(100))


def test_what_an_earlier_try_left_is_gone_and_so_is_ours_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "rebuild" / "runs-0"
    first: FreshRows[str] = FreshRows(folder, str.encode, bytes.decode)
    first.put("a", "1", 1)
    first.flush()
    first._database.close()
    second: FreshRows[str] = FreshRows(folder, str.encode, bytes.decode)
    assert second.get("a") is None
    second.close()
    assert not folder.exists()
