"""A database that is damaged is set aside and begun anew; one that is in use is not touched."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.rocks import open_database
from tests.chaos.damage import delete_logs, delete_manifests, delete_tables, truncate_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with rows, closed."""
    path = tmp_path / "runs-0.db"
    database = open_database(path)
    for number in range(1_000):
        database[b"%d" % number] = b"row" * 100
    database.flush()
    database.close()
    return path


@pytest.mark.parametrize("damage", [truncate_database, delete_manifests, delete_tables])
def test_a_damaged_database_is_set_aside_with_a_word_and_begun_anew(
    path: Path, damage: Callable[[Path], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    assert damage(path)
    database = open_database(path)
    assert list(database.keys()) == []
    database[b"new"] = b"row"
    database.close()
    assert (path.parent / "runs-0.db.damaged").is_dir()
    assert "runs-0.db is damaged, set aside as runs-0.db.damaged" in caplog.text
    again = open_database(path)
    assert again[b"new"] == b"row"
    again.close()


def test_a_database_without_its_latest_log_is_what_it_was_before(path: Path, tmp_path: Path) -> None:
    """The changelog offset goes back with the rows: what is lost is read again from there."""
    database, killed = open_database(path), tmp_path / "killed.db"
    database[b"latest"] = b"row"
    shutil.copytree(path, killed, ignore=shutil.ignore_patterns("LOCK"))
    database.close()
    assert delete_logs(killed)
    database = open_database(killed)
    rows = dict(database.items())
    database.close()
    assert b"latest" not in rows
    assert len(rows) == 1_000


def test_a_second_damage_replaces_what_was_set_aside(path: Path) -> None:
    for _ in range(2):
        delete_manifests(path)
        open_database(path).close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["runs-0.db", "runs-0.db.damaged"]


def test_a_database_that_another_one_uses_is_left_alone(path: Path) -> None:
    database = open_database(path)
    with pytest.raises(Exception, match="lock"):
        open_database(path)
    assert not (path.parent / "runs-0.db.damaged").exists()
    database.close()
