"""All processes of one machine: which there are, on which ports, with which environment, in which order.

`cli.up` is the command around it, `cli.supervisor` keeps the children running.
"""

import asyncio
import contextlib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cli.composing import cache_dir, secrets_dir
from cli.supervisor import Child, Supervisor, own_command
from connectors.local_kafka import LocalKafka
from connectors.local_kafka_errors import LocalKafkaError
from settings import Settings

STOP_STEPS_S = 7.0
"""How long the processes may take to finish what they do; steps that run longer go on at the next start."""
STOP_BROKER_S = 6.0
BROKER_CHECK_S = 0.5
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one machine's processes, counted from that of the web."""

    web: int

    @property
    def sandbox(self) -> int:
        return self.web + 1

    @property
    def processor(self) -> int:
        return self.web + 2

    @property
    def executor(self) -> int:
        return self.web + 3

    @property
    def sink(self) -> int:
        return self.web + 4

    def all(self) -> dict[str, int]:
        """Process name to port."""
        return {
            "web": self.web,
            "sandbox": self.sandbox,
            "processor": self.processor,
            "executor": self.executor,
            "sink": self.sink,
        }


@dataclass(slots=True)
class Stack:
    """The processes of `pulsebook up`. `say` gets one line for a person at a time."""

    data_dir: Path
    ports: Ports
    settings: Settings
    named_kafka: str
    say: Callable[[str], None]
    supervisor: Supervisor = field(init=False)
    broker: LocalKafka | None = None
    servers: str = ""
    _broker_keeper: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.say)

    @property
    def sandboxed(self) -> bool:
        """No Datadog key: events go to the stand-in on this machine."""
        return not self.settings.dd_api_key

    async def start_broker(self) -> None:
        """Start the local broker and keep it running, or take the one that was named. Raises LocalKafkaError."""
        if self.named_kafka:
            self.servers = self.named_kafka
            return
        self.broker = LocalKafka(self.data_dir / "kafka", cache_dir(self.settings), self.say)
        self.servers = await asyncio.to_thread(self.broker.start)
        self._broker_keeper = asyncio.create_task(self._keep_broker(), name="keep broker")

    async def _keep_broker(self) -> None:
        assert self.broker is not None
        while True:
            await asyncio.sleep(BROKER_CHECK_S)
            if self.broker.poll() is None or self.supervisor.stopping:
                continue
            self.say("broker ended; starting it again")
            try:
                await asyncio.to_thread(self.broker.start)
            except LocalKafkaError as error:
                self.say(f"broker: {error}")

    def environment(self) -> dict[str, str]:
        """What every child is told, on top of this process's own environment."""
        told = {
            "PULSEBOOK_KAFKA": self.servers,
            "PULSEBOOK_DATA_DIR": str(self.data_dir),
            "PULSEBOOK_PARTITIONS": str(self.settings.partitions),
            "PULSEBOOK_REPLICATION": str(self.settings.replication),
            "PULSEBOOK_WEB_HOST": LOOPBACK,
            "PULSEBOOK_WEB_PORT": str(self.ports.web),
            "PULSEBOOK_SECRETS_DIR": str(secrets_dir(self.settings)),
            "PULSEBOOK_STOP_GRACE_S": f"{STOP_STEPS_S - 1:g}",
            "PULSEBOOK_SESSION_TIMEOUT_S": f"{self.settings.session_timeout_s:g}",
        }
        if self.sandboxed:
            told |= {
                "PULSEBOOK_DD_URL": f"http://{LOOPBACK}:{self.ports.sandbox}",
                "PULSEBOOK_DD_API_KEY": "sandbox",
            }
        return told

    async def start_processes(self) -> None:
        """Start all processes at once; they wait for each other by themselves."""
        arguments = {"sandbox": ("sandbox", "--port", str(self.ports.sandbox)), "web": ("web",)}
        for name in ("sandbox", "web", "processor", "executor", "sink"):
            if name == "sandbox" and not self.sandboxed:
                continue
            environment = {**self.environment(), "PULSEBOOK_HEALTH_PORT": str(self.ports.all()[name])}
            log = self.data_dir / "logs" / f"{name}.log"
            child = Child(name, own_command(*arguments.get(name, (name,))), environment, log)
            await self.supervisor.start(child)

    async def wait_ready(self, names: tuple[str, ...], within_s: float) -> list[str]:
        """Wait until these processes are ready; what is still missing after `within_s` seconds, or nothing."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + within_s
        missing = list(names)
        while missing and loop.time() < deadline_s:
            missing = [
                name for name in missing if not await asyncio.to_thread(_ready, self.ports.all()[name])
            ]
            if missing:
                await asyncio.sleep(0.1)
        return missing

    async def stop(self) -> None:
        """Stop everything in order: what takes alerts and works first, then the sandbox, the broker last."""
        self.supervisor.stopping = True
        if self._broker_keeper:
            self._broker_keeper.cancel()
        await self.supervisor.stop(("web", "processor", "executor", "sink"), STOP_STEPS_S)
        await self.supervisor.stop(("sandbox",), 2)
        if self.broker is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(self.broker.stop), STOP_BROKER_S + 5)
        self.supervisor.close()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=2) as answer:  # loopback
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
