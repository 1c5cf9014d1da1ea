"""What if, asked of a whole Pulsebook: what really happened is what it must come to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.example import example_alert
from tests.chaos.target import Target
from tests.e2e.machine import Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

FIX = """
playbook: fix
on: {{alert: {{kind: query_alert_monitor}}}}
admission: {{key: alert.scope, cooldown: 10m}}
report: [succeeded, failed]
steps:
  - id: look
    action: http.request
    with: {{url: "{url}/look/${{{{ alert.scope }}}}"}}
    select: {{code: output.status}}
  - id: each
    foreach: "['a', 'b']"
    as: part
    steps:
      - id: restart
        action: http.request
        with: {{method: POST, url: "{url}/${{{{ part }}}}", json: {{run: "${{{{ run.url }}}}"}}}}
  - {{id: child, run: note, with: {{of: "${{{{ alert.scope }}}}"}}}}
  - {{publish: {{title: "fixed ${{{{ alert.scope }}}}", text: "${{{{ steps.child.output.said }}}}"}}}}
"""
NOTE = """
playbook: note
on: {call: {}}
inputs: {of: {type: string}}
steps:
  - {id: say, action: log, with: {message: "of ${{ inputs.of }}"}}
outputs: {said: "${{ steps.say.output.message }}"}
"""


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Target() as made:
        yield made


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, target: Target) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("whatif"))
    (folder / "playbooks").mkdir()
    (folder / "playbooks" / "fix.yaml").write_text(FIX.format(url=target.url))
    (folder / "playbooks" / "note.yaml").write_text(NOTE)
    with machine(folder, folder / "playbooks") as made:
        yield made


def came(there: Machine, scope: str) -> str:
    """An alert of that scope, by its webhook; its id."""
    alert = example_alert()
    alert["metadata"] |= {"ALERT_SCOPE": scope, "ALERT_CYCLE_KEY": f"cycle of {scope} {alert['id']}"}
    status, answer = there.post(there.hook, json.dumps(alert).encode())
    assert status == 202
    return str(answer["alert_id"])


def whatif(there: Machine, folder: Path, *options: str) -> tuple[int, list[Any]]:
    done = there.cli("playbook", "whatif", str(folder), "--since", "1h", "--json", *options)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_what_really_happened_is_what_it_comes_to_and_a_change_is_told_exactly(
    there: Machine, target: Target, tmp_path: Path
) -> None:
    first, second, third = came(there, "host:a"), came(there, "host:b"), came(there, "host:a")
    eventually(lambda: there.ended_runs(first) and there.ended_runs(second), 40)
    traced = there.documents("alert", "trace", third)
    assert "cooldown" in json.dumps(traced)
    calls, ends = len(target.calls) + target.gets, there.documents("status")

    same = tmp_path / "same"
    same.mkdir()
    for name in ("fix", "note"):
        shown = there.cli("playbook", "show", name)
        (same / f"{name}.yaml").write_text(shown.stdout)
    assert whatif(there, same, "--fail-on-change")[0] == 0

    code, documents = whatif(there, same, "--fail-on-change", "--all")
    fix = next(one for one in documents if one.get("playbook") == "fix")
    assert (code, fix["differences"], fix["on_record"]) == (0, {}, 2)
    assert (fix["started"], fix["held_back"]["after"]) == ({"before": 2, "after": 2}, {"cooldown": 1})
    expected = {"look": 2, "each": 2, "each[].restart": 4, "child": 2, "child > say": 2, "#5 (publish)": 2}
    # All of it is what was recorded: nothing had to be assumed.
    assert {step: (fix["steps"][step]["after"], fix["steps"][step]["assumed"]) for step in expected} == {
        step: (count, 0) for step, count in expected.items()
    }

    changed = tmp_path / "changed"
    changed.mkdir()
    text = (same / "fix.yaml").read_text()
    (changed / "fix.yaml").write_text(
        text.replace("cooldown: 10m", "while_running: parallel").replace("'a', 'b'", "'a', 'c'")
    )
    code, documents = whatif(there, changed, "--fail-on-change")
    changes = {one["alert_id"]: one for one in documents if one["record"] == "change"}
    assert (code, {alert: one["how"] for alert, one in changes.items()}) == (
        1,
        {first: "other_steps", second: "other_steps", third: "starts"},
    )
    (restart,) = changes[first]["steps"]
    assert (restart["step"], restart["how"], restart["times"]) == ("each[].restart", "asks_otherwise", 1)
    assert changes[first]["assumed"] == ["each[].restart"]
    assert (changes[third]["before"]["decision"], changes[third]["before"]["rule"]) == (
        "held_back",
        "cooldown",
    )

    assert len(target.calls) + target.gets == calls, "nothing was called"
    assert there.documents("status")[0]["alerts"] == ends[0]["alerts"]
