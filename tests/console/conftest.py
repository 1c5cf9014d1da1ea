"""The web process on a log in memory, and a client of it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from console.access_log import AccessLog
from console.app import create_web
from console.parts import Parts, WebSettings
from console.read_model.model import ReadModel
from engine.catalog import Catalog
from schemas import codec
from schemas.actions import ActionSpec, PinnedAction
from schemas.catalog import EndpointSet, TokenSet
from schemas.fields import Record
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG, Topic
from tests.console.memory_log import MemoryLog
from tests.console.model_bench import FOREVER, Open, until

BASE = "http://127.0.0.1:8080"
TOKEN = "demo-token"
KEPT_MS: dict[str, int | None] = {
    "decisions": None,
    "run-journal": None,
    "publications": None,
    "dead-letters": None,
}

LOG_ACTION = ActionSpec(
    name="log",
    description="Writes a line to the log.",
    category="notify",
    inputs={"type": "object", "properties": {"text": {"type": "string"}}},
    outputs={"type": "object"},
    pinned=PinnedAction(name="log", repeatable=True),
)


class MemoryCatalog:
    """A catalog that learns of new records only when somebody waits for it: who forgets to wait sees the
    past.
    """

    def __init__(self, log: MemoryLog) -> None:
        self.catalog = Catalog()
        self.ready = True
        self._log = log

    async def reached(self, offset: int) -> None:
        for message in self._log.messages[CATALOG.name, 0][self.catalog.offset : offset]:
            self.catalog.apply(message.offset, codec.decode(message.value or b""))


@dataclass(frozen=True, slots=True)
class Web:
    """All there is of a web process in a test."""

    app: Litestar
    log: MemoryLog
    catalog: MemoryCatalog
    model: ReadModel
    client: httpx.AsyncClient

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.parts
        return parts

    async def change(self, key: str, change: Record) -> None:
        """A change of the catalog, written and read."""
        sent = await self.log.send(Outgoing(CATALOG, key, change))
        await self.catalog.reached(sent.offset + 1)

    async def endpoint(self, name: str, token: str, **more: Any) -> None:
        """An endpoint with that token."""
        made = EndpointSet(name=name, token_sha256=sha256(token), actor="test", at_ms=1, **more)
        await self.change(f"endpoint/{name}", made)

    async def token(self, name: str, role: Any, token: str) -> None:
        """An API token."""
        await self.change(
            f"token/{name}", TokenSet(name=name, token_sha256=sha256(token), role=role, actor="test", at_ms=1)
        )

    async def written(self, topic: Topic, key: str, *records: Record) -> None:
        """Records on a topic, and the read model has read them."""
        await self.log.write(topic, key, *records)
        await self.read()

    async def read(self) -> None:
        """Wait until the read model has read everything."""
        wanted = sum((await self.log.ends()).values())
        async with asyncio.timeout(5):
            while self.model.state.records < wanted:
                await asyncio.sleep(0.01)


def sha256(token: str) -> str:
    """The hash the catalog keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


MakeWeb = Callable[..., Awaitable[Web]]


@pytest.fixture
async def make_web(tmp_path: Path) -> AsyncIterator[MakeWeb]:
    """Makes a web process with these settings (auth off unless told) and starts its read model, which catches
    up.
    """
    made: list[Web] = []

    async def make(only: Any = None, secret_names: Any = None, **settings: Any) -> Web:
        log = MemoryLog()
        catalog = MemoryCatalog(log)
        model = ReadModel(tmp_path / f"read-model-{len(made)}.sqlite3", log, KEPT_MS)
        app = create_web(
            WebSettings(**{"auth": False, "answered_within_s": 0.05, **settings}),
            writer=log,
            catalog=catalog,
            read_model=model,
            archive=log,
            actions={"log": LOG_ACTION},
            only=only,
            secret_names=secret_names,
        )
        served: Any = AccessLog(app, app.state.parts.metrics)
        transport = httpx.ASGITransport(app=served, client=("127.0.0.1", 50_000))
        client = httpx.AsyncClient(transport=transport, base_url=BASE)
        web = Web(app, log, catalog, model, client)
        made.append(web)
        await model.start()
        async with asyncio.timeout(5):
            while not model.state.caught_up:
                await asyncio.sleep(0.01)
        return web

    yield make
    for web in made:
        await web.client.aclose()
        await web.model.stop()


@pytest.fixture
async def web(make_web: MakeWeb) -> Web:
    """A web process with the endpoint `demo`."""
    web = await make_web()
    await web.endpoint("demo", TOKEN)
    return web


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def open_model(tmp_path: Path, log: MemoryLog) -> AsyncIterator[Open]:
    """Opens the read model of the test's folder, and waits until it has read everything."""
    opened: list[ReadModel] = []

    async def open_it(source: Any = log) -> ReadModel:
        model = ReadModel(tmp_path / "read-model.sqlite3", source, FOREVER)
        opened.append(model)
        await model.start()
        await until(lambda: model.state.caught_up)
        return model

    yield open_it
    for model in opened:
        await model.stop()
