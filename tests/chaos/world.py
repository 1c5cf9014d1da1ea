"""A whole Pulsebook of real processes that may be done anything to, and a supervisor that starts again what
ends.

One or two workers of each kind, each with a data folder of its own; the broker is `broker.Broker`, Datadog
the real sandbox. What is sent through it is `load`; `bench` puts both together.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from benchmarks.processes import answers, free_port, start_process
from cli.owner import OWNER_FD_VARIABLE
from connectors.topics_admin import create_topics, planned_topics
from streams.ending import EXIT_REFUSED

PARTITIONS = 4
SESSION_TIMEOUT_S = 6
STOP_GRACE_S = 5
LOOK_EVERY_S = 0.05
AGAIN_AFTER_S = 0.3
READY_WITHIN_S = 60.0
ONE_OF_EACH = ("processor-a", "executor-a", "sink-a", "web-a")
TWO_OF_EACH = ("processor-a", "processor-b", "executor-a", "executor-b", "sink-a", "sink-b", "web-a")


@dataclass(frozen=True, slots=True)
class End:
    """A process ended. `expected`: we made it."""

    name: str
    code: int
    at_ms: int
    expected: bool


@dataclass(slots=True)
class Worker:
    """One process, over all its lives."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    log: Path
    port: int
    process: Popen[bytes] | None = None
    wanted: bool = True
    doomed: bool = False
    """We ended it ourselves."""
    refused: bool = False
    again_at_s: float = 0.0
    lives: int = 0
    """How often it was started."""

    @property
    def kind(self) -> str:
        return self.name.partition("-")[0]

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Nothing where it does not run."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


@dataclass(slots=True)
class World:
    """Processes of one topic prefix. Used as `async with`, in one event loop."""

    folder: Path
    servers: str
    prefix: str
    names: Sequence[str] = ONE_OF_EACH
    session_timeout_s: int = SESSION_TIMEOUT_S
    replication: int = 1
    extra: dict[str, str] = field(default_factory=dict)
    idle: Sequence[str] = ()
    """Workers that may join later: not started until they are allowed to."""
    workers: dict[str, Worker] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    _owner: tuple[int, int] = (-1, -1)
    _keeper: asyncio.Task[None] | None = None

    @property
    def kafka(self) -> dict[str, str]:
        """Keyword arguments of an aiokafka client."""
        return {"bootstrap_servers": self.servers}

    @property
    def url(self) -> str:
        """Where the first web process listens."""
        return f"http://127.0.0.1:{self.workers['web-a'].port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.workers['sandbox'].port}"

    @property
    def sandbox_folder(self) -> Path:
        return self.workers["sandbox"].folder

    async def __aenter__(self) -> "World":
        await create_topics(self.kafka, planned_topics(self.prefix, PARTITIONS, self.replication))
        self._owner = os.pipe()
        for name in ("sandbox", *self.names, *self.idle):
            self.workers[name] = self._worker(name)
        self.keep_down(*self.idle)
        for worker in self.workers.values():
            if worker.wanted:
                self._spawn(worker)
        self._keeper = asyncio.create_task(self._keep())
        await self.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        for worker in self.workers.values():
            if worker.alive:
                worker.signal(signal.SIGKILL)
            if worker.process is not None:
                await asyncio.to_thread(worker.process.wait)
        for descriptor in self._owner:
            os.close(descriptor)

    async def ready(self, names: Sequence[str] | None = None, within_s: float = READY_WITHIN_S) -> float:
        """Wait until these (else all) say that they are ready; how long that took."""
        began_s = time.monotonic()
        for name in self.names if names is None else names:
            worker = self.workers[name]
            while not await asyncio.to_thread(answers, f"http://127.0.0.1:{worker.port}/readyz"):
                assert time.monotonic() - began_s < within_s, f"{name} is not ready:\n{self.said(name)}"
                await asyncio.sleep(0.1)
        return time.monotonic() - began_s

    def said(self, name: str, chars: int = 3_000) -> str:
        """The end of its log."""
        return self.workers[name].log.read_text(errors="replace")[-chars:]

    def lives_of(self, name: str) -> int:
        """How often it was started."""
        return self.workers[name].lives

    # --- what may be done to them

    def kill(self, *names: str) -> None:
        """kill -9, all at once; they are started again."""
        for name in names:
            self.workers[name].doomed = True
            self.workers[name].signal(signal.SIGKILL)

    async def term(self, *names: str, within_s: float = 30.0) -> None:
        """SIGTERM, all at once, and wait for their end; they are started again."""
        ending = []
        for name in names:
            self.workers[name].doomed = True
            self.workers[name].signal(signal.SIGTERM)
            ending.append((name, self.workers[name].process))
        deadline_s = time.monotonic() + within_s
        for name, process in ending:
            while process is not None and process.poll() is None:
                assert time.monotonic() < deadline_s, f"{name} goes on:\n{self.said(name)}"
                await asyncio.sleep(0.02)

    def keep_down(self, *names: str) -> None:
        """When they have ended, they are not started again."""
        for name in names:
            self.workers[name].wanted = False

    def allow(self, *names: str) -> None:
        """They are started (again)."""
        for name in names:
            self.workers[name].wanted = True
            self.workers[name].refused = False

    async def gone(self, *names: str, within_s: float = 30.0) -> None:
        """Wait until none of these runs. Only for those that are kept down."""
        deadline_s = time.monotonic() + within_s
        for name in names:
            while self.workers[name].alive:
                assert time.monotonic() < deadline_s, f"{name} goes on:\n{self.said(name)}"
                await asyncio.sleep(0.02)

    async def stop(self, *names: str, within_s: float = 30.0) -> None:
        """SIGTERM, and wait for their end; they stay down."""
        self.keep_down(*names)
        await self.term(*names, within_s=within_s)

    async def join(self, *names: str) -> None:
        """Start those that were kept down, and wait until they are ready."""
        self.allow(*names)
        await self.ready(names)

    def wipe(self, name: str) -> None:
        """Its disk is empty. Only while it is down."""
        assert not self.workers[name].alive
        shutil.rmtree(self.workers[name].folder, ignore_errors=True)

    # --- how they are kept

    def _worker(self, name: str) -> Worker:
        kind, _, instance = name.partition("-")
        port = free_port()
        folder = self.folder / name
        environment = {
            "PULSEBOOK_KAFKA": self.servers,
            "PULSEBOOK_TOPIC_PREFIX": self.prefix,
            "PULSEBOOK_DATA_DIR": str(folder),
            "PULSEBOOK_INSTANCE": instance or "only",
            "PULSEBOOK_PARTITIONS": str(PARTITIONS),
            "PULSEBOOK_REPLICATION": str(self.replication),
            "PULSEBOOK_SESSION_TIMEOUT_S": str(self.session_timeout_s),
            "PULSEBOOK_STOP_GRACE_S": str(STOP_GRACE_S),
            "PULSEBOOK_AUTH": "off",
            "PULSEBOOK_DD_API_KEY": "sandbox",
            "PULSEBOOK_HEALTH_PORT": str(port),
            "PULSEBOOK_WEB_PORT": str(port),
            **self.extra,
        }
        if kind != "sandbox":
            environment["PULSEBOOK_DD_URL"] = self.sandbox
        arguments = ("--port", str(port)) if kind == "sandbox" else ()
        return Worker(name, arguments, environment, folder, self.folder / f"{name}.log", port)

    def _spawn(self, worker: Worker) -> None:
        worker.folder.mkdir(parents=True, exist_ok=True)
        worker.doomed = False
        worker.lives += 1
        worker.process = start_process(
            worker.kind,
            worker.arguments,
            {**worker.environment, OWNER_FD_VARIABLE: str(self._owner[0])},
            worker.log,
            pass_fds=(self._owner[0],),
        )

    async def _keep(self) -> None:
        while True:
            for worker in self.workers.values():
                with contextlib.suppress(OSError):
                    self._look_at(worker)
            await asyncio.sleep(LOOK_EVERY_S)

    def _look_at(self, worker: Worker) -> None:
        if worker.process is not None:
            code = worker.process.poll()
            if code is None:
                return
            worker.process = None
            self.ends.append(End(worker.name, code, time.time_ns() // 1_000_000, worker.doomed))
            worker.refused = code == EXIT_REFUSED
            worker.again_at_s = time.monotonic() + AGAIN_AFTER_S
        if worker.wanted and not worker.refused and time.monotonic() >= worker.again_at_s:
            self._spawn(worker)
