"""`pulsebook audit verify`: are the records true? Everything that follows is made again and compared.

What is compared and how is the room `audit`; here it is composed with Kafka, processes and a terminal.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from audit.verify.explaining import Explained, explained
from audit.verify.findings import Tally
from audit.verify.frame import Frame, Positions
from audit.verify.one_run import UnknownRun, verify_run
from audit.verify.spool import DiskFull
from audit.verify.verifying import frame_of, verify
from audit.verify.work import Alone
from cli.audit_crew import Crew, WorkerFailed, audit_log
from cli.audit_file import FileArgument, HeadOption, ReplayOption, verify_file
from cli.audit_shown import documents, show
from cli.composing import found_kafka, load_settings
from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE, JsonOption, fail
from cli.period import SinceOption, UntilOption, period_ms
from connectors.errors import ConnectorError
from connectors.group_offsets import group_offsets
from settings import Settings

SMALL_RECORDS = 20_000
"""So few records are checked sooner than other processes have started."""
SHOWN = 20
INTERRUPTED = 130


def verify_command(
    file: FileArgument = None,
    since: SinceOption = None,
    until: UntilOption = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN_ID", help="Only this run: its inbox, journal, posts.")
    ] = None,
    shown: Annotated[
        int, typer.Option("--show", min=0, metavar="N", help="So many differences with both sides.")
    ] = SHOWN,
    processes: Annotated[
        int,
        typer.Option(
            "--processes", min=0, help="So many do the work; 0: one for each core, or one if there is little."
        ),
    ] = 0,
    head: HeadOption = None,
    replay: ReplayOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make again what follows from alerts, admissions and the inboxes of runs, and compare it with what is
    recorded; exit code 1 on any difference. With FILE: verify an exported file, without Kafka.
    """
    if file is not None:
        if since or until or run:
            fail("a file is verified whole: --since, --until and --run are for Kafka", WRONG_USE)
        verify_file(file, head, as_json, replay)
        return
    if head is not None or replay:
        fail("--head and --replay are for an exported file: name that file", WRONG_USE)
    from_ms, to_ms = period_ms(since, until)
    settings = found_kafka(load_settings())
    try:
        tally, frame, both = asyncio.run(
            _verified(settings, (from_ms, to_ms), run or "", shown, processes, as_json)
        )
    except UnknownRun as unknown:
        fail(str(unknown))
    except (ConnectorError, WorkerFailed, DiskFull) as error:
        fail(str(error), CANNOT_REACH)
    except KeyboardInterrupt:
        fail("interrupted: nothing is proven", INTERRUPTED)
    if as_json:
        documents(tally, frame, both)
    else:
        show(tally, frame, both)
    if tally.wrong:
        raise typer.Exit(ANSWER_IS_NO)


async def _verified(
    settings: Settings,
    period: tuple[int | None, int | None],
    run_id: str,
    shown: int,
    processes: int,
    as_json: bool,
) -> tuple[Tally, Frame, Sequence[Explained]]:
    log = audit_log(settings)

    async def positions() -> Positions:
        kafka, prefix = settings.kafka_options(), settings.topic_prefix
        processor = await group_offsets(kafka, f"{prefix}processor", prefix)
        sink = await group_offsets(kafka, f"{prefix}sink", prefix)
        return Positions(processor.offsets, sink.offsets, processor.members)

    frame = await frame_of(log, positions, time.time_ns() // 1_000_000, *period)
    total = sum(end - frame.start(*place) for place, end in frame.ends.items())
    if not processes:
        processes = 1 if total < SMALL_RECORDS else os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="pulsebook-audit-") as folder, _progress(total, as_json) as told:
        async with _crew(settings, Path(folder), 1 if run_id else processes, told) as crew:
            if run_id:
                tally, frame = await verify_run(run_id, frame, crew, log)
            else:
                tally, frame = await verify(frame, crew)
            both = await explained(tally.differences[:shown], frame, crew, log)
    return tally, frame, both


@contextlib.asynccontextmanager
async def _crew(
    settings: Settings, folder: Path, processes: int, told: Callable[[int], None]
) -> AsyncIterator[Crew | Alone]:
    if processes == 1:
        yield Alone(audit_log(settings), folder, told)
        return
    crew = Crew(settings, folder, processes, told)
    try:
        yield crew
    finally:
        crew.close()


@contextlib.contextmanager
def _progress(total: int, as_json: bool) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield lambda count: None
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("records", total=total)
        yield lambda count: bar.advance(task, count)
