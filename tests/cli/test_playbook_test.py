"""`pulsebook playbook test`: a line for each test, the difference where one fails, and the exit code."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Pulsebook

PLAYBOOK = """\
playbook: one
on: {call: {}}
steps:
  - id: note
    action: log
    with: {message: a}
  - publish: {title: "said ${{ steps.note.output.message }}"}
"""
TEST = """\
playbook: one
tests:
  - name: says it
    answers: {note: {output: {message: a}}}
    expect: {status: succeeded, published: [{title: said a}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "playbooks"
    folder.mkdir()
    (folder / "one.yaml").write_text(PLAYBOOK)
    (folder / "one.test.yaml").write_text(TEST)
    return folder


def test_what_passes_is_a_line_and_what_was_assumed_is_named(folder: Path, pulsebook: Pulsebook) -> None:
    done = pulsebook("playbook", "test", str(folder))
    assert (done.exit_code, done.stdout) == (0, "ok      one: says it\n1 test, 0 failed\n")
    (folder / "one.yaml").write_text(PLAYBOOK.replace("steps.note.output.message", "steps.note.status"))
    (folder / "one.test.yaml").write_text("playbook: one\ntests: [{name: a, expect: {status: succeeded}}]\n")
    done = pulsebook("playbook", "test", str(folder / "one.test.yaml"))
    assert done.stdout.splitlines()[0] == "ok      one: a  [assumed: note (output null)]"


def test_a_wrong_expectation_is_shown_with_its_line_and_ends_with_1(
    folder: Path, pulsebook: Pulsebook
) -> None:
    file = folder / "one.test.yaml"
    file.write_text(TEST.replace("title: said a", "title: said b"))
    done = pulsebook("playbook", "test", str(folder))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "FAILED  one: says it",
        f"        {file}:5:53: published[0].title",
        '          expected: "said b"',
        '          got:      "said a"',
        "1 test, 1 failed",
    ]
    (told,) = map(json.loads, pulsebook("playbook", "test", "--json", str(folder)).stdout.splitlines())
    assert (told["passed"], told["playbook"], told["name"], told["line"]) == (False, "one", "says it", 3)
    assert told["differences"] == [
        {
            "line": 5,
            "column": 53,
            "what": "published[0].title",
            "expected": '"said b"',
            "got": '"said a"',
        }
    ]


def test_a_slip_in_a_test_file_is_an_error_and_the_other_files_are_run(
    folder: Path, pulsebook: Pulsebook
) -> None:
    (folder / "two.test.yaml").write_text(TEST.replace("expect:", "expects:"))
    done = pulsebook("playbook", "test", str(folder))
    assert done.exit_code == 1
    assert f"{folder / 'two.test.yaml'}:5:5: error: a test has no key `expects`" in done.stdout
    assert "ok      one: says it" in done.stdout
    assert "1 test, 0 failed, 1 test file with errors" in done.stdout


def test_errors_of_the_playbook_are_shown_where_it_is_missing(folder: Path, pulsebook: Pulsebook) -> None:
    (folder / "one.yaml").write_text(PLAYBOOK.replace("action: log", "action: lug"))
    done = pulsebook("playbook", "test", str(folder))
    assert done.exit_code == 1
    assert "there is no playbook `one` in this folder" in done.stdout
    assert f"{folder / 'one.yaml'}:5:" in done.stdout


def test_a_path_without_tests_is_wrong_use(folder: Path, pulsebook: Pulsebook, tmp_path: Path) -> None:
    absent = pulsebook("playbook", "test", "nowhere")
    assert (absent.exit_code, absent.stderr) == (2, "nowhere: no such file or folder\n")
    other = pulsebook("playbook", "test", str(folder / "one.yaml"))
    assert (other.exit_code, "is no test file" in other.stderr) == (2, True)
    (tmp_path / "empty").mkdir()
    empty = pulsebook("playbook", "test", "empty")
    assert (empty.exit_code, empty.stderr) == (2, "no test files (*.test.yaml) there\n")


def test_the_first_test_of_init_passes(pulsebook: Pulsebook) -> None:
    assert pulsebook("init", "mine").exit_code == 0
    done = pulsebook("playbook", "test", "mine")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "2 tests, 0 failed"), done.stdout
