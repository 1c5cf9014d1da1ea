"""`pulsebook up` as a process: starting, stopping, starting again, and what keeps it from starting."""

import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import ROOT, STOP_WITHIN_S, Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One that every test here leaves running, with a folder of playbooks of its own."""
    folder = Path(tmp_path_factory.mktemp("up"))
    playbooks = folder / "playbooks"
    shutil.copytree(ROOT / "playbooks", playbooks)
    with machine(folder, playbooks) as made:
        yield made


def test_ctrl_c_ends_everything_and_the_next_start_goes_on_with_the_same_data(up: Machine) -> None:
    (sent,) = up.documents("alert", "send", "--example")
    runs = eventually(lambda: up.ended_runs(sent["alert_id"]))
    hook = up.hook

    took_s = up.stop()

    assert up.running.returncode == 0
    assert took_s < STOP_WITHIN_S
    assert up.left_over() == []
    assert up.said.splitlines()[-2:] == ["stopping", f"stopped; the data stays in {up.data}"]

    up.start()
    assert up.hook == hook
    assert eventually(lambda: up.ended_runs(sent["alert_id"])) == runs
    assert up.post(hook, b'{"title": "after the restart"}')[0] == 202


def test_nothing_survives_a_kill_of_the_supervisor_and_the_next_start_goes_on_at_once(up: Machine) -> None:
    (sent,) = up.documents("alert", "send", "--example")

    up.running.kill()
    up.running.wait()
    eventually(lambda: up.left_over() == [], STOP_WITHIN_S)

    up.start()
    trace = eventually(lambda: up.cli("alert", "trace", sent["alert_id"]).stdout)
    assert "received" in trace


def test_a_second_up_on_the_same_data_is_refused_in_one_sentence(up: Machine) -> None:
    refused = _refused_up("--data", str(up.data), "--port", str(up.port + 5))
    assert refused.returncode == 2
    assert refused.stdout == b""
    (sentence,) = refused.stderr.decode().splitlines()
    assert "another `pulsebook up` is running" in sentence
    assert "--data" in sentence


def test_a_busy_port_is_refused_in_one_sentence(up: Machine, tmp_path: Path) -> None:
    refused = _refused_up("--data", str(tmp_path), "--port", str(up.port - 2))
    assert refused.returncode == 2
    (sentence,) = refused.stderr.decode().splitlines()
    assert f"port {up.port} (for processor) is in use" in sentence
    assert "--port" in sentence


def test_a_download_that_is_blocked_is_told_in_one_sentence_with_the_way_out(tmp_path: Path) -> None:
    blocked = Machine(
        tmp_path,
        environment={
            "PULSEBOOK_CACHE_DIR": str(tmp_path / "cache"),
            "PULSEBOOK_MAVEN_URL": "http://127.0.0.1:9",
        },
    )
    blocked.up()
    assert blocked.running.wait(60) == 3
    last = blocked.said.splitlines()[-1]
    assert "could not fetch" in last
    assert "--kafka HOST:PORT" in last
    assert "Traceback" not in blocked.said
    assert blocked.left_over() == []


def test_a_data_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = _refused_up("--data", str(tmp_path / "file" / "data"))
    assert refused.returncode == 2
    (sentence,) = refused.stderr.decode().splitlines()
    assert "cannot use the data folder" in sentence


def test_ctrl_c_while_the_broker_starts_ends_everything(tmp_path: Path) -> None:
    early = Machine(tmp_path)
    early.up()
    eventually(lambda: (early.data / "kafka" / "java.log").exists(), 30)
    early.running.send_signal(signal.SIGINT)
    assert early.running.wait(STOP_WITHIN_S) == 0
    assert early.left_over() == []
    assert "Traceback" not in early.said


def test_the_address_of_the_demo_endpoint_is_kept_for_its_owner_alone(up: Machine) -> None:
    kept = up.data / "demo-endpoint.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert up.hook.rsplit("/", 1)[1] in kept.read_text()


def test_a_playbook_saved_in_the_folder_is_applied_and_a_broken_one_changes_nothing(up: Machine) -> None:
    mine = up.playbooks / "mine"
    assert up.cli("init", str(mine)).returncode == 0
    eventually(lambda: "playbook hello: applied" in up.said)
    before = up.documents("playbook", "list")
    file = mine / "hello.yaml"
    file.write_text(file.read_text().replace("steps:", "stebs:"))
    eventually(lambda: f"{file}: refused, nothing changed" in up.said)
    assert f"{file}:" in next(
        line for line in up.said.splitlines() if "stebs" in line and ": error: " in line
    )
    assert up.documents("playbook", "list") == before


def _refused_up(*options: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "up", *options],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
