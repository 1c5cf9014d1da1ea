"""What belongs to a run, an alert or a playbook, exported from a Pulsebook that did it all for real."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from avro.datafile import DataFileReader
from avro.io import DatumReader

from cli.example import example_alert
from tests.e2e.machine import ROOT, Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PLAYBOOKS = {
    "parent": """
playbook: parent
on: {alert: {endpoint: demo}}
report: [succeeded]
steps:
  - {id: child, run: child, with: {of: alert.scope}}
""",
    "child": """
playbook: child
on: {call: {}}
inputs: {of: {}}
report: [succeeded]
steps:
  - {set: {said: "child of ${{ inputs.of }}"}}
""",
    "other": """
playbook: other
on: {alert: {endpoint: demo}}
steps:
  - {set: {said: true}}
""",
    "unused": """
playbook: unused
on: {call: {}}
steps:
  - {set: {said: true}}
""",
}


@dataclass(frozen=True)
class Done:
    """A machine, and two alerts with their runs by playbook."""

    there: Machine
    alerts: tuple[str, str]
    runs: tuple[dict[str, str], dict[str, str]]

    def export(self, file: Path, *options: str) -> list[dict[str, Any]]:
        """The rows of an export, once its file is verified."""
        made = self.audit("export", str(file), *options)
        assert made.returncode == 0, made.stderr
        verified = self.audit("verify", str(file), "--head", made.stdout.split()[-1])
        assert verified.returncode == 0, verified.stdout
        with DataFileReader(io.BytesIO(file.read_bytes()), DatumReader()) as reader:
            rows: list[dict[str, Any]] = list(reader)  # type: ignore[arg-type]  # rows of a record schema
        return rows

    def audit(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli.main", "audit", *arguments],
            cwd=ROOT,
            env={**self.there.environment, "PULSEBOOK_KAFKA": self.there.servers},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    folder = Path(tmp_path_factory.mktemp("audit"))
    (folder / "playbooks").mkdir()
    for name, text in PLAYBOOKS.items():
        (folder / "playbooks" / f"{name}.yaml").write_text(text)
    with machine(folder, folder / "playbooks") as there:
        alerts, runs = zip(*(_alert_done(there, scope) for scope in ("host:a", "host:b")), strict=True)
        yield Done(there, alerts, runs)


def _alert_done(there: Machine, scope: str) -> tuple[str, dict[str, str]]:
    alert = example_alert()
    alert["metadata"] |= {"ALERT_SCOPE": scope, "ALERT_CYCLE_KEY": scope}
    alert_id = there.post(there.hook, json.dumps(alert).encode())[1]["alert_id"]
    runs = {run["playbook"]: run["run_id"] for run in eventually(lambda: there.ended_runs(alert_id), 40)}
    inbox = there.get(f"/api/v1/runs/{runs['parent']}")
    (step,) = [step for step in inbox["steps"] if step["step"] == "child"]
    runs["child"] = step["child_run_id"]
    eventually(lambda: all(_published(there, runs[name]) for name in ("parent", "child")), 20)
    return alert_id, runs


def _published(there: Machine, run_id: str) -> list[Any]:
    return [event for event in there.events() if f"run:{run_id}" in event["tags"]]


def of(rows: list[dict[str, Any]], topic: str, *types: str) -> list[dict[str, Any]]:
    """The records on a topic, as a person reads them, with their keys."""
    return [
        {**json.loads(row["record"]), "its key": row["key"].decode()}
        for row in rows
        if row["topic"] == topic and (not types or row["type"] in types)
    ]


def runs_in(rows: list[dict[str, Any]]) -> dict[str, set[str]]:
    """By topic: of which runs there is anything."""
    keyed = ("run-inbox", "run-journal", "publications")
    found = {topic: {one["its key"] for one in of(rows, topic)} for topic in keyed}
    found["admissions"] = {one["run_id"] for one in of(rows, "admissions", "Candidate")}
    found["decisions"] = {one["run_id"] for one in of(rows, "decisions", "AdmissionDecided")}
    return found


def alerts_in(rows: list[dict[str, Any]]) -> set[str]:
    ids = {one["alert_id"] for one in of(rows, "alerts")}
    assert ids == {one["alert_id"] for one in of(rows, "decisions", "AlertMatched")}
    return ids


def revisions_in(rows: list[dict[str, Any]]) -> set[str]:
    names = {one["playbook"] for one in of(rows, "catalog", "RevisionAdded")}
    assert names == {one["name"] for one in of(rows, "catalog", "PlaybookSet")}
    return names


def assert_whole(rows: list[dict[str, Any]], runs: set[str], reported: set[str]) -> None:
    """All of these runs and of no others; `reported` are those that Datadog heard of."""
    found = runs_in(rows)
    assert found.pop("publications") == reported
    assert found == dict.fromkeys(found, runs)
    ended = {one["run_id"] for one in of(rows, "admissions", "RunEnded")}
    assert ended == runs


def test_a_run_comes_with_its_children_its_alert_and_its_revisions(done: Done, tmp_path: Path) -> None:
    first, _ = done.runs
    rows = done.export(tmp_path / "run.avro", "--run", first["parent"])
    both = {first["parent"], first["child"]}
    assert_whole(rows, both, both)
    assert alerts_in(rows) == {done.alerts[0]}
    assert revisions_in(rows) == {"parent", "child"}
    assert of(rows, "catalog", "TokenSet") == []


def test_an_alert_comes_with_all_that_followed_from_it(done: Done, tmp_path: Path) -> None:
    _, second = done.runs
    rows = done.export(tmp_path / "alert.avro", "--alert", done.alerts[1])
    assert_whole(rows, set(second.values()), {second["parent"], second["child"]})
    assert alerts_in(rows) == {done.alerts[1]}
    assert revisions_in(rows) == {"parent", "child", "other"}


def test_a_playbook_comes_with_all_its_runs_and_their_alerts(done: Done, tmp_path: Path) -> None:
    rows = done.export(tmp_path / "playbook.avro", "--playbook", "other")
    assert_whole(rows, {runs["other"] for runs in done.runs}, set())
    assert alerts_in(rows) == set(done.alerts)
    assert revisions_in(rows) == {"other"}


def test_several_are_put_together_and_everything_is_all_of_it(done: Done, tmp_path: Path) -> None:
    first, second = done.runs
    rows = done.export(tmp_path / "two.avro", "--run", first["other"], "--run", second["other"])
    assert_whole(rows, {first["other"], second["other"]}, set())
    everything = done.export(tmp_path / "all.avro")
    runs = {*first.values(), *second.values()}
    assert_whole(everything, runs, {each[name] for each in done.runs for name in ("parent", "child")})
    assert revisions_in(everything) == set(PLAYBOOKS)
    replayed = done.audit("verify", str(tmp_path / "all.avro"), "--replay")
    assert (replayed.returncode, "no difference: " in replayed.stdout) == (0, True), replayed.stdout
    part = done.audit("verify", str(tmp_path / "two.avro"), "--replay")
    assert (part.returncode, "--replay needs an export of everything" in part.stderr) == (2, True)
    assert all(row["record"] and row["type"] for row in everything)
