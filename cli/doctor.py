"""`pulsebook doctor`: every setting in force, what can be reached, what is wrong and how to mend it."""

import asyncio
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass

import typer

from cli import client
from cli.compose_datadog import datadog_url
from cli.composing import load_settings, secret_store, secrets_dir, topic_problems
from cli.local_ports import LOOPBACK
from cli.output import CANNOT_REACH, JsonOption, document, markup, say
from cli.tables import show_rows
from connectors.local_kafka_config import remembered_broker_port
from settings import Settings

WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at. `mend` is empty when all is well."""

    what: str
    found: str
    mend: str = ""


def doctor(as_json: JsonOption = False) -> None:
    """Say every setting in force, what can be reached from here, what is wrong and how to mend it."""
    settings = load_settings()
    rows = [{"setting": name, "value": value, "from": origin} for name, value, origin in settings.described()]
    show_rows(rows, ("setting", "value", "from"), as_json, "")
    findings = look(settings)
    for finding in findings:
        if as_json:
            document({"checked": finding.what, "found": finding.found, "mend": finding.mend})
        else:
            _show(finding)
    if any(finding.mend for finding in findings):
        raise typer.Exit(CANNOT_REACH)


def _show(finding: Finding) -> None:
    markup(f"{'[red]wrong[/]' if finding.mend else '[green]fine[/] '} {finding.what}")
    say(f"      {finding.found}")
    if finding.mend:
        say(f"      mend: {finding.mend}")


def look(settings: Settings) -> list[Finding]:
    """Everything there is to look at, in the order in which things depend on each other."""
    kafka = _kafka(settings)
    topics = [] if kafka.mend or not settings.kafka else asyncio.run(_topics(settings))
    return [kafka, *topics, _api(), _datadog(settings), _secrets(settings)]


def _kafka(settings: Settings) -> Finding:
    if not settings.kafka:
        last = remembered_broker_port(settings.data_dir / "kafka")
        local = f"; the one of the data folder listens on {LOOPBACK}:{last} when it runs" if last else ""
        return Finding("Kafka", f"PULSEBOOK_KAFKA names no servers: `pulsebook up` starts a local one{local}")
    refused = []
    servers = [server.strip() for server in settings.kafka.split(",")]
    for server in servers:
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), WITHIN_S).close()
        except OSError as error:
            refused.append(f"{server}: {error.strerror or error}")
    if refused:
        return Finding("Kafka", "; ".join(refused), "start it, or correct PULSEBOOK_KAFKA")
    return Finding("Kafka", f"{', '.join(servers)} accept connections")


async def _topics(settings: Settings) -> list[Finding]:
    problems = await topic_problems(settings)
    mend = "pulsebook topics create makes what is missing; what it cannot mend, the sentence above says how"
    if problems:
        return [Finding("topics", problem, mend) for problem in problems]
    return [Finding("topics", f"all topics of the prefix {settings.topic_prefix} are as they should be")]


def _api() -> Finding:
    url = client.base_url()
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=WITHIN_S):  # noqa: S310  # the user's own address
            return Finding("API", f"{url} is ready")
    except urllib.error.HTTPError as error:
        said = error.read().decode(errors="replace").strip()[:300]
        return Finding("API", f"{url}: {said}", "wait, or see the log of the web process")
    except (OSError, ValueError) as error:
        mend = "start it (`pulsebook up`, `pulsebook web`), or correct PULSEBOOK_URL"
        return Finding("API", f"{url}: {_reason(error)}", mend)


def _datadog(settings: Settings) -> Finding:
    if settings.dd_api_key is None:
        return Finding("Datadog", "no DD_API_KEY: `up` uses the sandbox, nothing leaves this machine")
    base = datadog_url(settings)
    request = urllib.request.Request(  # noqa: S310  # a configured address
        f"{base}/api/v1/validate", headers={"DD-API-KEY": settings.dd_api_key.reveal()}
    )
    try:
        with urllib.request.urlopen(request, timeout=WITHIN_S):  # noqa: S310  # a configured address
            return Finding("Datadog", f"{base} accepts the key")
    except urllib.error.HTTPError as error:
        mend = "set DD_API_KEY to a key of the organisation, DD_SITE to its site"
        return Finding("Datadog", f"{base} answered {error.code}", mend)
    except OSError as error:
        return Finding(
            "Datadog", f"{base}: {_reason(error)}", "let this machine reach it, or correct DD_SITE"
        )


def _reason(error: Exception) -> str:
    return str(error.reason if isinstance(error, urllib.error.URLError) else error)


def _secrets(settings: Settings) -> Finding:
    names = [name for name, _ in secret_store(settings).listed()]
    where = secrets_dir(settings).resolve()
    listed = f"{len(names)} stored in {where}: {', '.join(names)}" if names else f"none stored in {where}"
    return Finding("secrets", listed)
