"""A real web process on a log in memory, on a real port; and the command line, called as a shell would."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from connectors.actions.registry import specs
from console.app import create_web
from console.parts import WebSettings
from console.read_model.model import ReadModel
from console.serving import Address, listen, serve
from schemas.fields import Record
from schemas.topics import Topic
from tests.console.conftest import KEPT_MS, MemoryCatalog
from tests.console.memory_log import MemoryLog

T = TypeVar("T")
HERE = Path(__file__).parent
WITHIN_S = 10.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a web process are many and together slow: they are for `make test`, not for `make check`."""
    for item in items:
        if HERE in item.path.parents and "make_served" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True, slots=True)
class Served:
    """A web process in a thread of its own; everything of it is reached through its loop."""

    url: str
    log: MemoryLog
    model: ReadModel
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in its loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WITHIN_S)

    def written(self, topic: Topic, key: str, *records: Record) -> None:
        """Records on a topic, and the read model has read them."""
        self.do(self.log.write(topic, key, *records))
        self.do(self._read())

    async def _read(self) -> None:
        wanted = sum((await self.log.ends()).values())
        async with asyncio.timeout(WITHIN_S):
            while self.model.state.records < wanted:
                await asyncio.sleep(0.01)

    def records(self, topic: Topic) -> list[Any]:
        """All records of a topic."""
        return list(self.log.records(topic))


def _serve_in_thread(folder: Path, started: Callable[[Served], None], settings: Mapping[str, Any]) -> None:
    async def main() -> None:
        log = MemoryLog()
        model = ReadModel(folder / "read-model.sqlite", log, KEPT_MS)
        web = create_web(
            WebSettings(**{"auth": False, "answered_within_s": 0.05, **settings}),
            writer=log,
            catalog=MemoryCatalog(log),
            read_model=model,
            archive=log,
            actions=specs(),
        )
        stop, listener = asyncio.Event(), listen(Address("127.0.0.1", 0))
        serving = asyncio.create_task(serve(web, listener, stop))
        async with asyncio.timeout(WITHIN_S):
            while not model.state.caught_up:
                await asyncio.sleep(0.01)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        started(Served(url, log, model, asyncio.get_running_loop(), stop))
        await serving

    asyncio.run(main())


@pytest.fixture(scope="session")
def ending() -> Iterator[list[threading.Thread]]:
    """Web processes that were told to stop: they do while the next tests go on."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(WITHIN_S)


@pytest.fixture
def make_served(tmp_path: Path, ending: list[threading.Thread]) -> Iterator[Callable[..., Served]]:
    """Starts a web process with these settings (auth off unless told)."""
    running: list[tuple[Served, threading.Thread]] = []

    def make(**settings: Any) -> Served:
        found: list[Served] = []
        there = threading.Event()

        def started(served: Served) -> None:
            found.append(served)
            there.set()

        thread = threading.Thread(target=_serve_in_thread, args=(tmp_path, started, settings), daemon=True)
        thread.start()
        assert there.wait(WITHIN_S)
        running.append((found[0], thread))
        return found[0]

    yield make
    for served, thread in running:
        served.loop.call_soon_threadsafe(served.stop.set)
        ending.append(thread)


Pulsebook = Callable[..., Result]


@pytest.fixture
def pulsebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pulsebook:
    """Calls `pulsebook` with these arguments: exit_code, stdout, stderr. `env`: more of the environment."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, stdin: bytes | str = "", env: Mapping[str, str] | None = None) -> Result:
        done = CliRunner().invoke(app, list(arguments), input=stdin, env=dict(env or {}))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return call


@pytest.fixture
def web(make_served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> Served:
    """A web process that the commands find."""
    served = make_served()
    monkeypatch.setenv("PULSEBOOK_URL", served.url)
    return served
