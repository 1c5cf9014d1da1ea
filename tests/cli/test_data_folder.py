"""The data folder of `up`: one owner, private files, and a memory of owners that were killed."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cli.data_folder import DataFolder, DataFolderError, keep, kept

TAKES_AND_DIES = """\
import os, sys
from pathlib import Path
from cli.data_folder import DataFolder
DataFolder(Path(sys.argv[1])).take()
os._exit(9)
"""


def test_a_folder_is_made_and_taken_once(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "a" / "data"), DataFolder(tmp_path / "a" / "data")
    first.take()
    with pytest.raises(DataFolderError, match="another `pulsebook up` is running"):
        second.take()
    first.release()
    second.take()
    assert not second.left_in_disorder
    second.release()


def test_an_owner_that_was_killed_leaves_the_folder_free_and_in_disorder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    died = subprocess.run(
        [sys.executable, "-c", TAKES_AND_DIES, str(tmp_path)], env=environment, timeout=30, check=False
    )
    assert died.returncode == 9
    next_one = DataFolder(tmp_path)
    next_one.take()
    assert next_one.left_in_disorder
    next_one.release()


def test_a_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataFolderError, match=r"cannot use the data folder .*--data"):
        DataFolder(tmp_path / "file" / "data").take()


def test_what_is_kept_is_for_its_owner_alone_even_if_it_was_not(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert kept(file) == ""
    file.write_text("a much longer text that was there before")
    file.chmod(0o644)
    keep(file, "secret")
    assert kept(file) == "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
