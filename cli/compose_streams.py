"""The processor and the sink, composed: Faust workers with their catalog, journal reader and poster."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from cli.compose_datadog import poster
from cli.composing import limits
from cli.output import CANNOT_REACH, warn
from cli.partition_count import PartitionsDiffer, must_fit
from cli.process import done_before
from connectors.actions.registry import specs
from connectors.catalog_reader import CatalogReader
from connectors.errors import ConnectorError, NotReachable
from connectors.event_log import EventLogReader
from connectors.health_server import HealthServer
from connectors.http_client import create_http_client
from connectors.journal_reader import JournalReader
from connectors.partition_reader import PartitionReader
from connectors.schema_registry import SchemaRegistry
from connectors.topic_ids import topic_ids
from connectors.topics_admin import planned_topics
from schemas.topics import ADMISSIONS, CATALOG, PUBLICATIONS, RUN_JOURNAL, Topic
from settings import Settings
from streams.app import Worker, create_processor, create_sink
from streams.ending import EXIT_REFUSED
from streams.options import WorkerOptions
from streams.running import run

PROCESSOR_PORT = 9101
SINK_PORT = 9103
RUNS_PATH = "/runs/"
DEFAULT_PREFIX = Settings().topic_prefix


async def run_processor(settings: Settings, stop: asyncio.Event) -> int:
    """Match, admit and advance until `stop`; the exit code."""
    async with AsyncExitStack() as parts:
        catalog = _catalog(settings)
        parts.push_async_callback(catalog.stop)
        journal = JournalReader(settings.kafka_options(), settings.topic_prefix)
        registry = SchemaRegistry(settings.schema_registry) if settings.schema_registry else None
        if registry is not None:
            parts.push_async_callback(registry.close)

        def make(options: WorkerOptions) -> Worker:
            return create_processor(
                options,
                catalog=catalog,
                actions={name: spec.pinned for name, spec in specs().items()},
                limits=limits(settings),
                run_url_prefix=f"{settings.public_url.rstrip('/')}{RUNS_PATH}" if settings.public_url else "",
                schema_of=registry.schema if registry is not None else None,
                rebuild=journal.records_of,
                journal=_partitions(settings, RUN_JOURNAL),
                admissions=_partitions(settings, ADMISSIONS),
            )

        return await _run(settings, stop, "processor", PROCESSOR_PORT, make, catalog)


async def run_sink(settings: Settings, stop: asyncio.Event) -> int:
    """Post what is reported until `stop`; the exit code."""
    async with AsyncExitStack() as parts:
        client = create_http_client()
        parts.push_async_callback(client.aclose)
        catalog = _catalog(settings)
        parts.push_async_callback(catalog.stop)
        datadog = poster(client, settings)

        def make(options: WorkerOptions) -> Worker:
            return create_sink(
                options,
                poster=datadog,
                catalog=catalog,
                journal=_partitions(settings, RUN_JOURNAL),
                publications=_partitions(settings, PUBLICATIONS),
            )

        return await _run(settings, stop, "sink", SINK_PORT, make, catalog)


def _catalog(settings: Settings) -> CatalogReader:
    return CatalogReader(EventLogReader(settings.kafka_options(), (CATALOG,), settings.topic_prefix))


def _partitions(settings: Settings, topic: Topic) -> PartitionReader:
    return PartitionReader(settings.kafka_options(), topic, settings.topic_prefix)


async def _run(
    settings: Settings,
    stop: asyncio.Event,
    name: str,
    port: int,
    make: Callable[[WorkerOptions], Worker],
    catalog: CatalogReader,
) -> int:
    try:
        await must_fit(settings)
        options = _options(settings, name, await _ids(settings))
        if not await done_before(stop, catalog.start()):
            return 0
        worker = make(options)
    except PartitionsDiffer as error:
        warn(str(error))
        return EXIT_REFUSED
    except NotReachable as error:
        said = str(error)
        at = f"cannot reach Kafka at {settings.kafka}"
        warn(said if said.startswith(at) else f"{at}: is it running? ({said})")
        return CANNOT_REACH
    except (ConnectorError, LookupError) as error:
        warn(str(error).strip("'\""))
        return CANNOT_REACH
    health = HealthServer(
        settings.health_host, settings.health_port or port, worker.missing, worker.metrics.registry
    )
    await health.start()
    try:
        return await run(worker, stop, float(settings.stop_grace_s))
    finally:
        await health.stop()


async def _ids(settings: Settings) -> Mapping[str, str]:
    names = [topic.name for topic in planned_topics(settings.topic_prefix, 1, 1)]
    return await topic_ids(settings.kafka_options(), names)


def tables_dir(settings: Settings, name: str) -> Path:
    """Where the tables of the processor or the sink lie on this machine: for each prefix a folder of its
    own.
    """
    prefix = settings.topic_prefix
    return settings.data_dir / (name if prefix == DEFAULT_PREFIX else f"{name}@{prefix}")


def _options(settings: Settings, name: str, ids: Mapping[str, str]) -> WorkerOptions:
    return WorkerOptions(
        kafka=settings.kafka_options(),
        prefix=settings.topic_prefix,
        partitions=settings.partitions,
        data_dir=tables_dir(settings, name),
        topic_ids=ids,
        instance_id=f"{name}-{settings.instance}",
        session_timeout_s=float(settings.session_timeout_s),
        record_bytes_max=settings.record_bytes_max,
    )
