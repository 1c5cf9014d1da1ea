"""The read model of a test: opened on its folder, and what to ask of it."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from console.read_model.model import ReadModel
from console.read_model.runs import run_row
from schemas.topics import DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_JOURNAL
from tests.console.memory_log import MemoryLog
from tests.console.samples import (
    ALERT,
    LETTER,
    PUBLISHED,
    RUN,
    WHOLE_RUN,
    decided,
    matched,
)

FOREVER: dict[str, int | None] = {}
Open = Callable[..., Awaitable[ReadModel]]


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it, some seconds at most."""
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


async def everything(model: ReadModel) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""

    def ask(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        statements = {name: "SELECT * FROM " + name for name in names}  # noqa: S608  # names of our tables
        return {
            name: sorted(tuple(row) for row in connection.execute(statement))
            for name, statement in statements.items()
        }

    return await model.query(ask)


async def status(model: ReadModel) -> str:
    row = await model.query(lambda connection: run_row(connection, RUN))
    assert row is not None
    return str(row["status"])


async def fill(log: MemoryLog) -> None:
    await log.write(DECISIONS, ALERT, matched(), decided("started"))
    await log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await log.write(PUBLICATIONS, RUN, PUBLISHED)
    await log.write(DEAD_LETTERS, "k", LETTER)
