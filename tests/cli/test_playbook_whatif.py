"""`pulsebook playbook whatif` on a real Kafka: what it says, its exit codes, and that it only ever reads."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection

from audit.whatif.asking import Question
from cli.whatif_shown import Shown
from connectors.event_log import EventLogReader
from tests.audit.whatif.history import MINUTE_MS, History
from tests.cli.conftest import Pulsebook

pytestmark = pytest.mark.kafka

FIX = """
playbook: fix
on: {alert: {tags: {service: checkout}}}
steps:
  - {id: look, action: log, with: {message: "${{ alert.host }}"}}
  - {id: page, if: "steps.look.output.message == 'web-1'", action: log, with: {message: page}}
"""
READING = {"ApiVersionRequest", "MetadataRequest", "ListOffsetsRequest", "OffsetRequest", "FetchRequest"}
"""Kafka's requests that change nothing."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Which requests the brokers got, by name. There is no producer, and no HTTP."""
    found: Counter[str] = Counter()
    plain = AIOKafkaConnection.send

    def send(connection: Any, request: Any, *more: Any, **named: Any) -> Any:
        found[type(request).__name__.partition("_")[0]] += 1
        return plain(connection, request, *more, **named)

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("it acts")

    monkeypatch.setattr(AIOKafkaConnection, "send", send)
    monkeypatch.setattr(AIOKafkaProducer, "start", never)
    monkeypatch.setattr(httpx.AsyncClient, "send", never)
    yield found


@pytest.fixture
def past(
    monkeypatch: pytest.MonkeyPatch,
    kafka_servers: str,
    topic_prefix: str,
    pulsebook: Pulsebook,
    tmp_path: Path,
) -> None:
    """A Kafka on which `fix` is active and two alerts have come, one of them with a page."""
    monkeypatch.setenv("PULSEBOOK_KAFKA", kafka_servers)
    monkeypatch.setenv("PULSEBOOK_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("PULSEBOOK_PARTITIONS", "2")
    monkeypatch.setenv("PULSEBOOK_REPLICATION", "1")
    assert pulsebook("topics", "create").exit_code == 0
    happened = History(FIX)
    happened.comes(0, host="web-1", title="first")
    happened.comes(MINUTE_MS, host="web-2", title="second", cycle_key="c2", scope="service:b")
    happened.finish()

    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=kafka_servers) as producer:
            for (topic, partition), entries in happened.log.entries.items():
                for entry in entries:
                    name = topic_prefix + topic
                    await producer.send_and_wait(name, entry.value, entry.key, partition)

    asyncio.run(write())
    (tmp_path / "same").mkdir()
    (tmp_path / "same" / "fix.yaml").write_text(FIX)
    (tmp_path / "changed").mkdir()
    (tmp_path / "changed" / "fix.yaml").write_text(FIX.replace("'web-1'", "'web-2'"))


def test_the_active_playbooks_change_nothing(past: None, pulsebook: Pulsebook) -> None:
    told = pulsebook("playbook", "whatif", "same", "--since", "1h", "--fail-on-change")
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout == "1 playbook: 1 the same\nnothing would change: these are the active playbooks\n"
    every = pulsebook("playbook", "whatif", "same", "--since", "1h", "--fail-on-change", "--all")
    assert (every.exit_code, "nothing would change for the alerts of this period" in every.stdout) == (
        0,
        True,
    )


def test_what_would_change_is_told_for_people(past: None, pulsebook: Pulsebook) -> None:
    told = pulsebook("playbook", "whatif", "changed", "--since", "1h")
    assert told.exit_code == 0, told.stderr
    assert "2 alerts from" in told.stdout
    assert "fix: 2 would go another way" in told.stdout
    assert "page: would no longer run (skipped)" in told.stdout
    assert "page: would now run (succeeded) [assumed: not done on record" in told.stdout
    few = pulsebook("playbook", "whatif", "changed", "--show", "1")
    assert ("2 differences; the first 1:" in few.stdout, "first" in few.stdout, "second" in few.stdout) == (
        True,
        True,
        False,
    )
    assert pulsebook("playbook", "whatif", "changed", "--fail-on-change").exit_code == 1


def test_that_a_disabled_playbook_starts_nothing_on_either_side_is_told() -> None:
    past = History(FIX, disabled=("fix",))
    past.comes(0, host="web-1", title="first")
    report = asyncio.run(past.asked(FIX.replace("'web-1'", "'web-2'"))).report
    with pytest.MonkeyPatch.context() as patch:
        told: list[str] = []
        patch.setattr("cli.whatif_shown.say", lambda text="": told.append(text))
        Shown(10).show(report, Question(()))
    assert any(line.startswith("fix is disabled, and stays so with these files") for line in told), told


def test_machines_get_every_change_and_a_summary(past: None, pulsebook: Pulsebook) -> None:
    told = pulsebook("playbook", "whatif", "changed", "--json", "--fail-on-change", "--show", "0")
    assert told.exit_code == 1
    documents = [json.loads(line) for line in told.stdout.splitlines()]
    assert [one["record"] for one in documents] == ["change", "change", "playbook", "summary"]
    assert {one["title"]: one["steps"][0]["how"] for one in documents[:2]} == {
        "first": "no_longer_runs",
        "second": "now_runs",
    }
    assert documents[2]["steps"]["page"] == {"before": 1, "after": 1, "assumed": 1}
    assert documents[3]["differences"] == 2


def test_it_only_reads_and_every_topic_ends_where_it_did(
    past: None, pulsebook: Pulsebook, kafka_servers: str, topic_prefix: str, request: pytest.FixtureRequest
) -> None:
    def ends() -> dict[tuple[str, int], int]:
        return asyncio.run(EventLogReader({"bootstrap_servers": kafka_servers}, prefix=topic_prefix).ends())

    before = ends()
    asked: Counter[str] = request.getfixturevalue("asked")
    told = pulsebook("playbook", "whatif", "changed", "--since", "1h", "--fail-on-change")
    assert (told.exit_code, told.stderr) == (1, "")
    assert asked["FetchRequest"] > 0
    assert {name: count for name, count in asked.items() if name not in READING} == {}
    assert ends() == before


def test_files_with_errors_are_told_as_lint_tells_them(
    past: None, pulsebook: Pulsebook, tmp_path: Path
) -> None:
    (tmp_path / "changed" / "fix.yaml").write_text(FIX.replace("action: log", "action: lag", 1))
    told = pulsebook("playbook", "whatif", "changed")
    assert (told.exit_code, told.stderr) == (
        2,
        "mend these first: such files would not be applied\n",
    )
    assert "changed/fix.yaml:5:" in told.stdout
    assert pulsebook("playbook", "whatif", "nowhere").exit_code == 2
    assert pulsebook("playbook", "whatif", "same", "--since", "soon").exit_code == 2


def test_without_a_kafka_that_answers_the_exit_code_says_so(past: None, pulsebook: Pulsebook) -> None:
    told = pulsebook("playbook", "whatif", "same", env={"PULSEBOOK_KAFKA": "127.0.0.1:9"})
    assert (told.exit_code, "127.0.0.1:9" in told.stderr) == (3, True)
