"""`pulsebook audit verify` on a whole machine: while it runs, and over a copy of its topics in which one
record was changed.
"""

import asyncio
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from cli.example import example_alert
from connectors.event_log import Entry, EventLogReader
from connectors.topics_admin import create_topics, planned_topics
from schemas.codec import encode
from schemas.events import JournalRecord, RunFinished
from schemas.topics import TOPICS
from tests.e2e.machine import Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PREFIX, COPY = "pulsebook.", "copied."
ALERTS = 12
BOOKS = {
    "tells": """\
playbook: tells
on: {alert: {}}
admission: {while_running: parallel}
steps:
  - {id: note, action: log, with: {message: "${{ alert.scope }}"}}
  - {id: below, run: called, with: {what: "${{ alert.scope }}"}}
  - publish: {title: "seen ${{ alert.scope }}"}
report: [succeeded, failed]
""",
    "called": """\
playbook: called
on: {call: {}}
inputs: {what: {default: nothing}}
admission: {max_running: 2}
steps: [{id: note, action: log, with: {message: "${{ inputs.what }}"}}]
""",
    "rare": """\
playbook: rare
on: {alert: {}}
admission: {cooldown: 1h}
steps: [{id: note, action: log, with: {message: rare}}]
""",
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = Path(tmp_path_factory.mktemp("audited"))
    (folder / "books").mkdir()
    for name, text in BOOKS.items():
        (folder / "books" / f"{name}.yaml").write_text(text)
    with machine(folder, folder / "books") as made:
        for number in range(ALERTS):
            alert = example_alert()
            alert["metadata"]["ALERT_SCOPE"] = f"host:h{number % 5}"
            status, answer = made.post(made.hook, json.dumps(alert).encode())
            assert status == 202, answer
        made.post(made.hook, b"no JSON", "text/plain")
        eventually(lambda: runs(made) >= 2 * ALERTS, 60)
        yield made


def runs(on: Machine) -> int:
    items = on.get("/api/v1/runs?limit=100")["items"]
    return sum(run["status"] in ("succeeded", "failed") for run in items)


def verify(on: Machine, *options: str, prefix: str = PREFIX) -> tuple[int, list[Any]]:
    """Exit code and documents."""
    on.environment |= {"PULSEBOOK_KAFKA": on.servers, "PULSEBOOK_TOPIC_PREFIX": prefix}
    done = on.cli("audit", "verify", "--json", *options)
    assert done.stdout, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_a_machine_that_works_verifies_while_it_works(busy: Machine) -> None:
    code, documents = verify(busy)
    assert (code, [one for one in documents if "difference" in one]) == (0, [])
    summary = documents[-1]["summary"]
    equal = {row["topic"]: row["equal"] for row in summary["topics"]}
    assert min(equal["decisions"], equal["admissions"], equal["run-journal"], equal["publications"]) >= ALERTS
    assert summary["verdict"].startswith("no difference: ")


def test_many_processes_come_to_the_same(busy: Machine) -> None:
    one, many = verify(busy, "--processes", "1"), verify(busy, "--processes", "3")
    assert (one[0], many[0]) == (0, 0)
    assert one[1][-1]["summary"]["verdict"] == many[1][-1]["summary"]["verdict"]


def test_one_run_verifies_and_a_person_reads_the_verdict(busy: Machine) -> None:
    verify(busy)  # sets the environment
    run_id = busy.get("/api/v1/runs?limit=1")["items"][0]["run_id"]
    done = busy.cli("audit", "verify", "--run", run_id)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("no difference: ")
    unknown = busy.cli("audit", "verify", "--run", "r-nobody")
    assert unknown.returncode == 1
    assert "nothing about r-nobody" in unknown.stderr


def test_one_changed_record_in_a_copy_is_named_with_both_sides(busy: Machine) -> None:
    changed = asyncio.run(copy_with_a_change(busy.servers))
    busy.environment |= {"PULSEBOOK_KAFKA": busy.servers, "PULSEBOOK_TOPIC_PREFIX": COPY}
    code, documents = verify(busy, prefix=COPY)
    differences = [one["difference"] for one in documents if "difference" in one]
    assert code == 1
    assert [(one["what"], one["at"]) for one in differences] == [("differs", changed)]
    assert [(one["path"].rpartition(".")[2], one["found"]) for one in differences[0]["fields"]] == [
        ("message", "forged")
    ]
    done = busy.cli("audit", "verify")
    assert f"differs: JournalRecord run {differences[0]['found']['run_id']}" in done.stdout
    assert changed in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 difference (1 differs); ")


async def copy_with_a_change(servers: str) -> str:
    """Copies all topics to another prefix, with their times; where the changed record lies."""
    kafka = {"bootstrap_servers": servers}
    reader = EventLogReader(kafka, TOPICS, PREFIX)
    entries = [entry async for batch in reader.read() for entry in batch]
    partitions = (await reader.partition_counts())["run-journal"]
    planned = [
        dataclasses.replace(topic, config={**topic.config, "message.timestamp.type": "CreateTime"})
        for topic in planned_topics(COPY, partitions, 1)
    ]
    await create_topics(kafka, planned)
    last = max(
        (one for one in entries if is_end(one)), key=lambda one: (one.at_ms, one.partition, one.offset)
    )
    producer = AIOKafkaProducer(**kafka)
    await producer.start()
    for one in sorted(entries, key=lambda each: (each.topic, each.partition, each.offset)):
        value = forged(one) if one is last else one.value
        sent = await producer.send_and_wait(
            COPY + one.topic, value, one.key, one.partition, one.at_ms, list(one.headers)
        )
        assert sent.offset == one.offset
    await producer.stop()
    return f"{last.topic}/{last.partition}@{last.offset}"


def is_end(entry: Entry) -> bool:
    record = entry.record
    return isinstance(record, JournalRecord) and any(isinstance(one, RunFinished) for one in record.events)


def forged(entry: Entry) -> bytes:
    record = entry.record
    assert isinstance(record, JournalRecord)
    events = tuple(
        replace(one, message="forged") if isinstance(one, RunFinished) else one for one in record.events
    )
    return encode(replace(record, events=events))
