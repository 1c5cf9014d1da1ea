"""`pulsebook run`: started, listed, shown, cancelled. Following one: test_run_watch."""

import json
import threading
import time
from pathlib import Path

import pytest

from schemas.events import RunFinished
from schemas.inbox import CancelRequested
from schemas.topics import ADMISSIONS, DECISIONS, RUN_INBOX, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.samples import (
    ALERT,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    matched,
)

PLAYBOOK = """\
playbook: by-hand
on: {call: {}}
inputs:
  host: {type: string}
  count: {type: int, default: 3}
  zones: {type: list, default: []}
steps:
  - id: note
    action: log
    with: {message: "${{ inputs.host }}"}
"""


@pytest.fixture(autouse=True)
def applied(web: Served, pulsebook: Pulsebook, tmp_path: Path) -> None:
    (tmp_path / "by-hand.yaml").write_text(PLAYBOOK)
    assert pulsebook("playbook", "apply", "by-hand.yaml").exit_code == 0


def test_inputs_are_handed_over_as_text_and_typed_by_the_playbook(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook(
        "run",
        "start",
        "by-hand",
        "-i",
        "host=007",
        "-i",
        "count=5",
        "-i",
        'zones=["a", "b"]',
        "-i",
        "host=7=x",
    )
    assert done.exit_code == 0, done.stderr
    (candidate,) = web.records(ADMISSIONS)
    assert candidate.inputs == {"host": "7=x", "count": "5", "zones": '["a", "b"]'}
    assert done.stdout.startswith(f"run {candidate.run_id} requested")


def test_a_start_answers_machines_with_the_run_id(web: Served, pulsebook: Pulsebook) -> None:
    answer = json.loads(pulsebook("run", "start", "by-hand", "-i", "host=a", "--json").stdout)
    assert answer["run_id"] == web.records(ADMISSIONS)[0].run_id


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("count", "write it as NAME=VALUE"),
        ("=5", "write it as NAME=VALUE"),
        ("count=five", "should be a whole number"),
        ("zones=a", "should be a list"),
        ("hots=a", "did you mean `host`?"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_starts(
    web: Served, pulsebook: Pulsebook, given: str, says: str
) -> None:
    done = pulsebook("run", "start", "by-hand", "-i", "host=a", "-i", given)
    assert done.exit_code == 2
    assert says in done.stderr
    assert web.records(ADMISSIONS) == []


def test_an_unknown_playbook_is_the_answer_no(pulsebook: Pulsebook) -> None:
    done = pulsebook("run", "start", "nosuch")
    assert done.exit_code == 1
    assert "there is no playbook nosuch" in done.stderr


@pytest.mark.parametrize(("status", "exit_code"), [("succeeded", 0), ("failed", 1)])
def test_waiting_ends_with_the_run(web: Served, pulsebook: Pulsebook, status: str, exit_code: int) -> None:
    def run_it() -> None:
        while not (candidates := web.records(ADMISSIONS)):
            time.sleep(0.01)
        run_id = candidates[0].run_id
        end = RunFinished(status=status, forget_ms=1)  # type: ignore[arg-type]  # one of its literals
        web.written(RUN_JOURNAL, run_id, journal(1, STARTED, end, run_id=run_id))

    runner = threading.Thread(target=run_it)
    runner.start()
    done = pulsebook("run", "start", "by-hand", "-i", "host=a", "--wait")
    runner.join()
    assert done.exit_code == exit_code
    assert status in done.stdout.splitlines()[0]


def test_runs_are_listed_and_filtered(web: Served, pulsebook: Pulsebook) -> None:
    assert "no runs yet" in pulsebook("run", "list").stdout
    web.written(DECISIONS, ALERT, matched(), decided("started"))
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    _, row = pulsebook("run", "list").stdout.splitlines()
    assert row.split()[:3] == [RUN, "restart", "succeeded"]
    (document,) = map(json.loads, pulsebook("run", "list", "--json").stdout.splitlines())
    assert document["run_id"] == RUN
    assert pulsebook("run", "list", "--status", "failed").stdout == "no such runs\n"
    assert pulsebook("run", "list", "--alert", ALERT).stdout.count(RUN) == 1
    wrong = pulsebook("run", "list", "--status", "exploded")
    assert wrong.exit_code == 2


def test_a_run_is_shown_with_steps_outputs_attempts_and_times(web: Served, pulsebook: Pulsebook) -> None:
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    done = pulsebook("run", "show", RUN)
    assert done.exit_code == 0
    assert f"run {RUN}  restart  succeeded" in done.stdout
    (step,) = [line.split() for line in done.stdout.splitlines() if line.startswith("look")]
    assert step[:4] == ["look", "http.request", "succeeded", "1"]
    assert '{"status":' in step
    assert "250" in step
    assert 'outputs   {"p95": 4.2}' in done.stdout
    assert json.loads(pulsebook("run", "show", RUN, "--json").stdout)["steps"][0]["step"] == "look"


def test_a_start_that_was_held_back_is_shown_with_its_rule(web: Served, pulsebook: Pulsebook) -> None:
    web.written(DECISIONS, ALERT, decided("held_back", rule="while_running", reason="r-1 runs"))
    assert "held_back: while_running: r-1 runs" in pulsebook("run", "show", RUN).stdout


def test_an_unknown_run_is_the_answer_no(pulsebook: Pulsebook) -> None:
    for command in (("show",), ("cancel",)):
        done = pulsebook("run", *command, "r-unknown")
        assert done.exit_code == 1
        assert "no run r-unknown is known" in done.stderr


def test_a_running_run_is_asked_to_stop_with_the_reason(web: Served, pulsebook: Pulsebook) -> None:
    web.written(RUN_JOURNAL, RUN, WHOLE_RUN[0])
    done = pulsebook("run", "cancel", RUN, "--reason", "enough")
    assert (done.exit_code, done.stdout) == (0, f"run {RUN}: cancel requested\n")
    (asked,) = web.records(RUN_INBOX)
    assert isinstance(asked, CancelRequested)
    assert (asked.run_id, asked.reason) == (RUN, "enough")


def test_an_ended_run_cannot_be_cancelled(web: Served, pulsebook: Pulsebook) -> None:
    web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)
    done = pulsebook("run", "cancel", RUN)
    assert done.exit_code == 1
    assert "the run has ended: succeeded" in done.stderr


def test_all_runs_of_a_playbook_are_cancelled(web: Served, pulsebook: Pulsebook) -> None:
    assert pulsebook("run", "cancel", "--playbook", "restart").stdout == "no running runs of restart\n"
    for name in ("r-one", "r-two"):
        web.written(RUN_JOURNAL, name, journal(1, STARTED, run_id=name))
    done = pulsebook("run", "cancel", "--playbook", "restart")
    assert sorted(done.stdout.splitlines()) == ["run r-one: cancel requested", "run r-two: cancel requested"]
    assert {asked.run_id for asked in web.records(RUN_INBOX)} == {"r-one", "r-two"}


def test_a_cancel_needs_a_run_or_a_playbook_and_not_both(pulsebook: Pulsebook) -> None:
    for arguments in ((), (RUN, "--playbook", "restart")):
        assert pulsebook("run", "cancel", *arguments).exit_code == 2
