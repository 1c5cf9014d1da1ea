"""`pulsebook playbook`: checked, applied, compared, listed, shown, switched."""

import json
from pathlib import Path

import pytest

from schemas.topics import CATALOG
from tests.cli.conftest import Pulsebook, Served

GOOD = """\
playbook: {name}
description: Writes a line.
owner: me
on: {{call: {{}}}}
steps:
  - id: note
    action: log
    with: {{message: "{says}"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "playbooks"
    (folder / "deeper").mkdir(parents=True)
    (folder / "one.yaml").write_text(GOOD.format(name="one", says="first"))
    (folder / "deeper" / "two.yml").write_text(GOOD.format(name="two", says="second"))
    (folder / "one.test.yaml").write_text("not: a playbook")
    (folder / ".hidden.yaml").write_text("not: a playbook")
    (folder / "README.md").write_text("# not a playbook")
    return folder


def test_a_folder_is_checked_whole_and_tests_are_no_playbooks(folder: Path, pulsebook: Pulsebook) -> None:
    done = pulsebook("playbook", "lint", str(folder))
    assert (done.exit_code, done.stdout) == (0, "2 playbook files, 0 errors, 0 warnings\n")


def test_an_error_is_written_as_compilers_do_and_ends_with_1(folder: Path, pulsebook: Pulsebook) -> None:
    broken = folder / "one.yaml"
    broken.write_text(broken.read_text().replace("action: log", "action: lug"))
    done = pulsebook("playbook", "lint", str(folder))
    assert done.exit_code == 1
    line, summary = done.stdout.splitlines()
    assert line.startswith(f"{broken}:7:")
    assert ": error: " in line
    assert "log" in line.rpartition("(")[2]
    assert summary == "2 playbook files, 1 error, 0 warnings"


def test_two_files_of_one_playbook_are_an_error(folder: Path, pulsebook: Pulsebook) -> None:
    (folder / "other.yaml").write_text(GOOD.format(name="one", says="other"))
    done = pulsebook("playbook", "lint", str(folder))
    assert done.exit_code == 1
    assert f"other.yaml:1:11: error: `one` is the playbook of {folder / 'one.yaml'} too" in done.stdout


def test_playbooks_that_call_each_other_are_looked_at_together(folder: Path, pulsebook: Pulsebook) -> None:
    calls = "playbook: {}\non: {}\nsteps:\n  - {{id: a, run: {}}}\n"
    (folder / "one.yaml").write_text(calls.format("one", "{call: {}}", "two"))
    (folder / "deeper" / "two.yml").write_text(calls.format("two", "{call: {}}", "one"))
    (folder / "three.yaml").write_text(calls.format("three", "{alert: {kind: a}}", "tow"))
    (folder / "four.yaml").write_text(calls.format("four", "{call: {}}", "three"))
    done = pulsebook("playbook", "lint", str(folder))
    assert done.exit_code == 1
    said = [line.removeprefix(f"{folder}/") for line in done.stdout.splitlines()]
    circle, fix = "playbooks that call each other in a circle", "(leave out one of these calls)"
    assert said == [
        f"deeper/two.yml:4:18: error: {circle}: two → one → two {fix}",
        "four.yaml:4:18: error: the playbook `three` cannot be called: it has no `on.call` "
        f"(write `call: {{}}` below `on` in {folder}/three.yaml)",
        f"one.yaml:4:18: error: {circle}: one → two → one {fix}",
        "three.yaml:4:18: warning: the playbook `tow` is not among these files (did you mean `two`?)",
        "4 playbook files, 3 errors, 1 warning",
    ]


def test_problems_may_be_written_for_github_to_show_beside_the_lines(
    tmp_path: Path, pulsebook: Pulsebook
) -> None:
    (tmp_path / "a,b.yaml").write_text(GOOD.format(name="100%", says="x"))
    done = pulsebook("playbook", "lint", "--format", "github", "a,b.yaml")
    assert done.exit_code == 1
    line, summary = done.stdout.splitlines()
    assert line == (
        "::error file=a%2Cb.yaml,line=1,col=11::a playbook cannot be called '100%25' "
        "(a-z, 0-9 and `-`, at most 64 characters, such as `100`)"
    )
    assert summary == "1 playbook file, 1 error, 0 warnings"


def test_for_machines_each_problem_is_a_document(folder: Path, pulsebook: Pulsebook) -> None:
    (folder / "other.yaml").write_text(GOOD.format(name="one", says="other"))
    done = pulsebook("playbook", "lint", str(folder), "--json")
    assert done.exit_code == 1
    (problem,) = map(json.loads, done.stdout.splitlines())
    assert problem == {
        "file": str(folder / "other.yaml"),
        "line": 1,
        "column": 11,
        "message": f"`one` is the playbook of {folder / 'one.yaml'} too: only the one applied last would be "
        "active",
        "fix": "give one of them another name",
        "severity": "error",
    }


@pytest.mark.parametrize("command", ["lint", "apply", "diff"])
def test_a_path_that_is_none_or_empty_is_wrong_use(
    command: str, pulsebook: Pulsebook, tmp_path: Path
) -> None:
    absent = pulsebook("playbook", command, "nowhere")
    assert (absent.exit_code, absent.stderr) == (2, "nowhere: no such file or folder\n")
    (tmp_path / "empty").mkdir()
    empty = pulsebook("playbook", command, "empty")
    assert (empty.exit_code, empty.stderr) == (2, "no playbook files (*.yaml) there\n")


def test_what_is_applied_is_active_and_a_second_time_unchanged(
    web: Served, folder: Path, pulsebook: Pulsebook
) -> None:
    first = pulsebook("playbook", "apply", str(folder), "--reason", "a start")
    assert first.exit_code == 0
    assert [line.split(", revision ")[0] for line in first.stdout.splitlines()] == [
        "two: applied",
        "one: applied",
    ]
    second = pulsebook("playbook", "apply", str(folder))
    assert [line.split(", revision ")[0] for line in second.stdout.splitlines()] == [
        "two: unchanged",
        "one: unchanged",
    ]
    assert {change.reason for change in web.records(CATALOG)} == {"a start"}


def test_a_broken_file_is_refused_and_the_others_are_applied(
    web: Served, folder: Path, pulsebook: Pulsebook
) -> None:
    (folder / "one.yaml").write_text("playbook: one\nstebs: []\n")
    done = pulsebook("playbook", "apply", str(folder), "--prune")
    assert done.exit_code == 1
    assert "two: applied" in done.stdout
    assert f"{folder / 'one.yaml'}:2:1: error: " in done.stdout
    assert f"{folder / 'one.yaml'}: refused, nothing changed" in done.stdout
    assert "nothing was removed" in done.stderr
    answers = list(map(json.loads, pulsebook("playbook", "apply", str(folder), "--json").stdout.splitlines()))
    assert [each["outcome"] for each in answers] == ["unchanged", "refused"]


def test_pruning_removes_what_is_in_no_file(web: Served, folder: Path, pulsebook: Pulsebook) -> None:
    pulsebook("playbook", "apply", str(folder))
    done = pulsebook("playbook", "apply", str(folder / "one.yaml"), "--prune")
    assert done.exit_code == 0
    assert "two: removed" in done.stdout
    (left,) = map(json.loads, pulsebook("playbook", "list", "--json").stdout.splitlines())
    assert left["name"] == "one"


def test_a_diff_shows_what_applying_would_change(web: Served, folder: Path, pulsebook: Pulsebook) -> None:
    new = pulsebook("playbook", "diff", str(folder))
    assert new.exit_code == 1
    assert f"+ one: new ({folder / 'one.yaml'})" in new.stdout
    pulsebook("playbook", "apply", str(folder))
    same = pulsebook("playbook", "diff", str(folder))
    assert (same.exit_code, same.stdout) == (0, "nothing would change\n")
    (folder / "one.yaml").write_text(GOOD.format(name="one", says="changed"))
    changed = pulsebook("playbook", "diff", str(folder))
    assert changed.exit_code == 1
    assert '-    with: {message: "first"}' in changed.stdout
    assert '+    with: {message: "changed"}' in changed.stdout
    (folder / "one.yaml").write_text("playbook: [")
    broken = pulsebook("playbook", "diff", str(folder))
    assert broken.exit_code == 1
    assert "one.yaml: refused, nothing changed" in broken.stdout


def test_a_playbook_is_listed_shown_disabled_and_enabled(
    web: Served, folder: Path, pulsebook: Pulsebook
) -> None:
    assert "no playbooks yet" in pulsebook("playbook", "list").stdout
    pulsebook("playbook", "apply", str(folder / "one.yaml"))
    _, row = pulsebook("playbook", "list").stdout.splitlines()
    assert row.split()[:2] == ["one", "yes"]
    assert (folder / "one.yaml").read_text().rstrip() in pulsebook("playbook", "show", "one").stdout
    assert pulsebook("playbook", "disable", "one", "--reason", "noisy").stdout == "one: disabled\n"
    assert web.records(CATALOG)[-1].reason == "noisy"
    assert "DISABLED" in pulsebook("playbook", "show", "one").stdout
    assert json.loads(pulsebook("playbook", "enable", "one", "--json").stdout)["enabled"] is True


def test_a_playbook_goes_back_to_the_revision_before(folder: Path, pulsebook: Pulsebook, web: Served) -> None:
    one = folder / "one.yaml"
    first = json.loads(pulsebook("playbook", "apply", str(one), "--json").stdout)["digest"]
    one.write_text(one.read_text().replace("first", "changed"))
    pulsebook("playbook", "apply", str(one), "--reason", "better")
    assert f"# before: {first[:12]}, " in pulsebook("playbook", "show", "one").stdout

    done = pulsebook("playbook", "rollback", "one", "--reason", "it was not")

    assert (done.exit_code, done.stdout) == (0, f"one: applied, revision {first[:12]}\n")
    assert 'message: "first"' in pulsebook("playbook", "show", "one").stdout
    refused = pulsebook("playbook", "rollback", "one", "--to", "zz")
    assert refused.exit_code == 1
    assert "no revision of one begins with zz; there are: " in refused.stderr
    assert pulsebook("playbook", "rollback", "two").exit_code == 1


@pytest.mark.parametrize("command", ["show", "enable", "disable", "rollback"])
def test_an_unknown_playbook_is_the_answer_no(web: Served, pulsebook: Pulsebook, command: str) -> None:
    done = pulsebook("playbook", command, "nosuch")
    assert done.exit_code == 1
    assert "there is no playbook nosuch" in done.stderr


def test_a_playbook_may_be_as_large_as_the_settings_say(folder: Path, pulsebook: Pulsebook) -> None:
    one = folder / "one.yaml"
    steps = "".join(f'  - {{id: s{n}, action: log, with: {{message: "a"}}}}\n' for n in range(3))
    one.write_text(one.read_text() + steps)
    few = pulsebook("playbook", "lint", str(one), env={"PULSEBOOK_PLAYBOOK_STEPS_MAX": "3"})
    assert few.exit_code == 1
    assert "more than 3 steps" in few.stdout
    deep = folder / "deep.yaml"
    deep.write_text("playbook: deep\non: {call: {}}\nsteps: [{parallel: {a: [{exit: {}}]}}]\n")
    assert pulsebook("playbook", "lint", str(deep)).exit_code == 0
    flat = pulsebook("playbook", "lint", str(deep), env={"PULSEBOOK_NESTING_MAX": "1"})
    assert "steps within steps more than 1 deep" in flat.stdout
    one.write_text(one.read_text() + "# " + "x" * 300_000 + "\n")
    assert "more than 262144" in pulsebook("playbook", "lint", str(one)).stdout
    assert (
        pulsebook("playbook", "lint", str(one), env={"PULSEBOOK_PLAYBOOK_BYTES_MAX": "400000"}).exit_code == 0
    )


def with_secret(file: Path) -> Path:
    url = 'http.request, with: {url: "http://a.b", auth: {bearer: "${{ secrets.DEPLOY_TOKEN }}"}}'
    file.write_text(f"playbook: one\non: {{call: {{}}}}\nsteps:\n  - {{id: a, action: {url}}}\n")
    return file


def test_a_secret_that_this_machine_does_not_have_is_a_warning_with_its_place(
    folder: Path, pulsebook: Pulsebook, tmp_path: Path
) -> None:
    file = with_secret(folder / "one.yaml")
    env = {"PULSEBOOK_DATA_DIR": str(tmp_path / "data")}
    done = pulsebook("playbook", "lint", str(file), env=env)
    assert (done.exit_code, "0 errors, 1 warning" in done.stdout) == (0, True)
    assert f"{file}:4:" in done.stdout
    assert "the secret `DEPLOY_TOKEN` does not exist (set it before the playbook runs)" in done.stdout

    assert pulsebook("secret", "set", "DEPLOY_TOKEN", stdin="not-to-be-seen", env=env).exit_code == 0
    clean = pulsebook("playbook", "lint", str(file), env=env)
    assert "0 errors, 0 warnings" in clean.stdout
    file.write_text(file.read_text().replace("DEPLOY_TOKEN", "DEPLOY_TOKNE"))
    near = pulsebook("playbook", "lint", str(file), env=env)
    assert "did you mean `DEPLOY_TOKEN`?" in near.stdout
    assert "not-to-be-seen" not in near.stdout
