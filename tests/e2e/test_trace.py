"""`alert trace` and `--all` in the real processes, with more playbooks than matching looks at one by one."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from cli.example import example_alert
from engine.matching import LOOKED_MAX
from tests.e2e.machine import Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

FAR = LOOKED_MAX + 20
BOOK = """\
playbook: {name}
on: {{alert: {{{trigger}}}}}
steps:
  - {{id: note, action: log, with: {{message: hello}}}}
  - {{id: wait, wait: {{until: recovered, timeout: 60s}}}}
"""
CALLED = "playbook: called\non: {call: {}}\nsteps: [{id: note, action: log, with: {message: hello}}]\n"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("many"))
    books = folder / "books"
    books.mkdir()
    far = {f"far-{at:03}": f"endpoint: other, monitor: '{at}'" for at in range(FAR)}
    for name, trigger in {**far, "fits": "tags: {case: fits}", "prod": "endpoint: prod"}.items():
        (books / f"{name}.yaml").write_text(BOOK.format(name=name, trigger=trigger))
    (books / "called.yaml").write_text(CALLED)
    with machine(folder, books) as made:
        yield made


def traced(on: Machine, alert_id: str, *options: str) -> Any:
    done = on.cli("alert", "trace", alert_id, "--json", *options)
    return json.loads(done.stdout) if done.returncode == 0 else None


def send(on: Machine, **metadata: str) -> str:
    alert = example_alert()
    alert["metadata"] |= {"TAGS": "case:fits", "ALERT_SCOPE": "host:a", "ALERT_CYCLE_KEY": "c-1", **metadata}
    status, answer = on.post(on.hook, json.dumps(alert).encode())
    assert status == 202, answer
    return str(answer["alert_id"])


def test_every_playbook_is_told_of_with_what_was_false_and_the_recomputed_marked(
    many: Machine,
) -> None:
    alert_id = send(many)
    trace = eventually(lambda: traced(many, alert_id, "--all"))
    looked = {each["playbook"]: each for each in trace["playbooks"]}
    items = {each["playbook"]: each for each in trace["recomputed"]["items"]}

    assert looked["fits"]["matched"]
    assert trace["alert"]["ruled_out"] == trace["recomputed"]["total"] == len(items)
    assert {*looked, *items} == {"fits", "prod", "called", *(f"far-{at:03}" for at in range(FAR))}
    assert len(looked) + len(items) == FAR + 3
    assert items["far-003"]["detail"] == "wanted endpoint other, alert has demo"
    assert items["called"]["clause"] == "on"
    shown = many.cli("alert", "trace", alert_id, "--all").stdout
    assert shown.count("(recomputed)") == len(items)
    assert many.cli("alert", "trace", alert_id).stdout.count("recomputed") == 0


def test_a_run_and_the_recovery_that_it_heard_of_name_each_other(many: Machine) -> None:
    scope = {"ALERT_SCOPE": "host:b", "ALERT_CYCLE_KEY": "c-2"}
    alert_id = send(many, **scope)
    eventually(lambda: "waiting" in many.cli("alert", "trace", alert_id).stdout)
    recovered = send(many, **scope, ALERT_TRANSITION="Recovered")

    trace = eventually(lambda: (found := traced(many, recovered)) and found["recovery"]["heard"] and found)

    (heard,) = trace["recovery"]["heard"]
    shown = eventually(
        lambda: (text := many.cli("alert", "trace", alert_id).stdout).count("succeeded") > 1 and text
    )
    assert heard["run_id"] in shown
    assert f"heard of the recovery {recovered}" in shown
    assert "note  log  succeeded" in shown


def test_what_nobody_could_read_has_its_dead_letter_and_a_producers_alert_its_endpoint(many: Machine) -> None:
    status, answer = many.post(many.hook, b"hello \xff world")
    assert (status, answer["parsed"]) == (202, False)
    trace = eventually(
        lambda: (found := traced(many, answer["alert_id"])) and found["dead_letters"] and found
    )
    assert trace["dead_letters"][0]["reason"] == trace["alert"]["unparsable"]

    place = asyncio.run(produced(many, {"title": "from a producer"}))
    found = eventually(lambda: traced(many, place, "--all"))
    assert found["alert"]["source"] == "kafka"
    assert [each["playbook"] for each in found["playbooks"] if each["matched"]] == ["prod"]
    far = {each["detail"] for each in found["recomputed"]["items"] if each["playbook"].startswith("far-")}
    assert far == {"wanted endpoint other, alert has prod"}
    assert found["recomputed"]["total"] == found["alert"]["ruled_out"]


async def produced(on: Machine, alert: Any) -> str:
    """A producer's own JSON; its place."""
    producer = AIOKafkaProducer(bootstrap_servers=on.servers)
    await producer.start()
    try:
        headers = [("endpoint", b"prod")]
        sent = await producer.send_and_wait("pulsebook.alerts", json.dumps(alert).encode(), headers=headers)
    finally:
        await producer.stop()
    return f"alerts/{sent.partition}/{sent.offset}"
