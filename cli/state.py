"""`pulsebook state rebuild`: tables and read models dropped and made again, beside running processes.

The command only asks, by a change of the catalog, and tells what the processes report there.
"""

import asyncio
import getpass
import socket
import sys
import time
from contextlib import aclosing
from typing import Annotated, NoReturn

import typer

from cli.composing import found_kafka, load_settings
from cli.output import CANNOT_REACH, WRONG_USE, JsonOption, document, fail, say
from cli.rebuild_progress import Progress, document_of
from connectors.errors import ConnectorError
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from engine.rebuilds import KINDS, Kind, switch_of
from schemas.catalog import RebuildReported, SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG, RUN_INBOX
from settings import Settings

app = typer.Typer(no_args_is_help=True, help="The tables and read models that are made of the topics.")

ANSWER_WITHIN_S = 30.0
"""For so long nothing is heard before it is given up, while nothing is under way."""
UNDER_WAY_WITHIN_S = 900.0
"""And while something is: a large partition takes a while, a sink waits for Datadog."""
GATHER_S = 3.0
"""How long web processes are given to say that they have begun."""

WHAT = (
    "This drops the rows of all tables and read models and makes them again from the topics, a partition at "
    "a time, while processes run: its inputs wait meanwhile. Pages and the API show less until the read "
    "models have caught up. Nothing is lost if it is cut short: it is begun again."
)


@app.command()
def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help="Do it, without asking.")] = False,
    only: Annotated[str | None, typer.Option(metavar="tables|read-models", help="Only these.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Drop tables and read models and make them again from the topics, while processes run."""
    kinds: list[Kind] = [kind for kind in KINDS if only in (None, kind)]
    if not kinds:
        fail(f"--only {only}: it takes {' or '.join(KINDS)}", WRONG_USE)
    settings = found_kafka(load_settings())
    if not yes:
        _agreed()
    try:
        asyncio.run(_rebuild(settings, kinds, reason, as_json))
    except ConnectorError as error:
        fail(str(error), CANNOT_REACH)


def _agreed() -> None:
    """Ends the command unless a person agrees."""
    if not sys.stdin.isatty():
        fail(f"{WHAT}\nNothing was done: say --yes to do it.", WRONG_USE)
    say(WHAT)
    if not typer.confirm("Do it?"):
        fail("nothing was done", WRONG_USE)


async def _rebuild(settings: Settings, kinds: list[Kind], reason: str, as_json: bool) -> None:
    kafka, prefix = settings.kafka_options(), settings.topic_prefix
    partitions = (await EventLogReader(kafka, (RUN_INBOX,), prefix).partition_counts())[RUN_INBOX.name]
    asked: dict[Kind, int] = {}
    async with EventLogWriter(kafka, prefix) as writer:
        for kind in kinds:
            change = SwitchSet(
                name=switch_of(kind),
                value=True,
                actor=_who(),
                at_ms=time.time_ns() // 1_000_000,
                reason=reason,
            )
            sent = await writer.send(Outgoing(CATALOG, f"switch/{change.name}", change))
            asked[kind] = sent.offset
    if not as_json:
        say(f"asked for: {' and '.join(kinds).replace('-', ' ')} are made again")
    progress = Progress(asked, partitions)
    await _follow(EventLogReader(kafka, (CATALOG,), prefix), progress, as_json)
    if as_json:
        document({"done": True, **progress.total(), "read_models": sorted(progress.models_done)})
    else:
        say(progress.verdict())


async def _follow(catalog: EventLogReader, progress: Progress, as_json: bool) -> None:
    """Tell what is reported until all is done. Ends the command where nothing more is heard."""
    reports: asyncio.Queue[RebuildReported] = asyncio.Queue()

    async def read() -> None:
        async with aclosing(catalog.follow({(CATALOG.name, 0): min(progress.asked.values())})) as batches:
            async for batch in batches:
                for one in batch:
                    if isinstance(one.record, RebuildReported):
                        reports.put_nowait(one.record)

    reading = asyncio.create_task(read())
    began_s = time.monotonic()
    try:
        while not progress.is_done() or _may_come(progress, began_s):
            try:
                report = await asyncio.wait_for(reports.get(), _patience_s(progress, began_s))
            except TimeoutError:
                if progress.is_done():
                    break
                _given_up(progress, as_json)
            sentence = progress.take(report)
            if sentence:
                document(document_of(report)) if as_json else say(sentence)
    finally:
        reading.cancel()
        await asyncio.wait([reading])


def _may_come(progress: Progress, began_s: float) -> bool:
    """Whether a web process may still say that it has begun."""
    return "read-models" in progress.asked and time.monotonic() - began_s < GATHER_S


def _patience_s(progress: Progress, began_s: float) -> float:
    if progress.is_done():
        return max(0.01, GATHER_S - (time.monotonic() - began_s))
    return UNDER_WAY_WITHIN_S if progress.under_way() else ANSWER_WITHIN_S


def _given_up(progress: Progress, as_json: bool) -> NoReturn:
    under_way, silent = progress.under_way(), progress.silent()
    if as_json:
        document({"done": False, **progress.total(), "under_way": under_way, "silent": silent})
    if under_way:
        fail(
            f"nothing was heard for {UNDER_WAY_WITHIN_S / 60:.0f} minutes of {', '.join(under_way)}; it goes "
            "on, or is begun again: /readyz and the log of the process that has it say more",
            CANNOT_REACH,
        )
    fail(
        f"no {' and no '.join(silent)} has begun within {ANSWER_WITHIN_S:.0f} s: is it running, of this "
        "version, and can it reach Kafka? It stands in the catalog, and is done as soon as it runs",
        CANNOT_REACH,
    )


def _who() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container may have a user without a name
        name = "somebody"
    return f"{name}@{socket.gethostname()}"
