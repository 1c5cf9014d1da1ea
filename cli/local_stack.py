"""All processes of one machine: which there are, on which ports, with which environment, in which order.

`cli.up` is the command around it, `cli.supervisor` keeps the children running, `cli.local_broker` the broker.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.compose_datadog import SANDBOX_KEY
from cli.composing import secrets_dir
from cli.health import lacking
from cli.local_broker import LocalBroker
from cli.local_ports import LOOPBACK, Ports
from cli.supervisor import Child, Supervisor, own_command
from settings import Settings

STOP_STEPS_S = 6
"""How long the processes may take to finish what they do; steps that run longer go on at the next start."""
GRACE_S = STOP_STEPS_S - 1
STOP_SANDBOX_S = 2
LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class Stack:
    """The processes of `pulsebook up`. `say` gets one line for a person at a time."""

    data_dir: Path
    ports: Ports
    settings: Settings
    say: Callable[[str], None]
    broker: LocalBroker | None
    """None: the Kafka that the settings name is used."""
    supervisor: Supervisor = field(init=False)
    servers: str = ""

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.say)

    @property
    def url(self) -> str:
        """Where the web listens."""
        return f"http://{LOOPBACK}:{self.ports.web}"

    @property
    def sandboxed(self) -> bool:
        """No Datadog key: events go to the stand-in on this machine."""
        return self.settings.dd_api_key is None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the processes."""
        return tuple(name for name in self.ports.all() if name != "sandbox" or self.sandboxed)

    async def start_broker(self) -> None:
        """Start the local broker and keep it running, or take the named one. Raises LocalKafkaError."""
        self.servers = self.settings.kafka if self.broker is None else await self.broker.start(self._moved)

    def _moved(self, servers: str) -> None:
        """The broker came back on another port: everybody has to start again to find it."""
        self.servers = servers
        for child in self.supervisor.children.values():
            child.environment = self._environment(child.name)
            child.signal(signal.SIGTERM)

    async def start_processes(self) -> None:
        """Start all processes at once; they wait for each other by themselves."""
        for name in self.names:
            await self.start_process(name)

    async def start_process(self, name: str) -> None:
        """Start one process and keep it running."""
        arguments = ("--port", str(self.ports.sandbox)) if name == "sandbox" else ()
        log = self.data_dir / "logs" / f"{name}.log"
        child = Child(name, own_command(name, *arguments), self._environment(name), log)
        await self.supervisor.start(child)

    def _environment(self, name: str) -> dict[str, str]:
        """What a child is told, on top of this process's own environment."""
        told = {
            "PULSEBOOK_KAFKA": self.servers,
            "PULSEBOOK_DATA_DIR": str(self.data_dir),
            "PULSEBOOK_PARTITIONS": str(self.settings.partitions),
            "PULSEBOOK_REPLICATION": str(self.settings.replication),
            "PULSEBOOK_AUTH": "on" if self.settings.auth else "off",
            # Without one of its own, the runs have their pages on this machine, whatever the port.
            "PULSEBOOK_PUBLIC_URL": self.settings.public_url or self.url,
            "PULSEBOOK_WEB_HOST": LOOPBACK,
            "PULSEBOOK_WEB_PORT": str(self.ports.web),
            "PULSEBOOK_HEALTH_HOST": LOOPBACK,
            "PULSEBOOK_HEALTH_PORT": str(self.ports.all()[name]),
            "PULSEBOOK_SECRETS_DIR": str(secrets_dir(self.settings)),
            "PULSEBOOK_STOP_GRACE_S": str(GRACE_S),
        }
        if self.settings.auth and self.settings.owner_token:
            told["PULSEBOOK_OWNER_TOKEN"] = self.settings.owner_token.reveal()
        if self.sandboxed:
            told["PULSEBOOK_DD_URL"] = f"http://{LOOPBACK}:{self.ports.sandbox}"
            told["PULSEBOOK_DD_API_KEY"] = SANDBOX_KEY
        return told

    async def wait_ready(self, names: Sequence[str], within_s: float) -> list[str]:
        """Wait until these are ready; the names of those that are not after `within_s` seconds."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + within_s
        missing = list(names)
        while True:
            missing = [name for name in missing if not await asyncio.to_thread(self._is_ready, name)]
            if not missing or loop.time() > deadline_s:
                return missing
            await asyncio.sleep(LOOK_EVERY_S)

    def _is_ready(self, name: str) -> bool:
        return lacking(self.ports.all()[name]) == []

    def hurry(self) -> None:
        """Whoever is still stopping is killed: somebody asked twice."""
        for child in self.supervisor.children.values():
            child.signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop everything in order: what takes alerts and works first, then sandbox and broker."""
        workers = [name for name in self.names if name != "sandbox"]
        await self.supervisor.stop(workers, STOP_STEPS_S)
        last = [self.supervisor.stop(("sandbox",), STOP_SANDBOX_S)]
        if self.broker is not None:
            last.append(self.broker.stop())
        await asyncio.gather(*last)
        await self.supervisor.close()
