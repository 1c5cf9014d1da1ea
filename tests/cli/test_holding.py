"""`pulsebook pause`, `resume`, `mute`: what they do, say, and end with."""

import json
from pathlib import Path

import pytest

from schemas.catalog import SwitchSet
from schemas.topics import CATALOG
from tests.cli.conftest import Pulsebook, Served

BOOK = "playbook: one\non: {call: {}}\nsteps: [{id: note, action: log, with: {message: hello}}]\n"


@pytest.fixture
def applied(web: Served, pulsebook: Pulsebook, tmp_path: Path) -> Served:
    """A web process with the playbook `one`."""
    (tmp_path / "one.yaml").write_text(BOOK)
    assert pulsebook("playbook", "apply", str(tmp_path / "one.yaml")).exit_code == 0
    return web


def test_a_paused_playbook_is_seen_everywhere_until_it_is_resumed(
    applied: Served, pulsebook: Pulsebook
) -> None:
    done = pulsebook("pause", "one", "--reason", "wrong pods")
    assert (done.exit_code, done.stdout) == (
        0,
        "one: paused, by local: wrong pods\nto go on: pulsebook resume one\n",
    )
    assert "PAUSED by local" in pulsebook("playbook", "show", "one").stdout
    assert pulsebook("playbook", "list").stdout.splitlines()[1].split()[1:3] == ["yes", "yes"]
    assert "1 enabled, 0 disabled, 1 paused" in pulsebook("status").stdout
    refused = pulsebook("run", "start", "one")
    assert (refused.exit_code, refused.stderr) == (1, "one is paused by local: wrong pods\n")

    done = pulsebook("resume", "one")
    assert (done.exit_code, done.stdout) == (0, "one: resumed\n")
    assert pulsebook("playbook", "list").stdout.splitlines()[1].split()[1:3] == ["yes", "no"]
    assert pulsebook("run", "start", "one").exit_code == 0


def test_a_pause_of_all_outlives_the_resume_of_one_which_says_so(
    applied: Served, pulsebook: Pulsebook
) -> None:
    assert pulsebook("pause", "one").exit_code == 0
    done = pulsebook("pause", "--all", "--reason", "freeze")
    assert done.stdout == "all playbooks: paused, by local: freeze\nto go on: pulsebook resume --all\n"
    assert (
        "PAUSED        nothing new starts, by local: freeze (pulsebook resume --all)"
        in pulsebook("status").stdout
    )

    still = pulsebook("resume", "one")
    assert (still.exit_code, still.stdout) == (
        1,
        "one: still paused, as all playbooks are, by local: freeze: pulsebook resume --all\n",
    )
    pulsebook("pause", "one")
    assert pulsebook("resume", "--all").stdout == "all playbooks: resumed\nstill paused by themselves: one\n"


def test_for_machines_each_is_one_document(applied: Served, pulsebook: Pulsebook) -> None:
    assert json.loads(pulsebook("pause", "one", "--json").stdout)["paused"]["everything"] is False
    every = json.loads(pulsebook("pause", "--all", "--json").stdout)
    assert (every["everything"]["everything"], every["playbooks"]) == (True, ["one"])
    done = pulsebook("resume", "one", "--json")
    assert (done.exit_code, json.loads(done.stdout)["paused"]["everything"]) == (1, True)


@pytest.mark.parametrize("arguments", [(), ("one", "--all")])
@pytest.mark.parametrize("command", ["pause", "resume"])
def test_what_is_paused_must_be_said(
    applied: Served, pulsebook: Pulsebook, command: str, arguments: tuple[str, ...]
) -> None:
    done = pulsebook(command, *arguments)
    assert (done.exit_code, done.stderr) == (2, "give either a PLAYBOOK or --all\n")


def test_a_mute_is_added_listed_and_deleted(applied: Served, pulsebook: Pulsebook) -> None:
    assert pulsebook("mute", "list").stdout == "nothing is muted\n"
    tags = ("--tags", "service:checkout,env:prod", "--tags", "env:dev,urgent")
    made = json.loads(
        pulsebook("mute", "add", *tags, "--for", "2h", "--reason", "planned work", "--json").stdout
    )
    assert made["tags"] == {"service": ["checkout"], "env": ["prod", "dev"], "urgent": [""]}
    assert made["until_ms"] - made["at_ms"] == pytest.approx(7_200_000, abs=1_000)

    _, row = pulsebook("mute", "list").stdout.splitlines()
    assert row.startswith(made["name"])
    assert "env:prod, env:dev, service:checkout, urgent " in row
    assert row.endswith("planned work")
    assert "mutes         1 in force" in pulsebook("status").stdout

    assert pulsebook("mute", "delete", made["name"]).stdout == f"mute {made['name']} deleted\n"
    assert pulsebook("mute", "list").stdout == "nothing is muted\n"
    assert pulsebook("mute", "delete", made["name"]).exit_code == 1


def test_a_mute_of_a_playbook_needs_no_tags(applied: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("mute", "add", "--playbook", "one", "--for", "30m")
    assert done.exit_code == 0
    assert done.stdout.startswith("mute m-") and ", until 20" in done.stdout
    (record,) = [each for each in applied.records(CATALOG) if isinstance(each, SwitchSet)]
    assert record.value["playbooks"] == ["one"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--for", "2h"), "say which alerts"),
        (("--tags", ":x", "--for", "2h"), "KEY:VALUE"),
        (("--tags", "a:b", "--for", "soon"), "24h"),
        (("--tags", "a:b", "--for", "99d"), "1s to 31d"),
        (("--tags", "a:b"), "--for"),
    ],
)
def test_a_mute_that_cannot_be_one_is_wrong_use(
    applied: Served, pulsebook: Pulsebook, arguments: tuple[str, ...], says: str
) -> None:
    done = pulsebook("mute", "add", *arguments)
    assert done.exit_code == 2
    assert says in done.stderr
