"""The partition count of a prefix: in the catalog from the start, and no process works with another one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.compose_executor import run_executor
from cli.compose_streams import run_processor, run_sink
from cli.compose_web import run_web
from cli.composing import check_prefix, make_topics
from cli.partition_count import PartitionsDiffer, keep_count, kept_count, must_fit
from connectors.event_log_writer import EventLogWriter
from connectors.journal_reader import JournalReader
from connectors.topics_admin import create_topics, planned_topics
from schemas.catalog import SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG, RUN_JOURNAL
from settings import Settings
from streams.ending import EXIT_REFUSED
from tests.e2e.machine import five_free_ports
from tests.schemas.sample_events import journal

pytestmark = pytest.mark.kafka

JOURNAL = journal()

PROCESSES: dict[str, Callable[[Settings, asyncio.Event], Awaitable[int]]] = {
    "processor": run_processor,
    "sink": run_sink,
    "executor": run_executor,
    "web": lambda settings, stop: run_web(settings, None, stop),
}


@pytest.fixture
def settings(kafka_servers: str, topic_prefix: str, tmp_path: Path) -> Settings:
    port = five_free_ports()
    return Settings.read(
        {
            "PULSEBOOK_KAFKA": kafka_servers,
            "PULSEBOOK_TOPIC_PREFIX": topic_prefix,
            "PULSEBOOK_PARTITIONS": "4",
            "PULSEBOOK_REPLICATION": "1",
            "PULSEBOOK_DATA_DIR": str(tmp_path),
            "PULSEBOOK_DD_API_KEY": "none",
            "PULSEBOOK_WEB_PORT": str(port),
            "PULSEBOOK_HEALTH_PORT": str(port + 1),
        }
    )


async def switched(settings: Settings, value: Any) -> None:
    change = SwitchSet(actor="mira", at_ms=1, name="partitions", value=value)
    async with EventLogWriter(settings.kafka_options(), settings.topic_prefix) as writer:
        await writer.send(Outgoing(CATALOG, "switch/partitions", change))


async def test_the_count_is_in_the_catalog_once_the_topics_are_made(settings: Settings) -> None:
    await make_topics(settings)
    assert await kept_count(settings) == 4
    await make_topics(settings)
    await must_fit(settings)
    with pytest.raises(PartitionsDiffer, match=r"the catalog says .* have 4 partitions, not 5"):
        await keep_count(replace(settings, partitions=5))


@pytest.mark.parametrize("name", PROCESSES)
async def test_a_process_that_counts_otherwise_ends_with_the_sentence(
    name: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await make_topics(settings)
    async with asyncio.timeout(20):
        code = await PROCESSES[name](replace(settings, partitions=12), asyncio.Event())
    assert code == EXIT_REFUSED
    said = capsys.readouterr().err
    assert "has 4 partitions, not 12: the count is fixed" in said
    assert "set PULSEBOOK_PARTITIONS" in said


async def test_topics_that_were_widened_behind_the_catalogs_back_are_refused(settings: Settings) -> None:
    await create_topics(settings.kafka_options(), planned_topics(settings.topic_prefix, 4, 1))
    await switched(settings, 2)
    with pytest.raises(PartitionsDiffer, match=r"the catalog says .* have 2 partitions, not 4"):
        await must_fit(settings)
    assert any("the catalog says" in problem for problem in await check_prefix(settings))


async def test_a_catalog_from_before_the_switch_is_compared_with_the_brokers_alone(
    settings: Settings,
) -> None:
    await create_topics(settings.kafka_options(), planned_topics(settings.topic_prefix, 4, 1))
    await must_fit(settings)
    with pytest.raises(PartitionsDiffer, match="has 4 partitions, not 6"):
        await must_fit(replace(settings, partitions=6))


async def test_a_runs_journal_is_found_by_the_brokers_count(settings: Settings) -> None:
    await make_topics(settings)
    kafka, prefix = settings.kafka_options(), settings.topic_prefix
    runs = [f"run-{number}" for number in range(12)]
    async with EventLogWriter(kafka, prefix) as writer:
        for run in runs:
            await writer.send(Outgoing(RUN_JOURNAL, run, JOURNAL))
    reader = JournalReader(kafka, prefix)
    assert [await reader.records_of(run) for run in runs] == [[JOURNAL]] * 12
