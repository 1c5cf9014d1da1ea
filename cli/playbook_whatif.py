"""`pulsebook playbook whatif`: recorded alerts against playbook files, beside the active playbooks. Acts on
nothing.

What would happen is found out in `audit.whatif`; how it is shown is `cli.whatif_shown`.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE, JsonOption, document, fail, say, warn
from cli.period import SinceOption, UntilOption, period_ms

if TYPE_CHECKING:
    from audit.whatif.asking import Question, Report
    from audit.whatif.comparing import Change
    from engine.playbook.model import Playbook
    from settings import Settings

SHOWN = 10


def whatif(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Playbook files, or folders of them.", show_default=False),
    ],
    since: SinceOption = None,
    until: UntilOption = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="As if active playbooks that are not in these files were removed.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Also play through what is the same as the active playbooks.")
    ] = False,
    show: Annotated[
        int, typer.Option(min=0, help="How many of the alerts that differ are shown; --json writes all.")
    ] = SHOWN,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit code 1 where anything would change.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What recorded alerts would start with these playbooks, beside the active ones. Acts on nothing."""
    from audit.whatif.asking import Question
    from audit.whatif.worlds import NotApplicable
    from cli.composing import found_kafka, load_settings
    from cli.whatif_shown import Shown
    from connectors.errors import ConnectorError

    from_ms, to_ms = period_ms(since, until)
    settings = load_settings()
    question = Question(_books(paths, settings, as_json), from_ms, to_ms, prune, every)
    shown = Shown(0 if as_json else show)
    on_change = _documented if as_json else shown.keep
    try:
        report = asyncio.run(_asked(found_kafka(settings), question, on_change))
    except ConnectorError as error:
        fail(str(error), CANNOT_REACH)
    except NotApplicable as error:
        fail(str(error), WRONG_USE)
    if as_json:
        for each in shown.documents(report):
            document(each)
    else:
        shown.show(report, question)
    if fail_on_change and report.changed:
        raise typer.Exit(ANSWER_IS_NO)


def _documented(change: "Change") -> None:
    from cli.whatif_shown import change_document

    document(change_document(change))


def _books(paths: list[Path], settings: "Settings", as_json: bool) -> "tuple[Playbook, ...]":
    """The playbooks in the files, or the end of the command with what is wrong with them."""
    import msgspec

    from cli.composing import playbook_limits, secret_names
    from cli.playbook_files import named_files, problem_line, problems_of
    from connectors.actions.registry import specs
    from engine.playbook.reading import read

    files, limits = named_files(paths), playbook_limits(settings)
    problems = problems_of(files, limits, secret_names(settings))
    if errors := [msgspec.to_builtins(each) for each in problems if each.severity == "error"]:
        for each in errors:
            document(each) if as_json else say(problem_line(each))
        fail("mend these first: such files would not be applied", WRONG_USE)
    found = (read(file.read_text(encoding="utf-8"), str(file), specs(), limits=limits) for file in files)
    return tuple(each.playbook for each in found if each.playbook is not None)


async def _asked(
    settings: "Settings", question: "Question", on_change: "Callable[[Change], None]"
) -> "Report":
    from audit.whatif.asking import Outside, what_if
    from cli.composing import limits
    from connectors.actions.registry import specs
    from connectors.event_log import EventLogReader
    from connectors.schema_registry import SchemaRegistry
    from engine.admission.admitting import Situation
    from schemas.topics import ALERTS, CATALOG, RUN_JOURNAL

    log = EventLogReader(settings.kafka_options(), (CATALOG, ALERTS, RUN_JOURNAL), settings.topic_prefix)
    situation = Situation(
        limits=limits(settings), actions={name: spec.pinned for name, spec in specs().items()}
    )
    outputs = {name: spec.outputs for name, spec in specs().items()}
    async with AsyncExitStack() as parts:
        schema_of = None
        if settings.schema_registry:
            registry = await parts.enter_async_context(SchemaRegistry(settings.schema_registry))
            schema_of = registry.schema
        return await what_if(log, question, Outside(situation, outputs, schema_of), on_change, _progress)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        warn(text)
