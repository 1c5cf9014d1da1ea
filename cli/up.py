"""`pulsebook up`: everything on this machine, in the foreground, until Ctrl-C.

What is started, where, and how it is kept running: `cli.local_stack`, `cli.local_broker`, `cli.supervisor`.
"""

import asyncio
import contextlib
import dataclasses
import secrets
import shlex
import signal
import socket
import time
from pathlib import Path
from typing import Annotated

import httpx
import typer

from cli.composing import cache_dir, make_topics, settings_for_up
from cli.data_folder import DataFolder, DataFolderError, keep, kept
from cli.demo_endpoint import demo_endpoint
from cli.local_broker import LocalBroker
from cli.local_ports import COUNT, LOOPBACK, Ports
from cli.local_stack import Stack
from cli.output import CANNOT_REACH, WRONG_USE, fail, say
from cli.watching import PlaybookFolder
from connectors.local_kafka_errors import LocalKafkaError
from schemas.topics import ALERTS
from settings import Settings
from settings_reading import SecretText

READY_WITHIN_S = 60.0
PORTS_FREE_WITHIN_S = 12.0
"""How long the processes of an `up` that was killed may take to end."""
OWNER_TOKEN_FILE = "owner-token"  # noqa: S105  # a file name
DEFAULT_PORT = 8080
DEFAULT_DATA = Path("data")


def up(
    data: Annotated[Path, typer.Option(help="Folder for all data of this machine.")] = DEFAULT_DATA,
    port: Annotated[
        int, typer.Option(min=1, max=65_535 - COUNT, help="Port of web and API; the next four are used too.")
    ] = DEFAULT_PORT,
    playbooks: Annotated[Path, typer.Option(help="Folder of playbooks; applied and watched.")] = Path(
        "playbooks"
    ),
    kafka: Annotated[
        str,
        typer.Option(metavar="SERVERS", help="HOST:PORT of a Kafka to use; none: a local one is started."),
    ] = "",
) -> None:
    """Run everything on this machine: broker, topics, web, processor, executor, sink. Ctrl-C ends it all."""
    settings = settings_for_up(data, kafka)
    folder = DataFolder(settings.data_dir)
    try:
        folder.take()
    except DataFolderError as error:
        fail(str(error), WRONG_USE)
    try:
        ports = Ports(port)
        _check_ports(ports, PORTS_FREE_WITHIN_S if folder.left_in_disorder else 0)
        settings = _with_owner(settings)
        broker = None
        if not settings.kafka:
            kafka_dir = settings.data_dir / "kafka"
            broker = LocalBroker(kafka_dir, cache_dir(settings), settings.maven_url, tell)
        asyncio.run(_run(Stack(settings.data_dir, ports, settings, tell, broker), playbooks))
    except LocalKafkaError as error:
        fail(str(error), CANNOT_REACH)
    finally:
        folder.release()


def tell(text: str) -> None:
    """A line for who looks on. That nobody does any more (a closed pipe or terminal) stops nothing."""
    with contextlib.suppress(OSError, SystemExit):
        say(text)


def _with_owner(settings: Settings) -> Settings:
    """Where auth is asked for: with an owner's token, the same at every start."""
    if not settings.auth or settings.owner_token is not None:
        return settings
    file = settings.data_dir / OWNER_TOKEN_FILE
    if not (token := kept(file)):
        token = "pb_" + secrets.token_urlsafe(32)
        keep(file, token)
    tell(f"auth is on; the owner's token is in {file}: give it to the commands as PULSEBOOK_TOKEN")
    return dataclasses.replace(settings, owner_token=SecretText(token))


def _check_ports(ports: Ports, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    for name, number in ports.all().items():
        while not _is_free(number):
            if time.monotonic() > deadline_s:
                fail(
                    f"port {number} (for {name}) is in use by another program. Give another one: "
                    f"--port {ports.web + 100}, with make: make up PORT={ports.web + 100} (it and the next "
                    "four must be free).",
                    WRONG_USE,
                )
            time.sleep(0.2)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


async def _run(stack: Stack, playbooks: Path) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if asked.is_set():
            stack.hurry()
        asked.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    work = asyncio.create_task(_start_and_watch(stack, playbooks), name="up")
    waiting = asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
        tell("stopping")
    finally:
        waiting.cancel()
        work.cancel()
        stopped = asyncio.create_task(stack.stop())
        await asyncio.wait({work, waiting, stopped})
        stopped.result()
    tell(f"stopped; the data stays in {stack.data_dir}")


async def _start_and_watch(stack: Stack, playbooks: Path) -> None:
    await _start(stack)
    headers = _headers(stack.settings)
    path = await demo_endpoint(stack.data_dir, stack.url, headers, stack.broker is not None)
    _tell_endpoint(stack, path)
    folder = PlaybookFolder(playbooks, httpx.URL(stack.url), headers, tell)
    await folder.apply_changed()
    await _must_be_ready(stack, stack.names)
    _tell_how_to_find_it(stack)
    tell("try: pulsebook alert send --example")
    tell(f"ready {stack.url}")
    await folder.watch()


async def _start(stack: Stack) -> None:
    kafka = f"on Kafka at {stack.settings.kafka}" if stack.broker is None else "with a Kafka of its own"
    tell(f"starting web, processor, executor and sink {kafka}; data in {stack.data_dir}")
    if stack.sandboxed:
        tell("Datadog: SANDBOX, nothing leaves this machine")
        tell(f"  what it would have got: http://{LOOPBACK}:{stack.ports.sandbox}/")
    else:
        tell(f"Datadog: {stack.settings.dd_url or stack.settings.dd_site}")
    await stack.start_broker()
    await make_topics(dataclasses.replace(stack.settings, kafka=stack.servers))
    if stack.broker is not None:
        tell(f"Kafka: {stack.servers}; producers write to {stack.settings.topic_prefix}{ALERTS.name}")
    await stack.start_processes()
    await _must_be_ready(stack, ("web",))


def _tell_endpoint(stack: Stack, path: str) -> None:
    if not path:
        tell(
            "endpoint demo: its address was shown when it was made; a new one: pulsebook endpoint rotate demo"
        )
        return
    tell(f"endpoint demo: {stack.settings.public_url.rstrip('/') or stack.url}{path}")
    if not stack.settings.public_url:
        tell("  Datadog needs an address that it can reach: set PULSEBOOK_PUBLIC_URL to yours")


def _tell_how_to_find_it(stack: Stack) -> None:
    told = [f"PULSEBOOK_URL={stack.url}"] if stack.ports.web != DEFAULT_PORT else []
    if stack.data_dir != DEFAULT_DATA.resolve():
        told.append(f"PULSEBOOK_DATA_DIR={shlex.quote(str(stack.data_dir))}")
    if told:
        tell(f"the other commands find it with: export {' '.join(told)}")


def _headers(settings: Settings) -> dict[str, str]:
    owner = settings.owner_token
    return {"Authorization": f"Bearer {owner.reveal()}"} if settings.auth and owner else {}


async def _must_be_ready(stack: Stack, names: tuple[str, ...]) -> None:
    while missing := await stack.wait_ready(names, READY_WITHIN_S):
        logs = ", ".join(str(stack.data_dir / "logs" / f"{name}.log") for name in missing)
        tell(f"still waiting for {', '.join(missing)}; see {logs}")
