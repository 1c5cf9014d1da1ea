"""What people do by hand on a whole Pulsebook: answer, cancel what waits, put dead letters back."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.chaos.target import Target
from tests.e2e.machine import Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

ASKING = """
playbook: asking
on: {{call: {{}}}}
steps:
  - {{id: restart, action: http.request, with: {{method: POST, url: "{url}/restart"}}, on_unknown: ask}}
"""
SLOW = """
playbook: slow
on: {{call: {{}}}}
admission: {{max_running: 1}}
steps:
  - {{id: look, action: http.request, with: {{url: "{url}/slow"}}}}
"""


@pytest.fixture(scope="module")
def hanging_up() -> Iterator[str]:
    """A server that takes every request and hangs up: nobody knows what it did."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()

        def serve() -> None:
            server.settimeout(0.2)
            while not stopped.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                connection.recv(65_536)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stopped.set()
        thread.join()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, hanging_up: str) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("by-hand"))
    (folder / "playbooks").mkdir()
    with Target(25.0) as slow:
        (folder / "playbooks" / "asking.yaml").write_text(ASKING.format(url=hanging_up))
        (folder / "playbooks" / "slow.yaml").write_text(SLOW.format(url=slow.url))
        with machine(folder, folder / "playbooks") as made:
            yield made


def start(there: Machine, playbook: str, status: str) -> str:
    """Start a playbook; the id of its run, once it is so."""
    (started,) = there.documents("run", "start", playbook)
    run_id = str(started["run_id"])
    eventually(lambda: shown(there, run_id).get("status") == status)
    return run_id


def shown(there: Machine, run_id: str) -> Any:
    done = there.cli("run", "show", run_id, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else {}


def test_an_unknown_outcome_is_asked_and_the_first_answer_wins(there: Machine) -> None:
    run_id = start(there, "asking", "waiting")
    said = there.cli("run", "show", run_id).stdout
    assert "asks      restart: It is not known whether step `restart`" in said
    assert f"answer with: pulsebook run answer {run_id} restart retry" in said
    assert there.cli("run", "answer", run_id, "restart", "maybe").returncode == 2

    with ThreadPoolExecutor() as people:
        choices = ("fail", "continue")
        first, second = people.map(
            lambda choice: there.cli("run", "answer", run_id, "restart", choice), choices
        )

    assert sorted((first.returncode, second.returncode)) == [0, 1]
    won = choices[0] if first.returncode == 0 else choices[1]
    lost = second if first.returncode == 0 else first
    assert lost.stderr == f"the step restart was answered already, by local: {won}\n"
    run = eventually(lambda: (found := shown(there, run_id)).get("ended_at_ms") and found)
    assert run["status"] == {"fail": "failed", "continue": "succeeded"}[won]
    assert run["steps"][0]["answer"] == won


def test_a_queued_run_is_cancelled_by_its_id(there: Machine) -> None:
    active = start(there, "slow", "running")
    queued = start(there, "slow", "queued")

    done = there.cli("run", "cancel", queued, "--reason", "not needed")

    assert (done.returncode, done.stdout) == (0, f"run {queued}: cancel requested\n")
    run = eventually(lambda: (found := shown(there, queued))["status"] == "dropped" and found)
    assert run["message"] == "cancelled: local cancelled it: not needed"
    again = there.cli("run", "cancel", queued)
    assert (again.returncode, "the run has ended: dropped" in again.stderr) == (1, True)
    assert there.cli("run", "cancel", active).returncode == 0
    eventually(lambda: shown(there, active)["status"] == "cancelled")


async def test_a_dead_letter_that_is_redriven_is_judged_anew_and_knows_where_it_came_from(
    there: Machine,
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=there.servers) as producer:
        await producer.send_and_wait("pulsebook.run-inbox", b"garbage", key=b"k", headers=[("who", b"me")])

    (letter,) = eventually(lambda: there.documents("deadletter", "list", "--topic", "run-inbox"))
    redriven = there.cli("deadletter", "redrive", letter["id"], "--reason", "try it")

    assert redriven.returncode == 0, redriven.stderr
    assert "lies at run-inbox/" in redriven.stdout
    (newer,) = eventually(lambda: there.documents("deadletter", "list", "--topic", "run-inbox"))
    assert newer["id"] != letter["id"]
    (whole,) = there.documents("deadletter", "show", newer["id"])
    assert (whole["key"], whole["value"], whole["headers"]["who"]) == ("k", "garbage", "me")
    place = letter["id"].replace("-", "/")
    assert json.loads(whole["headers"]["pulsebook-redriven"])["letter"] == f"dead-letters/{place}"
    dropped = there.cli("deadletter", "drop", "--topic", "run-inbox", "--reason", "garbage", "--yes")
    assert dropped.stdout.endswith("1 of 1 dropped\n"), dropped.stderr
