"""The web process, composed: hooks, API, read model, on a real log."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from importlib.metadata import version
from typing import Literal

from cli.compose_datadog import sandbox_url
from cli.composing import secret_names
from cli.output import CANNOT_REACH, WRONG_USE, warn
from cli.owner import is_owned
from cli.partition_count import PartitionsDiffer, must_fit_once_known
from cli.process import broken
from connectors.actions.registry import specs
from connectors.catalog_reader import CatalogReader
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topic_ids import topic_ids
from console.app import create_web
from console.parts import WebSettings
from console.read_model.model import ReadModel
from console.serving import Address, PortBusy, listen, serve
from schemas.ids import digest
from schemas.topics import ALERTS, CATALOG, DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_JOURNAL, Topic
from settings import Settings
from streams.ending import EXIT_REFUSED

READ_MODEL_FILE = "read-model.sqlite"
FOLLOWED = (DECISIONS, RUN_JOURNAL, PUBLICATIONS, DEAD_LETTERS)
DAY_MS = 86_400_000


async def run_web(settings: Settings, only: Literal["hooks", "console"] | None, stop: asyncio.Event) -> int:
    """Serve until `stop`; the exit code. While Kafka is away, it serves and answers 503."""
    try:
        listener = listen(Address(settings.web_host, settings.web_port))
    except PortBusy as error:
        warn(f"{error} (PULSEBOOK_WEB_PORT)")
        return WRONG_USE
    async with AsyncExitStack() as parts:
        writer = EventLogWriter(
            settings.kafka_options(), settings.topic_prefix, record_bytes_max=settings.record_bytes_max
        )
        parts.push_async_callback(writer.close)
        catalog = CatalogReader(_log(settings, (CATALOG,)))
        parts.push_async_callback(catalog.stop)
        web = create_web(
            web_settings(settings),
            writer=writer,
            catalog=catalog,
            read_model=None if only == "hooks" else read_model(settings),
            archive=None if only == "hooks" else _log(settings, (*FOLLOWED, ALERTS)),
            actions=specs(),
            only=only,
            secret_names=(lambda: secret_names(settings)) if is_owned() else None,
        )
        reading = asyncio.create_task(_read_catalog(settings, catalog), name="catalog")
        serving = asyncio.create_task(serve(web, listener, stop), name="serving")
        serving.add_done_callback(lambda _: reading.cancel())
        await asyncio.wait({reading, serving}, return_when=asyncio.FIRST_EXCEPTION)
        if reading.done() and not reading.cancelled() and (unread := reading.exception()):
            stop.set()
            await asyncio.wait({serving})
            if isinstance(unread, PartitionsDiffer):
                warn(str(unread))
                return EXIT_REFUSED
            warn(f"the catalog cannot be read: {unread}")
            return CANNOT_REACH
        if failure := serving.exception():
            return broken(str(failure))
    return 0


async def _read_catalog(settings: Settings, catalog: CatalogReader) -> None:
    await catalog.start()
    await must_fit_once_known(settings, lambda _: None)


def web_settings(settings: Settings) -> WebSettings:
    """What the web application goes by."""
    return WebSettings(
        instance=settings.instance,
        version=version("pulsebook"),
        public_url=settings.public_url,
        auth=settings.auth,
        owner_token_sha256=digest(settings.owner_token.reveal()) if settings.owner_token else "",
        body_bytes_max=settings.webhook_body_bytes_max,
        record_bytes_max=settings.record_bytes_max,
        sandbox_url=sandbox_url(settings),
        datadog_elsewhere=bool(settings.dd_url),
        playbook_bytes_max=settings.playbook_bytes_max,
        playbook_steps_max=settings.playbook_steps_max,
        nesting_max=settings.nesting_max,
        loop_items_max=settings.loop_items_max,
    )


def read_model(settings: Settings) -> ReadModel:
    """The read model in the data folder, following the log."""
    journal_days, alerts_days = settings.journal_kept_days, settings.alerts_kept_days
    kept = {topic.name: _ms(alerts_days if topic is DEAD_LETTERS else journal_days) for topic in FOLLOWED}
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return ReadModel(settings.data_dir / READ_MODEL_FILE, _log(settings, FOLLOWED), kept)


def _ms(days: int | None) -> int | None:
    return None if days is None else days * DAY_MS


def _log(settings: Settings, topics: Sequence[Topic]) -> EventLogReader:
    return EventLogReader(settings.kafka_options(), topics, settings.topic_prefix, topic_ids)
