"""`pulsebook audit log`: every change of playbooks, endpoints, tokens, switches; with who, when and why."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated

import typer

from audit.changes import KINDS, Change, changes
from cli.composing import found_kafka, load_settings
from cli.output import CANNOT_REACH, WRONG_USE, JsonOption, fail
from cli.period import SinceOption, UntilOption, period_ms
from cli.tables import show_rows
from connectors.errors import ConnectorError
from connectors.event_log import Entry, EventLogReader
from schemas.topics import CATALOG
from settings import Settings

COLUMNS = ("at_ms", "actor", "kind", "name", "change", "reason")


def log(
    since: SinceOption = None,
    until: UntilOption = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help=f"Only this, may be repeated: {', '.join(KINDS)}."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only the playbook, endpoint, … of this name.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this person or token changed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every change of playbooks, endpoints, tokens and switches, oldest first: when, who, what, why."""
    from_ms, to_ms = period_ms(since, until)
    if unknown := sorted(set(kind or ()) - set(KINDS)):
        fail(f"there is no kind {', '.join(unknown)}; it is one of {', '.join(KINDS)}", WRONG_USE)
    try:
        entries = asyncio.run(_entries(found_kafka(load_settings())))
    except ConnectorError as error:
        fail(str(error), CANNOT_REACH)
    found = (
        each
        for each in changes(entries)
        if (from_ms is None or each.at_ms >= from_ms)
        and (to_ms is None or each.at_ms < to_ms)
        and (not kind or each.kind in kind)
        and (name is None or each.name == name)
        and (actor is None or each.actor == actor)
    )
    show_rows(list(_rows(found)), COLUMNS, as_json, "nothing was changed in that period")


def _rows(found: Iterator[Change]) -> Iterator[dict[str, object]]:
    for each in found:
        row = asdict(each)
        row["change"] = row.pop("what")
        yield row


async def _entries(settings: Settings) -> list[Entry]:
    """The whole catalog: it is small, and a change is told against what was before it."""
    reader = EventLogReader(settings.kafka_options(), (CATALOG,), settings.topic_prefix)
    async with aclosing(reader.read()) as batches:
        return [entry async for batch in batches for entry in batch]
