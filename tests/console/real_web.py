"""A web process as it is composed in production, on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar

from connectors.catalog_reader import CatalogReader
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topic_ids import topic_ids
from console.app import create_web
from console.parts import WebSettings
from console.read_model.log import FOLLOWED
from console.read_model.model import ReadModel
from schemas.alerts import AlertReceived
from schemas.topics import (
    ALERTS,
    CATALOG,
    TOPICS,
)
from tests.console.conftest import BASE, LOG_ACTION


@dataclass(frozen=True, slots=True)
class Real:
    """A web process composed as in production."""

    app: Litestar
    client: httpx.AsyncClient
    model: ReadModel
    catalog: CatalogReader
    writer: EventLogWriter
    log: EventLogReader
    folder: Path

    async def new_endpoint(self) -> str:
        """The URL of an endpoint that was just made."""
        answer = await self.client.post("/api/v1/endpoints", json={"name": "demo"})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])

    async def alerts(self) -> list[AlertReceived]:
        """What a stranger reads on the topic of alerts."""
        async with aclosing(self.log.read()) as batches:
            records = [
                entry.record async for batch in batches for entry in batch if entry.topic == ALERTS.name
            ]
        return [record for record in records if isinstance(record, AlertReceived)]


@asynccontextmanager
async def web_on(servers: str, prefix: str, folder: Path, **settings: Any) -> AsyncIterator[Real]:
    """A web process on that Kafka, its catalog being read, its read model following."""
    kafka = {"bootstrap_servers": servers}
    async with AsyncExitStack() as parts:
        writer = EventLogWriter(kafka, prefix)
        parts.push_async_callback(writer.close)
        catalog = CatalogReader(EventLogReader(kafka, [CATALOG], prefix))
        log = EventLogReader(kafka, TOPICS, prefix)
        model = ReadModel(folder / "model.sqlite3", EventLogReader(kafka, FOLLOWED, prefix, topic_ids), {})
        app = create_web(
            WebSettings(**{"auth": False, **settings}),
            writer=writer,
            catalog=catalog,
            read_model=model,
            archive=log,
            actions={"log": LOG_ACTION},
        )
        reading = asyncio.create_task(catalog.start())
        parts.push_async_callback(catalog.stop)
        parts.callback(reading.cancel)
        await model.start()
        parts.push_async_callback(model.stop)
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))  # type: ignore[arg-type]  # typed loosely
        client = await parts.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30)
        )
        yield Real(app, client, model, catalog, writer, log, folder)


async def ready(real: Real) -> None:
    """Wait until /readyz says so."""
    async with asyncio.timeout(30):
        while (await real.client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)
