"""`pulsebook playbook import`: to standard output, to a file, as JSON; and what it refuses."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Pulsebook

GOOD = """\
apiVersion: stackpulse.io/v1
kind: Playbook
metadata: {name: tell}
steps:
  - {id: say, name: us-docker.pkg.dev/stackpulse/public/utils/echo, env: {MESSAGE: "hello", COLOUR: red}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.yaml"
    path.write_text(GOOD)
    return path


def test_the_playbook_goes_to_standard_output_and_notes_to_standard_error(
    file: Path, pulsebook: Pulsebook
) -> None:
    done = pulsebook("playbook", "import", "stackpulse", str(file))
    assert done.exit_code == 0
    assert "playbook: tell\n" in done.stdout
    assert "  # note: the input `COLOUR` is left out\n  - id: say\n" in done.stdout
    assert f"{file}:5:101: note: the input `COLOUR` is left out" in done.stderr.splitlines()


def test_what_is_written_to_a_file_passes_lint(file: Path, pulsebook: Pulsebook) -> None:
    ours = file.with_name("ours.yaml")
    done = pulsebook("playbook", "import", "stackpulse", str(file), "-o", str(ours))
    assert (done.exit_code, done.stdout.startswith(f"{ours}: imported from {file}, 2 notes")) == (0, True)
    assert pulsebook("playbook", "lint", str(ours)).stdout == "1 playbook file, 0 errors, 0 warnings\n"


def test_as_json_it_is_one_document(file: Path, pulsebook: Pulsebook) -> None:
    done = pulsebook("playbook", "import", "stackpulse", str(file), "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    assert answer["playbook"].startswith("# Imported from StackPulse.")
    assert {"line": 5, "column": 101, "message": "the input `COLOUR` is left out"} in answer["notes"]
    assert answer["lint"] == []


def test_what_is_no_playbook_ends_with_1_and_says_where(file: Path, pulsebook: Pulsebook) -> None:
    file.write_text(GOOD.replace("kind: Playbook", "kind: Index"))
    done = pulsebook("playbook", "import", "stackpulse", str(file))
    assert (done.exit_code, done.stdout) == (1, "")
    message = "error: only `kind: Playbook` can be imported, and this is Index"
    assert done.stderr == f"{file}:2:7: {message}\n"
    (answer,) = pulsebook("playbook", "import", "stackpulse", str(file), "--json").stdout.splitlines()
    assert (json.loads(answer)["line"], json.loads(answer)["column"]) == (2, 7)


def test_a_huge_file_is_not_read_whole(file: Path, pulsebook: Pulsebook) -> None:
    with file.open("wb") as opened:
        opened.truncate(20_000_000_000)  # a hole: it takes no room
    done = pulsebook("playbook", "import", "stackpulse", str(file))
    assert done.exit_code == 1
    assert done.stderr == f"{file}:1:1: error: the file has more than 262144 bytes (make two of it)\n"


def test_a_file_that_cannot_be_read_or_written_is_wrong_use(
    file: Path, tmp_path: Path, pulsebook: Pulsebook
) -> None:
    for path, says in (
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        done = pulsebook("playbook", "import", "stackpulse", str(path))
        assert (done.exit_code, says in done.stderr) == (2, True)
    same = pulsebook("playbook", "import", "stackpulse", str(file), "-o", str(file))
    assert (same.exit_code, "is the file that is imported" in same.stderr) == (2, True)
    assert file.read_text() == GOOD
    nowhere = pulsebook("playbook", "import", "stackpulse", str(file), "-o", str(tmp_path / "no" / "a.yaml"))
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (2, True)


def test_bytes_that_are_no_text_are_said_so(file: Path, pulsebook: Pulsebook) -> None:
    file.write_bytes(b"apiVersion: \xff\xfe")
    done = pulsebook("playbook", "import", "stackpulse", str(file))
    assert (done.exit_code, "is no UTF-8 text (byte 13)" in done.stderr) == (1, True)
