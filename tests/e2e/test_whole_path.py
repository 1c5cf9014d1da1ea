"""What a user does in the first five minutes, on real processes: up, an alert, its runs, its trace, what Datadog got."""

import json
import urllib.request
from typing import Any

import pytest

from cli.endpoint import payload
from cli.example import example_alert
from tests.e2e.machine import Machine, eventually

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def get(url: str) -> Any:
    request = urllib.request.Request(url, headers={"DD-API-KEY": "sandbox", "DD-APPLICATION-KEY": "sandbox"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def post(url: str, body: bytes, content_type: str = "application/json") -> tuple[int, Any]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": content_type}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def hook_url(machine: Machine) -> str:
    line = next(line for line in machine.said.splitlines() if line.startswith("endpoint demo: "))
    return line.removeprefix("endpoint demo: ").strip()


def ended_runs(machine: Machine, alert_id: str) -> list[dict[str, Any]]:
    runs = get(f"{machine.url}/api/v1/runs?alert_id={alert_id}")["items"]
    return runs if runs and all(run["status"] in ("succeeded", "failed") for run in runs) else []


def test_up_says_where_things_are_and_that_nothing_leaves_the_machine(shared_machine: Machine) -> None:
    said = shared_machine.said
    assert "Datadog: SANDBOX, nothing leaves this machine" in said
    assert "/hooks/demo/" in said
    assert "try: pulsebook alert send --example" in said
    assert said.rstrip().splitlines()[-1] == f"ready {shared_machine.url}"


def test_the_example_alert_runs_a_playbook_and_datadog_hears_of_it(shared_machine: Machine) -> None:
    (sent,) = shared_machine.cli_json("alert", "send", "--example")
    alert_id = sent["alert_id"]
    runs = eventually(lambda: ended_runs(shared_machine, alert_id))
    assert {run["status"] for run in runs} == {"succeeded"}
    shown = shared_machine.cli("run", "show", runs[0]["run_id"])
    assert shown.returncode == 0, shown.stderr
    assert runs[0]["run_id"] in shown.stdout
    assert "succeeded" in shown.stdout
    assert "attempts" in shown.stdout

    def published() -> list[Any]:
        events = get(f"{shared_machine.sandbox}/api/v1/events?start=0&end=99999999999")["events"]
        return [event for event in events if f"run:{runs[0]['run_id']}" in event["tags"]]

    events = eventually(published)
    assert all(any(tag.startswith("pulsebook_id:") for tag in event["tags"]) for event in events)
    traced = shared_machine.cli("alert", "trace", alert_id)
    assert traced.returncode == 0
    assert "matched" in traced.stdout
    assert "not matched" in traced.stdout
    assert "started" in traced.stdout
    assert runs[0]["run_id"] in traced.stdout


def test_the_recommended_payload_sent_by_hand_is_accepted_and_traced(shared_machine: Machine) -> None:
    body = payload()
    values = example_alert()
    for name, value in {**values["metadata"], "DATE": values["date"]}.items():
        body = body.replace(f'"${name}"', json.dumps(value))
    status, answer = post(hook_url(shared_machine), body.encode())
    assert (status, answer["parsed"]) == (202, True)
    trace = eventually(lambda: shared_machine.cli_json("alert", "trace", answer["alert_id"])[0])
    assert trace["alert"]["endpoint"] == "demo"


def test_the_same_webhook_twice_starts_each_playbook_once(shared_machine: Machine) -> None:
    body = json.dumps(example_alert()).encode()
    first = post(hook_url(shared_machine), body)[1]["alert_id"]
    second = post(hook_url(shared_machine), body)[1]["alert_id"]
    assert first == second
    runs = eventually(lambda: ended_runs(shared_machine, first))
    assert len({run["playbook"] for run in runs}) == len(runs)


def test_a_body_that_nobody_can_parse_is_kept_and_explained(shared_machine: Machine) -> None:
    status, answer = post(hook_url(shared_machine), b"\x00\xffnot json at all{", "application/json")
    assert (status, answer["parsed"]) == (202, False)
    trace = eventually(lambda: _traced(shared_machine, answer["alert_id"]))
    assert trace["alert"]["unparsable"]
    letters = eventually(lambda: get(f"{shared_machine.url}/api/v1/dead-letters")["items"])
    assert any(letter["topic"] == "alerts" for letter in letters)


def _traced(machine: Machine, alert_id: str) -> Any:
    done = machine.cli("alert", "trace", alert_id, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def test_an_unknown_endpoint_and_a_wrong_token_get_the_same_answer(shared_machine: Machine) -> None:
    wrong_token = post(f"{shared_machine.url}/hooks/demo/wrong", b"{}")
    unknown = post(f"{shared_machine.url}/hooks/nosuch/wrong", b"{}")
    assert wrong_token[0] == 404
    assert wrong_token == unknown


def test_a_body_of_257_kib_is_refused_with_the_limit(shared_machine: Machine) -> None:
    status, answer = post(hook_url(shared_machine), b"x" * (257 * 1024))
    assert status == 413
    assert "256" in json.dumps(answer) or "262144" in json.dumps(answer)
