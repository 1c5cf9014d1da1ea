"""`pulsebook audit verify FILE --replay`: the same proof as on Kafka, from an exported file alone."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from audit.export.file_log import FileLog
from audit.verify.explaining import Explained, explained
from audit.verify.findings import Tally
from audit.verify.frame import Frame
from audit.verify.spool import DiskFull
from audit.verify.verifying import frame_of_file, verify
from audit.verify.work import Alone
from cli.audit_progress import Moved, progress_bar
from cli.audit_shown import documents, show
from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE, fail

SHOWN = 20


def replay_file(log: FileLog, as_json: bool) -> None:
    """Make again what follows from the file's records, and say how it compares. The file is verified already.

    Ends the command: exit code 1 on any difference, 2 where only a part was exported.
    """
    if log.plan.selection:
        fail(
            "--replay needs an export of everything: this file holds a part, from which not all follows",
            WRONG_USE,
        )
    try:
        with progress_bar("replaying") as moved:
            tally, frame, both = asyncio.run(_replayed(log, moved))
    except DiskFull as error:
        fail(str(error), CANNOT_REACH)
    documents(tally, frame, both) if as_json else show(tally, frame, both)
    if tally.wrong:
        raise typer.Exit(ANSWER_IS_NO)


async def _replayed(log: FileLog, moved: Moved) -> tuple[Tally, Frame, Sequence[Explained]]:
    frame = await frame_of_file(log, time.time_ns() // 1_000_000)
    read, total = 0, log.plan.offsets

    def told(count: int) -> None:
        nonlocal read
        read += count
        moved(min(read, total), total)

    with tempfile.TemporaryDirectory(prefix="pulsebook-audit-") as folder:
        crew = Alone(log, Path(folder), told)
        tally, frame = await verify(frame, crew)
        return tally, frame, await explained(tally.differences[:SHOWN], frame, crew, log)
