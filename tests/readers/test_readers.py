"""Readers of `run-journal` that know nothing of ours but the schemas read what Pulsebook itself reads."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cli.example import example_alert
from connectors.event_log import Entry, EventLogReader
from engine.journal import without_repeats
from schemas.codec import decode, encode
from schemas.events import JournalRecord
from schemas.topics import RUN_JOURNAL
from tests.e2e.machine import Machine, eventually, machine
from tests.readers.programs import ROOT, Read, java_reader, python_reader

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

OLD = ROOT / "tests" / "golden" / "schemas" / "old" / "JournalRecord.v1.bin"
BOOKS = {
    "many-kinds": """\
inputs:
  names: {type: list, default: ["ä", "b", "日本"]}
  ratio: {type: float, default: 0.25}
steps:
  - id: each
    foreach: inputs.names
    as: name
    steps:
      - {id: say, action: log, with: {message: 'it is "${{ name }}" \\ ${{ inputs.ratio }}'}}
  - id: both
    parallel:
      one: [{publish: {title: "${{ alert.title }}", text: "für alle"}}]
      two: [{if: "false", set: {never: 1}}, {set: {big: 12345678901234, nested: {a: [1, 2.5, null]}}}]
  - {id: asks, ask: {question: Go on?, choices: [go, stop], timeout: 2s, on_timeout: go}}
outputs: {big: "${{ vars.big }}"}
""",
    "failing": """\
steps:
  - id: call
    action: http.request
    with: {url: "http://127.0.0.1:1/"}
    retry: {attempts: 2, delay: 200ms}
finally:
  - {id: after, action: log, with: {message: over}}
""",
}


class Journal(NamedTuple):
    """A real journal, as it lies on a real topic."""

    on: Machine
    entries: list[Entry]

    @property
    def servers(self) -> str:
        return self.on.servers


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    folder = Path(tmp_path_factory.mktemp("readers"))
    books = folder / "books"
    books.mkdir()
    for name, text in BOOKS.items():
        (books / f"{name}.yaml").write_text(f"playbook: {name}\non: {{alert: {{}}, call: {{}}}}\n{text}")
    with machine(folder, books) as on:
        assert on.said.count(": applied") == len(BOOKS), on.said
        for at in range(5):
            alert = example_alert()
            alert["metadata"] |= {
                "ALERT_SCOPE": f"host:ünïcode-{at}",
                "EVENT_TITLE": f'läuft "{at}" \\ \n voll',
            }
            status, answer = on.post(on.hook, json.dumps(alert).encode())
            assert status == 202, answer
            eventually(partial(on.ended_runs, answer["alert_id"]))
        yield Journal(on, asyncio.run(entries(on.servers)))


@pytest.fixture(scope="module", params=["python", "java"])
def read(request: pytest.FixtureRequest, kafka_cache_dir: Path) -> Read:
    return {"python": python_reader, "java": java_reader}[request.param](kafka_cache_dir)


async def entries(servers: str) -> list[Entry]:
    log = EventLogReader({"bootstrap_servers": servers}, [RUN_JOURNAL])
    return [entry async for batch in log.read() for entry in batch]


def expected(records: Iterable[JournalRecord]) -> dict[str, list[dict[str, Any]]]:
    """What Pulsebook itself reads, as the readers print it."""
    runs: dict[str, list[JournalRecord]] = {}
    for record in records:
        runs.setdefault(record.run_id, []).append(record)
    return {
        run_id: [
            {
                "run_id": run_id,
                "seq": record.seq,
                "at_ms": record.at_ms,
                "playbook": record.playbook,
                "event": type(event).__name__,
                "fields": msgspec.json.decode(msgspec.json.encode(event)),
            }
            for record in without_repeats(held)
            for event in record.events
        ]
        for run_id, held in runs.items()
    }


def records_of(journal: Journal) -> list[JournalRecord]:
    records = [entry.record for entry in journal.entries]
    assert all(isinstance(record, JournalRecord) for record in records)
    return [record for record in records if isinstance(record, JournalRecord)]


def test_every_event_of_a_real_journal_is_read_with_all_its_fields(journal: Journal, read: Read) -> None:
    wanted = expected(records_of(journal))
    kinds = {line["event"] for lines in wanted.values() for line in lines}
    assert kinds >= {"RunStarted", "LoopEntered", "StepAsked", "StepRetryScheduled", "StepFailed", "VarsSet"}
    assert len(wanted) == 10

    printed = read(journal.servers, "pulsebook.run-journal")

    assert printed.passed_over == []
    found = printed.by_run()
    assert found.keys() == wanted.keys()
    for run_id, lines in wanted.items():
        assert found[run_id] == lines


def test_repeats_are_dropped_old_versions_are_read_and_what_is_no_record_is_passed_over(
    journal: Journal, read: Read
) -> None:
    old = OLD.read_bytes()
    known = decode(old)
    assert isinstance(known, JournalRecord)
    later = encode(records_of(journal)[0])[:2] + b"\x01" * 8 + b"of a later version"
    some = [(entry.key, entry.value) for entry in journal.entries[:40]]
    strange = [(b"k", b"junk"), (None, b""), (b"k", later), (b"k", None), (b"old", old)]
    topic = f"t{uuid4().hex[:8]}.run-journal"
    # Written again after a crash: all of it, from an earlier place on.
    asyncio.run(written(journal.servers, topic, [*some, *strange, *some[5:]]))

    printed = read(journal.servers, topic)

    found = printed.by_run()
    wanted = expected([*records_of(journal)[:40], known])
    assert found.keys() == wanted.keys()
    for run_id, lines in wanted.items():
        assert found[run_id] == lines
    assert len(printed.passed_over) == 4


async def written(servers: str, topic: str, messages: list[tuple[bytes | None, bytes | None]]) -> None:
    """A topic with two partitions, each with what its keys belong to, compressed as ours are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers, compression_type="lz4")
    await producer.start()
    for key, value in messages:
        await producer.send_and_wait(topic, value, key=key)
    await producer.stop()
