"""`pulsebook status`: how things stand. `pulsebook doctor`: every setting in force, what can be reached, what is wrong."""

import asyncio
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import typer

from cli import client
from cli.output import CANNOT_REACH, JsonOption, document, markup, say, show_rows, span
from settings import Settings
from settings_reading import SettingsError

CONNECT_WITHIN_S = 5.0


def status(as_json: JsonOption = False) -> None:
    """Counts, how far everything has been read, and what is late."""
    overview = client.call("GET", "/api/v1/overview")
    processes = [_process(name, port) for name, port in _health_ports().items()]
    if as_json:
        document({**overview, "processes": processes})
        return
    model = overview["read_model"]
    runs = ", ".join(f"{count} {name}" for name, count in sorted(overview["runs"].items())) or "none yet"
    say(f"Pulsebook {overview['version']} at {client.base_url()}")
    say(
        f"playbooks    {overview['playbooks']['enabled']} enabled, {overview['playbooks']['disabled']} disabled"
    )
    say(f"endpoints    {overview['endpoints']}")
    say(f"alerts       {overview['alerts']}")
    say(f"runs         {runs}")
    say(f"published    {overview['publications']}")
    say(f"dead letters {overview['dead_letters']}")
    lag = model["problem"] or ("up to date" if model["caught_up"] else f"{span(model['lag_ms'])} behind")
    say(f"read model   {lag}")
    show_rows(processes, ("process", "state", "detail"), False, "")


def _health_ports() -> dict[str, int]:
    """Where the other processes tell their health, as far as this machine can know: beside the web's port."""
    from cli.local_stack import Ports

    web = urlsplit(client.base_url())

    ports = Ports(web.port or 8080)
    if web.hostname not in ("127.0.0.1", "localhost"):
        return {}
    return {"processor": ports.processor, "executor": ports.executor, "sink": ports.sink}


def _process(name: str, port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:  # loopback
            return {
                "process": name,
                "state": "ready",
                "detail": answer.read().decode(errors="replace").strip()[:200],
            }
    except urllib.error.HTTPError as error:
        return {
            "process": name,
            "state": "not ready",
            "detail": error.read().decode(errors="replace").strip()[:200],
        }
    except OSError as error:
        return {"process": name, "state": "unknown", "detail": f"no answer on port {port}: {error}"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at. `mend` is empty when all is well."""

    what: str
    found: str
    mend: str = ""


def doctor(as_json: JsonOption = False) -> None:
    """Say every setting in force, what can be reached from here, what is wrong and how to mend it."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        markup("[red]the settings cannot be used[/]")
        say(str(error))
        raise typer.Exit(2) from error
    rows = [{"setting": name, "value": value, "from": origin} for name, value, origin in settings.described()]
    findings = asyncio.run(_look(settings))
    if as_json:
        for row in rows:
            document(row)
        for finding in findings:
            document({"checked": finding.what, "found": finding.found, "mend": finding.mend})
    else:
        show_rows(rows, ("setting", "value", "from"), False, "")
        say()
        for finding in findings:
            markup(
                f"[{'red' if finding.mend else 'green'}]{'wrong' if finding.mend else 'fine '}[/] {finding.what}"
            )
            say(f"      {finding.found}")
            if finding.mend:
                say(f"      mend: {finding.mend}")
    if any(finding.mend for finding in findings):
        raise typer.Exit(CANNOT_REACH)


async def _look(settings: Settings) -> list[Finding]:
    return [await _kafka(settings), *await _topics(settings), _api(), _datadog(settings), _secrets(settings)]


async def _kafka(settings: Settings) -> Finding:
    if not settings.kafka:
        return Finding("Kafka", "PULSEBOOK_KAFKA names no servers; `pulsebook up` starts a local one")
    reached = []
    for server in settings.kafka.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            await asyncio.to_thread(
                lambda at: socket.create_connection(at, CONNECT_WITHIN_S).close(), (host, int(port))
            )
            reached.append(server)
        except OSError as error:
            return Finding("Kafka", f"{server}: {error}", "start it, or correct PULSEBOOK_KAFKA")
    return Finding("Kafka", f"{', '.join(reached)} accept connections")


async def _topics(settings: Settings) -> list[Finding]:
    if not settings.kafka:
        return []
    from cli.composing import topic_problems

    problems = await topic_problems(settings)
    if not problems:
        return [Finding("topics", f"all topics of the prefix {settings.topic_prefix} are as they should be")]
    return [
        Finding("topics", problem, "pulsebook topics create; what it cannot mend, `topics check` explains")
        for problem in problems
    ]


def _api() -> Finding:
    url = client.base_url()
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=CONNECT_WITHIN_S):  # noqa: S310  # the user's own address
            return Finding("API", f"{url} is ready")
    except urllib.error.HTTPError as error:
        return Finding(
            "API",
            f"{url}: {error.read().decode(errors='replace').strip()}",
            "wait, or see the web process's log",
        )
    except (OSError, ValueError) as error:
        return Finding(
            "API", f"{url}: {error}", "start it (`pulsebook up`, `pulsebook web`), or correct PULSEBOOK_URL"
        )


def _datadog(settings: Settings) -> Finding:
    if settings.dd_api_key is None:
        return Finding("Datadog", "no DD_API_KEY: `up` uses the sandbox, nothing leaves this machine")
    base = settings.dd_url or f"https://api.{settings.dd_site}"
    request = urllib.request.Request(  # noqa: S310  # a configured address
        f"{base}/api/v1/validate", headers={"DD-API-KEY": settings.dd_api_key.reveal()}
    )
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_WITHIN_S):  # noqa: S310  # a configured address
            return Finding("Datadog", f"{base} accepts the key")
    except urllib.error.HTTPError as error:
        return Finding(
            "Datadog",
            f"{base} answered {error.code}",
            "set DD_API_KEY to a key of the organisation, DD_SITE to its site",
        )
    except OSError as error:
        return Finding("Datadog", f"{base}: {error}", "let this machine reach it, or correct DD_SITE")


def _secrets(settings: Settings) -> Finding:
    from cli.composing import secret_store

    store = secret_store(settings)
    names = [name for name, _ in store.listed()]
    return Finding("secrets", f"{len(names)} stored: {', '.join(names)}" if names else "none stored")
