"""`pulsebook up`: everything on this machine, in the foreground, until Ctrl-C.

What is started, where, and how it is kept running: `cli.local_stack` and `cli.supervisor`.
"""

import asyncio
import dataclasses
import fcntl
import os
import signal
import socket
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cli.composing import make_topics, settings_for_up
from cli.local_stack import LOOPBACK, Ports, Stack
from cli.output import CANNOT_REACH, WRONG_USE, fail, say
from cli.watching import PlaybookFolder
from connectors.local_kafka_errors import LocalKafkaError

READY_WITHIN_S = 60.0
DEMO_TOKEN_FILE = "demo-endpoint.url"  # noqa: S105  # a file name


def up(
    data: Annotated[Path, typer.Option(help="Folder for all data of this machine.")] = Path("data"),
    port: Annotated[int, typer.Option(help="Port of web and API; the next four are used too.")] = 8080,
    playbooks: Annotated[Path, typer.Option(help="Folder of playbooks; applied and watched.")] = Path(
        "playbooks"
    ),
    kafka: Annotated[
        str, typer.Option(help="host:port of a Kafka to use; none: a local one is started.")
    ] = "",
) -> None:
    """Run everything on this machine: broker, topics, web, processor, executor, sink. Ctrl-C ends all of it."""
    settings = settings_for_up(data, kafka)
    lock = _take(data)
    ports = Ports(port)
    _check_ports(ports)
    stack = Stack(data.resolve(), ports, settings, settings.kafka, say)
    try:
        asyncio.run(_run(stack, playbooks))
    except LocalKafkaError as error:
        fail(str(error), CANNOT_REACH)
    finally:
        os.close(lock)


def _take(data: Path) -> int:
    """The lock of the data folder; ends the command where another `up` holds it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        fail(f"cannot use the data folder {data}: {error.strerror}. Name another one with --data.", WRONG_USE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fail(
            f"another `pulsebook up` is running with the data folder {data}. Stop it, or give this one "
            "another --data and --port.",
            WRONG_USE,
        )
    return lock


def _check_ports(ports: Ports) -> None:
    for name, number in ports.all().items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, number))
            except OSError:
                fail(
                    f"port {number} (for {name}) is in use by another program. "
                    f"Give another one: --port {ports.web + 100} (it and the next four must be free).",
                    WRONG_USE,
                )


async def _run(stack: Stack, playbooks: Path) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    started = asyncio.create_task(_start(stack, playbooks))
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({started, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            watch = started.result()
            await waiting
            watch.cancel()
        else:
            started.cancel()
    finally:
        say("stopping")
        await stack.stop()
    say("stopped; the data stays in " + str(stack.data_dir))


async def _start(stack: Stack, playbooks: Path) -> "asyncio.Task[None]":
    say(
        f"starting {'Kafka, ' if not stack.named_kafka else ''}web, processor, executor and sink; data in {stack.data_dir}"
    )
    if stack.sandboxed:
        say("Datadog: SANDBOX, nothing leaves this machine")
        say(f"  what it would have got: http://{LOOPBACK}:{stack.ports.sandbox}/")
    else:
        say(f"Datadog: {stack.settings.dd_site}")
    await stack.start_broker()
    await make_topics(dataclasses.replace(stack.settings, kafka=stack.servers))
    await stack.start_processes()
    url = f"http://{LOOPBACK}:{stack.ports.web}"
    await _must_be_ready(stack, ("web",))
    say(f"endpoint demo: {await _demo_endpoint(stack, url)}")
    say("  Datadog needs an address it can reach: set PULSEBOOK_PUBLIC_URL to your own")
    folder = PlaybookFolder(playbooks, url, say)
    if playbooks.is_dir():
        await folder.apply_changed()
    else:
        say(f"no folder {playbooks}: no playbooks applied (try: pulsebook init {playbooks})")
    await _must_be_ready(stack, ("processor", "executor", "sink", *(["sandbox"] if stack.sandboxed else [])))
    say(
        "try: pulsebook alert send --example"
        + ("" if stack.ports.web == 8080 else f" (with PULSEBOOK_URL={url})")
    )
    say(f"ready {url}")
    return asyncio.create_task(folder.watch(), name="watch playbooks")


async def _must_be_ready(stack: Stack, names: tuple[str, ...]) -> None:
    missing = await stack.wait_ready(names, READY_WITHIN_S)
    while missing:
        logs = ", ".join(str(stack.data_dir / "logs" / f"{name}.log") for name in missing)
        say(f"still waiting for {', '.join(missing)}; see {logs}")
        missing = await stack.wait_ready(tuple(missing), READY_WITHIN_S)


async def _demo_endpoint(stack: Stack, url: str) -> str:
    """The webhook URL of the endpoint `demo`: made at the first start, kept in a file that only its owner can read."""
    kept = stack.data_dir / DEMO_TOKEN_FILE
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        listed: dict[str, Any] = (await client.get("/api/v1/endpoints")).json()
        known = any(item["name"] == "demo" for item in listed["items"])
        if known and kept.exists():
            path = kept.read_text().strip()
        else:
            where = "/api/v1/endpoints/demo/rotate" if known else "/api/v1/endpoints"
            answer = (await client.post(where, json={"name": "demo"})).raise_for_status().json()
            path = httpx.URL(answer["url"]).path
            _keep(kept, path)
    return (stack.settings.public_url or url) + path


def _keep(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text + "\n")
