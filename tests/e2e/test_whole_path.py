"""What a user does in the first five minutes: up, an alert, its runs, its trace, what Datadog got."""

import json
from typing import Any

import pytest

from cli.endpoint import payload
from cli.example import example_alert
from tests.e2e.machine import Machine, eventually

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_up_says_where_things_are_and_that_nothing_leaves_the_machine(shared_machine: Machine) -> None:
    said = shared_machine.said.splitlines()
    assert "Datadog: SANDBOX, nothing leaves this machine" in said
    assert shared_machine.hook.startswith(f"{shared_machine.url}/hooks/demo/")
    assert any("PULSEBOOK_PUBLIC_URL" in line for line in said)
    assert said[-2:] == ["try: pulsebook alert send --example", f"ready {shared_machine.url}"]


def test_the_example_alert_runs_a_playbook_and_datadog_hears_of_it(shared_machine: Machine) -> None:
    (sent,) = shared_machine.documents("alert", "send", "--example")
    alert_id = sent["alert_id"]
    (run, *_) = eventually(lambda: shared_machine.ended_runs(alert_id))
    assert run["status"] == "succeeded"
    shown = shared_machine.cli("run", "show", run["run_id"])
    assert shown.returncode == 0, shown.stderr
    assert run["run_id"] in shown.stdout
    assert "succeeded" in shown.stdout
    assert "attempts" in shown.stdout

    def published() -> list[Any]:
        return [event for event in shared_machine.events() if f"run:{run['run_id']}" in event["tags"]]

    assert all(any(tag.startswith("pulsebook_id:") for tag in each["tags"]) for each in eventually(published))
    traced = shared_machine.cli("alert", "trace", alert_id)
    assert traced.returncode == 0, traced.stderr
    for word in (
        "received",
        f"{run['playbook']}: matched",
        "not matched",
        "started",
        run["run_id"],
        "published",
    ):
        assert word in traced.stdout


def test_a_run_is_watched_to_its_end_in_sentences(shared_machine: Machine) -> None:
    (sent,) = shared_machine.documents("alert", "send", "--example")
    (run, *_) = eventually(lambda: shared_machine.ended_runs(sent["alert_id"]))
    watched = shared_machine.cli("run", "watch", run["run_id"])
    assert watched.returncode == 0, watched.stderr
    lines = watched.stdout.splitlines()
    assert f"playbook {run['playbook']} started" in lines[0]
    assert lines[-1] == f"run {run['run_id']} succeeded"


def test_the_recommended_payload_sent_by_hand_is_accepted_and_traced(shared_machine: Machine) -> None:
    body = payload()
    values = example_alert()
    for name, value in {**values["metadata"], "DATE": values["date"]}.items():
        body = body.replace(f'"${name}"', json.dumps(value))
    status, answer = shared_machine.post(shared_machine.hook, body.encode())
    assert (status, answer["parsed"]) == (202, True)
    trace = eventually(lambda: _traced(shared_machine, answer["alert_id"]))
    assert trace["alert"]["endpoint"] == "demo"
    assert trace["alert"]["title"] == values["title"]


def test_the_same_webhook_twice_starts_each_playbook_once(shared_machine: Machine) -> None:
    alert = example_alert()
    alert["metadata"]["ALERT_SCOPE"] = "service:twice"
    body = json.dumps(alert).encode()
    first = shared_machine.post(shared_machine.hook, body)[1]["alert_id"]
    second = shared_machine.post(shared_machine.hook, body)[1]["alert_id"]
    assert first == second
    runs = eventually(lambda: shared_machine.ended_runs(first))
    assert len({run["playbook"] for run in runs}) == len(runs)


def test_a_body_that_nobody_can_parse_is_kept_and_explained(shared_machine: Machine) -> None:
    status, answer = shared_machine.post(shared_machine.hook, b"\x00\xffnot json at all{")
    assert (status, answer["parsed"]) == (202, False)
    trace = eventually(lambda: _traced(shared_machine, answer["alert_id"]))
    assert trace["alert"]["unparsable"]
    letters = eventually(lambda: shared_machine.documents("deadletter", "list"))
    assert any(letter["topic"].endswith("alerts") for letter in letters)


def _traced(machine: Machine, alert_id: str) -> Any:
    done = machine.cli("alert", "trace", alert_id, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def test_an_unknown_endpoint_and_a_wrong_token_get_the_same_answer(shared_machine: Machine) -> None:
    wrong_token = shared_machine.post(f"{shared_machine.url}/hooks/demo/wrong", b"{}")
    unknown = shared_machine.post(f"{shared_machine.url}/hooks/nosuch/wrong", b"{}")
    assert wrong_token[0] == 404
    assert wrong_token == unknown


def test_a_body_of_257_kib_is_refused_with_the_limit(shared_machine: Machine) -> None:
    status, answer = shared_machine.post(shared_machine.hook, b"x" * (257 * 1024))
    assert status == 413
    assert str(256 * 1024) in answer["detail"]


def test_status_finds_the_processes_beside_the_web(shared_machine: Machine) -> None:
    (status,) = shared_machine.documents("status")
    assert {each["process"]: each["state"] for each in status["processes"]} == {
        "processor": "ready",
        "executor": "ready",
        "sink": "ready",
    }
    assert "sink lag" in shared_machine.cli("status").stdout
