"""Following one run to its end, by what the read model commits."""

import asyncio
import sqlite3

from console.parts import Parts
from console.read_model.model import ReadModel
from console.read_model.runs import run_row

RUNNING = frozenset({"running", "waiting", "queued"})
"""Statuses after which something still follows."""


async def wait_for_end(parts: Parts, model: ReadModel, run_id: str, within_s: float) -> sqlite3.Row | None:
    """The run's row once it has ended or was turned away, or as it stands when the time is over; None:
    unknown.
    """
    row: sqlite3.Row | None = None
    with model.watchers.watch(run_id) as changed:
        try:
            async with asyncio.timeout(within_s):
                while not parts.stopping.is_set():
                    changed.clear()
                    row = await model.query(lambda connection: run_row(connection, run_id))
                    if row and row["status"] not in RUNNING:
                        break
                    await changed.wait()
        except TimeoutError:
            pass
    return row
