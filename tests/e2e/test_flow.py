"""The language on a whole Pulsebook: loops, branches, a question, a wait, a child, each for real."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.run.beginning import child_request_id
from schemas.ids import run_id as child_run_id
from tests.chaos.target import Target
from tests.e2e.machine import Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARENT = """
playbook: parent
on: {{call: {{}}}}
report: [succeeded]
steps:
  - id: each
    foreach: "['a', 'b', 'c']"
    as: name
    concurrency: 2
    steps:
      - id: get
        action: http.request
        with: {{url: "{url}/get/${{{{ name }}}}"}}
        select: {{code: output.status}}
      - {{id: post, action: http.request, with: {{method: POST, url: "{url}/post/${{{{ name }}}}"}}}}
  - parallel:
      left: [{{wait: {{for: 1s}}}}, {{set: {{left: true}}}}]
      right:
        - id: child
          run: child
          with: {{of: "${{{{ size(steps.each.outputs) }}}}"}}
  - id: verify
    repeat: {{every: 1s, times: 5, until: index == 1}}
    steps:
      - {{id: check, action: http.request, with: {{url: "{url}/check"}}}}
  - id: approve
    ask: {{question: "Go on with ${{{{ steps.child.output.said }}}}?", choices: [go, stop], on_timeout: stop}}
  - switch: steps.approve.output.choice
    cases:
      go: [{{set: {{went: true}}}}]
      stop: [{{exit: {{status: failed}}}}]
outputs: {{child: "${{{{ steps.child.output.said }}}}", went: "${{{{ vars.went }}}}"}}
"""
CHILD = """
playbook: child
on: {call: {}}
inputs: {of: {type: int}}
steps:
  - {set: {said: "child of ${{ inputs.of }}"}}
outputs: {said: "${{ vars.said }}"}
"""
WAITING = """
playbook: waiting
on: {call: {}}
steps:
  - {id: child, run: slow-child}
"""
SLOW_CHILD = """
playbook: slow-child
on: {call: {}}
steps:
  - {wait: {for: 10m}}
"""


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Target() as made:
        yield made


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, target: Target) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("flow"))
    (folder / "playbooks").mkdir()
    texts = {
        "parent": PARENT.format(url=target.url),
        "child": CHILD,
        "waiting": WAITING,
        "slow-child": SLOW_CHILD,
    }
    for name, text in texts.items():
        (folder / "playbooks" / f"{name}.yaml").write_text(text)
    with machine(folder, folder / "playbooks") as made:
        yield made


def started(there: Machine, playbook: str) -> str:
    run_id: str = there.documents("run", "start", playbook)[0]["run_id"]
    return run_id


def run(there: Machine, run_id: str) -> Any:
    done = there.cli("run", "show", run_id, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else {"status": "", "steps": []}


def step(there: Machine, run_id: str, path: str) -> Any:
    return next((one for one in run(there, run_id)["steps"] if one["step"] == path), {})


def test_loops_branches_a_child_and_a_question_come_to_their_end(
    there: Machine, target: Target, tmp_path: Path
) -> None:
    run_id = started(there, "parent")
    eventually(lambda: step(there, run_id, "approve").get("question"), 40)
    assert step(there, run_id, "approve")["question"] == "Go on with child of 3?"
    assert run(there, run_id)["status"] == "waiting"
    answered = there.cli("run", "answer", run_id, "approve", "go")
    assert answered.returncode == 0, answered.stderr
    eventually(lambda: run(there, run_id)["status"] == "succeeded", 20)
    shown = run(there, run_id)
    assert (shown["outputs"]["child"], shown["outputs"]["went"]) == ("child of 3", True)
    done = {one["step"]: one["status"] for one in shown["steps"]}
    assert [done[f"each[{n}].post"] for n in range(3)] == ["succeeded"] * 3
    assert [done[f"verify[{n}].check"] for n in range(2)] == ["succeeded"] * 2
    assert step(there, run_id, "each")["output"][0]["get"] == {"code": 200}

    calls = len(target.calls)
    again = there.documents("run", "rerun", run_id, "--from", "approve")[0]["run_id"]
    eventually(lambda: step(there, again, "approve").get("question"), 20)
    there.cli("run", "answer", again, "approve", "stop")
    eventually(lambda: run(there, again)["status"] == "failed", 20)
    assert run(there, again)["message"] == ""
    assert len(target.calls) == calls, "nothing before the step is done again"
    file = tmp_path / "parent.test.yaml"
    exported = there.cli("run", "export-test", run_id, "-o", str(file))
    assert exported.returncode == 0, exported.stderr
    (tmp_path / "parent.yaml").write_text((there.playbooks / "parent.yaml").read_text())
    tested = there.cli("playbook", "test", str(tmp_path))
    assert (tested.returncode, "1 test, 0 failed" in tested.stdout) == (0, True), tested.stdout

    refused = there.cli("run", "rerun", run_id, "--from", "each[0].get")
    assert (refused.returncode, "is inside each: begin with each" in refused.stderr) == (2, True)


def test_a_child_is_cancelled_with_its_parent(there: Machine) -> None:
    run_id = started(there, "waiting")
    child = child_run_id("slow-child", child_request_id(run_id, "child"))
    eventually(lambda: run(there, child)["status"] == "waiting", 20)
    there.cli("run", "cancel", run_id)
    eventually(lambda: run(there, child)["status"] == "cancelled", 20)
    assert run(there, run_id)["status"] == "cancelled"
