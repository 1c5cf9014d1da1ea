"""Pauses, mutes, cooldown and throttle in the real processes: what `alert trace` says held an alert back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.example import example_alert
from tests.e2e.machine import Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

BOOK = """\
playbook: {name}
on: {{alert: {{tags: {{case: {name}}}}}, call: {{endpoints: [demo]}}}}
admission: {admission}
steps: [{{id: note, action: log, with: {{message: hello}}}}]
outputs: {{said: "${{{{ steps.note.status }}}}"}}
"""
BOOKS = {
    "held": "{max_running: 5}",
    "cooled": "{cooldown: 15m}",
    "throttled": "{throttle: {limit: 2, per: 1h}}",
}


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("holding"))
    playbooks = folder / "books"
    playbooks.mkdir()
    for name, admission in BOOKS.items():
        (playbooks / f"{name}.yaml").write_text(BOOK.format(name=name, admission=admission))
    with machine(folder, playbooks) as made:
        yield made


def alert(on: Machine, case: str, scope: str, tags: str = "") -> tuple[str, Any]:
    """Send an alert by the webhook; its id, and the decision on it."""
    made = example_alert()
    made["metadata"] |= {"ALERT_SCOPE": scope, "TAGS": f"case:{case}{tags}"}
    status, answer = on.post(on.hook, json.dumps(made).encode())
    assert status == 202, answer
    return answer["alert_id"], eventually(lambda: decision(on, answer["alert_id"]))


def decision(on: Machine, alert_id: str) -> Any:
    done = on.cli("alert", "trace", alert_id, "--json")
    looked = json.loads(done.stdout)["playbooks"] if done.returncode == 0 else []
    return next((each["decisions"][0] for each in looked if each["decisions"]), None)


def test_an_alert_in_a_pause_is_held_back_with_who_and_why_and_after_it_the_next_one_starts(
    holding: Machine,
) -> None:
    paused = holding.cli("pause", "held", "--reason", "wrong pods")
    assert paused.returncode == 0, paused.stderr

    alert_id, decided = alert(holding, "held", "pause-1")

    assert (decided["decision"], decided["rule"]) == ("held_back", "paused")
    assert decided["reason"].endswith(" paused it: wrong pods")
    traced = holding.cli("alert", "trace", alert_id)
    assert "held_back: paused: " in traced.stdout
    assert holding.cli("run", "start", "held").returncode == 1
    assert holding.cli("resume", "held").returncode == 0
    assert alert(holding, "held", "pause-2")[1]["decision"] == "started"


def test_a_pause_of_all_holds_every_playbook_back(holding: Machine) -> None:
    assert holding.cli("pause", "--all", "--reason", "freeze").returncode == 0
    try:
        decided = alert(holding, "held", "all-1")[1]
        assert (decided["rule"], decided["decision"]) == ("paused", "held_back")
        assert "paused all playbooks: freeze" in decided["reason"]
        assert "PAUSED" in holding.cli("status").stdout
    finally:
        assert holding.cli("resume", "--all").returncode == 0
    assert alert(holding, "held", "all-2")[1]["decision"] == "started"


def test_a_muted_alert_is_held_back_until_the_mute_ends_by_itself(holding: Machine) -> None:
    (mute,) = holding.documents(
        "mute", "add", "--tags", "case:held,env:prod", "--for", "15s", "--reason", "planned work"
    )

    alert_id, decided = alert(holding, "held", "mute-1", ", env:prod")

    assert (decided["decision"], decided["rule"], decided["until_ms"]) == (
        "held_back",
        "muted",
        mute["until_ms"],
    )
    assert decided["reason"].endswith(f"muted it (mute/{mute['name']}): planned work")
    assert " until 20" in holding.cli("alert", "trace", alert_id).stdout
    assert alert(holding, "held", "mute-2", ", env:dev")[1]["decision"] == "started"
    eventually(lambda: not holding.documents("mute", "list"), 30)
    assert alert(holding, "held", "mute-3", ", env:prod")[1]["decision"] == "started"


def test_a_second_start_of_a_key_in_its_cooldown_says_until_when(holding: Machine) -> None:
    first = alert(holding, "cooled", "same")[1]
    assert first["decision"] == "started"
    eventually(lambda: holding.documents("run", "list", "--playbook", "cooled", "--status", "succeeded"))

    decided = alert(holding, "cooled", "same")[1]

    assert (decided["decision"], decided["rule"]) == ("held_back", "cooldown")
    assert decided["until_ms"] == first["at_ms"] + 900_000
    assert alert(holding, "cooled", "other")[1]["decision"] == "started"


def test_the_third_start_in_an_hour_that_may_see_two_is_held_back(holding: Machine) -> None:
    decided = [alert(holding, "throttled", f"key-{n}")[1] for n in range(3)]

    assert [one["decision"] for one in decided] == ["started", "started", "held_back"]
    assert (decided[2]["rule"], decided[2]["until_ms"]) == ("throttle", decided[0]["at_ms"] + 3_600_000)


def test_a_call_that_waits_is_answered_with_status_and_outputs(holding: Machine) -> None:
    status, answer = holding.post(f"{holding.hook}/held?wait=30s", b"{}")
    assert (status, answer["status"], answer["outputs"]) == (200, "succeeded", {"said": "succeeded"})

    (run,) = holding.documents("run", "start", "held", "--wait")
    assert (run["status"], run["outputs"]) == ("succeeded", {"said": "succeeded"})


def test_a_call_with_an_alert_that_is_muted_is_answered_with_what_held_it_back(holding: Machine) -> None:
    (mute,) = holding.documents("mute", "add", "--tags", "case:call", "--for", "1h")
    called = example_alert()
    called["metadata"]["TAGS"] = "case:call"
    status, answer = holding.post(f"{holding.hook}/held?wait=30s", json.dumps(called).encode())

    assert (status, answer["status"]) == (200, "held_back")
    assert f"mute/{mute['name']}" in answer["message"]
