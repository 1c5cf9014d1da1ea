"""The executor process, composed: actions, secrets and Datadog handed to the consumer of the journal."""

import asyncio
from contextlib import AsyncExitStack

from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from cli.compose_datadog import datadog_url, poster
from cli.composing import secret_store
from cli.output import warn
from cli.partition_count import PartitionsDiffer, must_fit_once_known
from cli.process import broken, done_before
from connectors.actions.registry import build
from connectors.health_server import HealthServer
from connectors.http_client import create_http_client
from executor.config import ExecutorConfig
from executor.journal import NameTaken
from executor.process import Executor
from settings import Settings
from streams.ending import EXIT_REFUSED

PORT = 9102


async def run_executor(settings: Settings, stop: asyncio.Event) -> int:
    """Carry out steps until `stop`; the exit code."""
    registry = CollectorRegistry()
    async with AsyncExitStack() as parts:
        client = create_http_client(max(200, settings.executor_concurrency * 2))
        parts.push_async_callback(client.aclose)
        actions = build(
            client=client,
            poster=poster(client, settings),
            datadog_url=datadog_url(settings),
            allowed_hosts=settings.outbound_hosts,
        )
        executor = Executor(_config(settings), actions, secret_store(settings).get, registry)
        waits: list[str] = ["the partition count has not been compared yet"]
        health = HealthServer(
            settings.health_host,
            settings.health_port or PORT,
            lambda: waits[-1:] or list(executor.problems()),
            registry,
        )
        await health.start()
        parts.push_async_callback(health.stop)
        try:
            if not await done_before(stop, must_fit_once_known(settings, waits.append)):
                return 0
        except PartitionsDiffer as error:
            warn(str(error))
            return EXIT_REFUSED
        waits.clear()
        stopping = asyncio.create_task(_stop(stop, executor), name="stop")
        try:
            await executor.run()
        except NameTaken as error:
            return broken(str(error))
        except KafkaError as error:
            return broken(f"the executor ended: {error!r}")
        finally:
            stopping.cancel()
    return 0


async def _stop(stop: asyncio.Event, executor: Executor) -> None:
    await stop.wait()
    executor.request_stop()


def _config(settings: Settings) -> ExecutorConfig:
    return ExecutorConfig(
        kafka=settings.kafka_options(),
        prefix=settings.topic_prefix,
        instance=settings.instance,
        concurrency=settings.executor_concurrency,
        session_timeout_s=float(settings.session_timeout_s),
        stop_grace_s=float(settings.stop_grace_s),
    )
