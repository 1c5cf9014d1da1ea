"""Random playbooks, carried out by the real processes, end in the simulator as they ended there."""

import random
import re
from pathlib import Path
from typing import Any

import pytest

from engine.yaml_writing import write_yaml
from tests.chaos.target import Target
from tests.e2e.machine import ENDED, eventually, five_free_ports, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

COUNT = 14
STEPS_MAX = 16


class Writer:
    """Writes one playbook of every kind of step, by a seed."""

    def __init__(self, seed: int, url: str, nowhere: str) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.url = url
        self.nowhere = nowhere
        self.count = 0

    def playbook(self, name: str) -> str:
        """The file's text."""
        book = {
            "playbook": name,
            "on": {"call": {}},
            "report": [],
            "steps": [self.action(), *self.steps(3), self.action()],
            "on_failure": [self.action()],
            "finally": [self.action()],
            "outputs": {"first": "${{ steps.s1.output }}"},
        }
        return write_yaml(book)

    def steps(self, depth: int) -> list[dict[str, Any]]:
        return [self.step(depth) for _ in range(self.random.randint(1, 3))]

    def step(self, depth: int) -> dict[str, Any]:
        kind = self.random.choice(
            ["action"] * 3 + (["foreach", "repeat", "parallel", "switch", "set"] * depth)
        )
        if self.count >= STEPS_MAX or kind == "action":
            return self.action()
        self.count += 1
        name = f"s{self.count}"
        goes_on = self.random.random() < 0.7
        if kind == "set":
            return {"set": {f"v{self.count}": self.random.choice([1, "text", "${{ run.playbook }}"])}}
        if kind == "parallel":
            branches = {"a": self.steps(depth - 1), "b": self.steps(depth - 1)}
            return {"id": name, "parallel": branches, "continue_on_error": goes_on}
        if kind == "switch":
            cases = {"1": self.steps(depth - 1), "2": self.steps(depth - 1)}
            return {"id": name, "switch": self.random.choice(["1", "2", "3"]), "cases": cases}
        inside = self.steps(depth - 1)
        if kind == "repeat":
            until = self.random.choice(["index == 1", "false"])
            bound = {"until": until, "times": 2}
            return {"id": name, "repeat": bound, "steps": inside, "continue_on_error": goes_on}
        loop = {"id": name, "foreach": "['a', 'b', 'c']", "as": f"of_{name}", "steps": inside}
        if self.random.random() < 0.5:
            return {**loop, "concurrency": 2, "continue_on_error": goes_on}
        return {**loop, "until": "index == 1", "continue_on_error": goes_on}

    def action(self) -> dict[str, Any]:
        self.count += 1
        step: dict[str, Any] = {"id": f"s{self.count}", "continue_on_error": self.random.random() < 0.8}
        if self.count > 1 and self.random.random() < 0.2:
            step["if"] = self.random.choice(["steps.s1.status == 'failed'", "size(run.id) > 3"])
        if self.random.random() < 0.4:
            return {**step, "action": "log", "with": {"message": f"hello {self.count}"}}
        well = self.count == 1 or self.random.random() < 0.75
        address = f"{self.url if well else self.nowhere}/{self.count}"
        request = {"url": address, "method": self.random.choice(["GET", "POST"])}
        kept = {"select": {"ok": "output.body.ok"}, "retry": {"attempts": 1}, "on_unknown": "fail"}
        return {**step, "action": "http.request", "with": request, **kept}


def test_random_playbooks_end_alike_in_the_real_processes_and_in_the_simulator(tmp_path: Path) -> None:
    folder = tmp_path / "playbooks"
    folder.mkdir()
    nowhere = f"http://127.0.0.1:{five_free_ports()}"
    names = [f"alike-{seed}" for seed in range(COUNT)]
    with Target() as target:
        for seed, name in enumerate(names):
            (folder / f"{name}.yaml").write_text(Writer(seed, target.url, nowhere).playbook(name))
        with machine(tmp_path, folder) as there:
            runs = {name: there.documents("run", "start", name)[0]["run_id"] for name in names}

            def ended() -> dict[str, str]:
                shown = there.get("/api/v1/runs?limit=200")["items"]
                found = {one["playbook"]: one["status"] for one in shown if one["run_id"] in runs.values()}
                return found if len(found) == COUNT and set(found.values()) <= set(ENDED) else {}

            ends = eventually(ended, 60)
            for name, run_id in runs.items():
                file = folder / f"{name}.test.yaml"
                done = there.cli("run", "export-test", run_id, "-o", str(file))
                assert done.returncode == 0, done.stderr
            tested = there.cli("playbook", "test", str(folder))
    assert set(ends.values()) == {"succeeded", "failed"}, "both ends were reached"
    assert tested.returncode == 0, tested.stdout
    assert re.search(rf"^{COUNT} tests, 0 failed$", tested.stdout, re.MULTILINE)
