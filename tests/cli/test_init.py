"""`pulsebook init`: a folder that works as it is."""

from pathlib import Path

from tests.cli.conftest import Pulsebook, Served


def test_the_first_playbook_is_accepted_as_it_is(web: Served, pulsebook: Pulsebook) -> None:
    made = pulsebook("init", "mine")
    assert made.exit_code == 0
    assert pulsebook("playbook", "lint", "mine").stdout == "1 playbook file, 0 errors, 0 warnings\n"
    assert "hello: applied" in pulsebook("playbook", "apply", "mine").stdout


def test_nothing_is_written_over(pulsebook: Pulsebook, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("my own")
    done = pulsebook("init", "mine")
    assert done.exit_code == 2
    assert "README.md is there already" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["README.md"]


def test_a_folder_that_cannot_be_made_is_named(pulsebook: Pulsebook, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = pulsebook("init", "file/mine")
    assert done.exit_code == 2
    assert "cannot write to file/mine" in done.stderr
