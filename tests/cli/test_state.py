"""`pulsebook state rebuild`: what it refuses, and what it says, with processes that are played."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from cli.rebuild_progress import TABLES
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topics_admin import create_topics, planned_topics
from schemas.catalog import RebuildReported, SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG
from tests.cli.conftest import Pulsebook

PARTITIONS = 2


def test_without_yes_it_says_what_it_would_do_and_does_nothing(
    pulsebook: Pulsebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSEBOOK_KAFKA", "127.0.0.1:1")
    refused = pulsebook("state", "rebuild")
    assert refused.exit_code == 2
    assert "makes them again from the topics, a partition at a time" in refused.stderr
    assert "Nothing was done: say --yes to do it." in refused.stderr


def test_it_takes_tables_or_read_models(pulsebook: Pulsebook) -> None:
    refused = pulsebook("state", "rebuild", "--yes", "--only", "journal")
    assert refused.exit_code == 2
    assert refused.stderr == "--only journal: it takes tables or read-models\n"


def test_without_a_broker_it_ends_with_one_sentence(
    pulsebook: Pulsebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULSEBOOK_KAFKA", "127.0.0.1:1")
    refused = pulsebook("state", "rebuild", "--yes")
    assert refused.exit_code == 3
    assert "127.0.0.1:1" in refused.stderr and refused.stderr.count("\n") == 1


class Played:
    """Processor and sink: they report of each request that they read. `only`: the tables that they report
    of.
    """

    def __init__(self, servers: str, prefix: str) -> None:
        self.kafka = {"bootstrap_servers": servers}
        self.prefix = prefix
        self.only: set[str] = set(TABLES)
        self.requests: list[SwitchSet] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._play(),))
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> "Played":
        asyncio.run(create_topics(self.kafka, planned_topics(self.prefix, PARTITIONS, 1)))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()
        self._loop.close()

    async def _play(self) -> None:
        self._task = asyncio.current_task()
        log = EventLogReader(self.kafka, (CATALOG,), self.prefix)
        try:
            async with EventLogWriter(self.kafka, self.prefix) as writer, aclosing(log.follow({})) as batches:
                async for batch in batches:
                    for one in batch:
                        if isinstance(one.record, SwitchSet):
                            self.requests.append(one.record)
                            await self._report(writer, one.offset)
        except asyncio.CancelledError:
            pass

    async def _report(self, writer: EventLogWriter, offset: int) -> None:
        for table in sorted(self.only):
            for partition in range(PARTITIONS):
                wrong = table == "runs" and partition == 1
                done = RebuildReported(
                    actor="processor-a",
                    at_ms=1,
                    requested_at=offset,
                    table=table,
                    partition=partition,
                    state="done",
                    rows=10,
                    equal=9 if wrong else 10,
                    differing=int(wrong),
                    examples=("r-7",) if wrong else (),
                    took_ms=100,
                )
                await writer.send(Outgoing(CATALOG, f"rebuilt/{table}/{partition}", done))


@pytest.fixture
def played(kafka_servers: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    monkeypatch.setenv("PULSEBOOK_KAFKA", kafka_servers)
    monkeypatch.setenv("PULSEBOOK_TOPIC_PREFIX", topic_prefix)
    with Played(kafka_servers, topic_prefix) as played:
        yield played


@pytest.mark.kafka
def test_it_asks_tells_of_each_partition_and_says_what_was_wrong(
    pulsebook: Pulsebook, played: Played
) -> None:
    done = pulsebook("state", "rebuild", "--yes", "--only", "tables", "--reason", "the disk was full")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "asked for: tables are made again"
    assert "admissions 0: 10 rows made again, 10 equal, 0 differed (0.1 s, processor-a)" in lines
    assert "runs 1: 10 rows made again, 9 equal, 1 differed (0.1 s, processor-a)" in lines
    assert lines[-1] == (
        "done: 60 rows made again; 1 was not as the topics make them, and is right now "
        "(partition 1 of runs; such as r-7)"
    )
    (request,) = played.requests
    assert (request.name, request.reason) == ("rebuild/tables", "the disk was full")
    assert "@" in request.actor


@pytest.mark.kafka
def test_where_nobody_answers_it_says_who_and_that_it_will_be_done(
    pulsebook: Pulsebook, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.state.ANSWER_WITHIN_S", 2.0)
    played.only = {"runs", "admissions"}
    given_up = pulsebook("state", "rebuild", "--yes", "--json")
    assert given_up.exit_code == 3
    assert "no sink and no web has begun within 2 s" in given_up.stderr
    assert "It stands in the catalog, and is done as soon as it runs" in given_up.stderr
    said = [json.loads(line) for line in given_up.stdout.splitlines()]
    assert [(one["table"], one["partition"]) for one in said[:-1]] == [
        (table, partition) for table in ("admissions", "runs") for partition in (0, 1)
    ]
    assert (said[-1]["done"], said[-1]["silent"]) == (False, ["sink", "web"])
