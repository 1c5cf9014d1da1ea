"""The example playbooks: right as they are, each explains itself and has tests of its own."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from connectors.actions.registry import specs
from engine.playbook.reading import read
from engine.yaml_text import read_yaml

FOLDER = Path(__file__).parents[1] / "examples" / "playbooks"
FILES = sorted(path for path in FOLDER.glob("*.yaml") if not path.stem.endswith(".test"))
SITUATIONS = (
    *(
        "disk-full",
        "latency",
        "signal",
        "pod-crash",
        "certificate",
        "queue-lag",
        "job-failed",
        "noisy-monitor",
    ),
    *("database-long-query", "deploy-rollback"),
)
KINDS = (
    "foreach",
    "repeat",
    "parallel",
    "switch",
    "wait",
    "ask",
    "publish",
    "set",
    "exit",
    "on_failure",
    "finally",
)


def test_there_is_one_for_each_situation() -> None:
    assert len(FILES) == len(SITUATIONS)
    for situation in SITUATIONS:
        assert [path.stem for path in FILES if path.stem.startswith(situation)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_right_and_named_like_its_file(path: Path) -> None:
    found = read(path.read_text("utf-8"), path.name, specs())
    assert found.problems == ()
    assert found.playbook is not None
    assert found.playbook.name == path.stem
    assert found.playbook.description and found.playbook.owner
    assert found.playbook.call is not None, "can be tried by hand"
    assert found.playbook.alerts, "is started by alerts"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_explains_itself_to_its_reader(path: Path) -> None:
    text = path.read_text("utf-8")
    head = text[: text.index("playbook:")]
    assert re.search(r"^# Try it: ", head, re.MULTILINE)
    assert re.search(r"^# Make it yours: ", head, re.MULTILINE)
    assert len(head.splitlines()) >= 6
    for secret in re.findall(r"secrets\.(\w+)", text):
        assert secret in head, "every secret is named at the top"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_has_at_least_three_tests_of_its_own(path: Path) -> None:
    told = read_yaml(path.with_suffix(".test.yaml").read_text("utf-8")).plain()
    assert told["playbook"] == path.stem
    names = [test["name"] for test in told["tests"]]
    assert len(set(names)) == len(names) >= 3
    assert all(test["expect"] for test in told["tests"])


def test_their_own_tests_pass() -> None:
    done = CliRunner().invoke(app, ["playbook", "test", str(FOLDER)])
    assert done.exit_code == 0, done.stdout
    assert int(re.findall(r"^(\d+) tests, 0 failed$", done.stdout, re.MULTILINE)[0]) >= 3 * len(SITUATIONS)


def test_together_they_show_the_language() -> None:
    text = "".join(path.read_text("utf-8") for path in FILES)
    for kind in KINDS:
        assert re.search(rf"^ *(?:- )?{kind}:", text, re.MULTILINE), kind


def test_a_question_that_nobody_answers_does_nothing() -> None:
    harmless = {"leave", "watch", "keep"}
    for path in FILES:
        assert set(re.findall(r"on_timeout: (\w+)", path.read_text("utf-8"))) <= harmless, path.stem
