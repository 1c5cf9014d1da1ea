"""Starts the real processes for a benchmark: a broker of its own, processor, executor, sink, web.

Everything lies in a temporary folder and is gone afterwards. Children are started as `up` starts them.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from connectors.local_kafka import LocalKafka

ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class Bench:
    """A running Pulsebook. `pids` by process name, `kafka` the broker's address."""

    folder: Path
    kafka: str
    environment: dict[str, str]
    broker_pid: int
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """Start one process; its log is NAME.log in the folder."""
        port = self.ports.setdefault(name, free_port())
        given = {**self.environment, "PULSEBOOK_HEALTH_PORT": str(port), **environment}
        self.children[name] = start_process(name, arguments, given, self.folder / f"{name}.log")

    async def ready(self, within_s: float = 60) -> None:
        """Wait until every process says it is ready."""
        deadline = time.monotonic() + within_s
        for name, port in self.ports.items():
            while not await asyncio.to_thread(answers, f"http://127.0.0.1:{port}/readyz"):
                if self.children[name].poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(
                        f"{name} is not ready:\n{(self.folder / f'{name}.log').read_text()[-3000:]}"
                    )
                await asyncio.sleep(0.1)

    def usage(self) -> Mapping[str, tuple[float, float]]:
        """CPU seconds and resident MiB of each process so far."""
        pids = {"broker": self.broker_pid, **{name: child.pid for name, child in self.children.items()}}
        found = {}
        for name, pid in pids.items():
            process = psutil.Process(pid)
            times = process.cpu_times()
            found[name] = (times.user + times.system, process.memory_info().rss / 2**20)
        return found

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after ten seconds."""
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
            child.kill()


@contextlib.contextmanager
def running_broker(partitions: int = 4, **environment: str) -> Iterator[Bench]:
    """A broker and an environment that points at it."""
    with tempfile.TemporaryDirectory(prefix="pulsebook-bench-") as name:
        folder = Path(name)
        broker = LocalKafka(folder / "kafka", None, print)
        servers = broker.start()
        bench = Bench(
            folder,
            servers,
            {
                "PULSEBOOK_KAFKA": servers,
                "PULSEBOOK_DATA_DIR": str(folder / "data"),
                "PULSEBOOK_PARTITIONS": str(partitions),
                "PULSEBOOK_REPLICATION": "1",
                "PULSEBOOK_DD_API_KEY": "sandbox",
                "PULSEBOOK_DD_URL": "http://127.0.0.1:9",
                "PULSEBOOK_AUTH": "off",
                **environment,
            },
            broker_pid=broker.pid,
        )
        try:
            yield bench
        finally:
            bench.stop()
            broker.stop()


def start_process(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start one process of Pulsebook; what it says is added to `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", name, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **environment},
            pass_fds=pass_fds,
        )


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a GET of this URL is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # loopback, made here
            return bool(answer.status == 200)
    except OSError:
        return False
