"""What comes in broken is explained and stops nothing; a broker that dies comes back, and nothing is lost."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from schemas.alerts import AlertReceived
from schemas.codec import encode
from tests.e2e.flow import send_steadily
from tests.e2e.machine import Machine, eventually, machine
from tests.e2e.test_kill import settled

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PLAYBOOKS = {
    "notes.yaml": """\
playbook: notes
on:
  alert: {endpoint: demo}
  call: {}
admission: {max_running: 1000}
steps:
  - id: note
    action: log
    with: {message: "seen ${{ alert.title }}"}
report: [failed, succeeded]
""",
    "errs.yaml": """\
playbook: errs
on: {call: {}}
inputs:
  numbers: {type: list}
steps:
  - id: divide
    action: log
    with: {message: "${{ string(1 / int(inputs.numbers[0])) }}"}
""",
    "not-yaml.yaml": "playbook: [broken\n  : :",
}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("bad"))
    playbooks = folder / "playbooks"
    playbooks.mkdir()
    for name, text in PLAYBOOKS.items():
        (playbooks / name).write_text(text)
    with machine(folder, playbooks) as made:
        yield made


async def produce(up: Machine, *values: bytes) -> list[tuple[int, int]]:
    """Put these on `alerts` as a producer of somebody's own would; partition and offset of each."""
    producer = AIOKafkaProducer(bootstrap_servers=up.servers)
    await producer.start()
    try:
        headers = [("endpoint", b"demo")]
        placed = [await producer.send_and_wait("pulsebook.alerts", each, headers=headers) for each in values]
    finally:
        await producer.stop()
    return [(each.partition, each.offset) for each in placed]


async def test_garbage_and_a_truncated_record_become_dead_letters_and_the_next_alert_goes_on(
    up: Machine,
) -> None:
    garbage = b"\x8f\x00\xffgarbage"
    whole = encode(AlertReceived(alert_id="a-cut", endpoint="demo", received_at_ms=1, raw=b"{}"))
    good = json.dumps({"title": "from a producer", "scope": "host:producer"}).encode()
    placed = await produce(up, garbage, whole[:-7], good)

    async def letters() -> dict[tuple[int, int], dict[str, Any]]:
        listed = await asyncio.to_thread(up.documents, "deadletter", "list")
        return {(each["partition"], each["offset"]): each for each in listed}

    async with asyncio.timeout(30):
        while not set(placed[:2]) <= set(found := await letters()):
            await asyncio.sleep(0.3)
    for place in placed[:2]:
        letter = found[place]
        assert letter["topic"].endswith("alerts")
        shown = await asyncio.to_thread(up.cli, "deadletter", "show", letter["id"])
        assert letter["reason"] in shown.stdout

    def ran() -> list[Any]:
        runs = up.get("/api/v1/runs?playbook=notes")["items"]
        return [run for run in runs if run["title"] == "from a producer" and run["status"] == "succeeded"]

    await asyncio.to_thread(eventually, ran)


def test_a_playbook_that_is_no_yaml_is_told_with_its_line_and_the_others_are_active(up: Machine) -> None:
    line = next(line for line in up.said.splitlines() if "not-yaml.yaml:" in line)
    assert ": error: " in line
    assert {each["name"] for each in up.documents("playbook", "list")} == {"notes", "errs"}


def test_an_expression_that_fails_at_run_time_fails_its_run_with_the_reason(up: Machine) -> None:
    done = up.cli("run", "start", "errs", "-i", "numbers=[0]", "--wait")
    assert done.returncode == 1
    assert "bad_input" in done.stdout
    fine = up.cli("run", "start", "errs", "-i", "numbers=[4]", "--wait")
    assert fine.returncode == 0, fine.stdout + fine.stderr


def test_an_input_of_the_wrong_type_is_refused_before_anything_starts(up: Machine) -> None:
    done = up.cli("run", "start", "errs", "-i", "numbers=many")
    assert done.returncode == 2
    assert "should be a list" in done.stderr


async def test_a_broker_that_is_killed_comes_back_and_nothing_is_lost(up: Machine) -> None:
    async def kill_broker() -> None:
        await asyncio.sleep(2)
        psutil.Process(up.broker_pid).kill()

    accepted, _ = await asyncio.gather(send_steadily(up.hook, 20, 6.0, "broker"), kill_broker())
    log = await settled(up, accepted)
    assert "the broker ended; starting it again" in up.said
    assert "the broker is back" in up.said
    assert len(set(accepted)) == 20
    assert log.gaps() == {}
    ended = log.ended()
    runs = {one.run_id for each in accepted for one in log.decided[each]}
    assert {ended[run].status for run in runs} == {"succeeded"}
