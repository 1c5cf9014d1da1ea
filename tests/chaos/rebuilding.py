"""`pulsebook state rebuild` against a world, and what its read model holds."""

import asyncio
import json
import os
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT
from tests.chaos.world import PARTITIONS, World

TABLES = ("admissions", "notified", "runs")
EVERYWHERE = {(table, partition) for table in TABLES for partition in range(PARTITIONS)}


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the command said."""

    code: int
    said: list[dict[str, Any]]
    complaint: str

    @property
    def places(self) -> set[tuple[str, int]]:
        """Tables and partitions that were made again."""
        return {(one["table"], one["partition"]) for one in self.said if one.get("table") in TABLES}

    @property
    def verdict(self) -> dict[str, Any]:
        return self.said[-1]


async def rebuild(world: World, *arguments: str) -> Rebuilt:
    """Run the command to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cli.main", "state", "rebuild", "--yes", "--json", *arguments),
        cwd=ROOT,
        env={**os.environ, "PULSEBOOK_KAFKA": world.servers, "PULSEBOOK_TOPIC_PREFIX": world.prefix},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    said = [json.loads(line) for line in out.decode().splitlines()]
    return Rebuilt(process.returncode or 0, said, err.decode())


async def logged(world: World, name: str, what: str, times: int, within_s: float = 30.0) -> None:
    """Wait until a worker has said something so many times."""
    async with asyncio.timeout(within_s):
        while world.workers[name].log.read_text(errors="replace").count(what) < times:
            await asyncio.sleep(0.005)


def count(world: World, name: str, what: str) -> int:
    """How often a worker has said something."""
    return world.workers[name].log.read_text(errors="replace").count(what)


def read_model(world: World, name: str = "web-a") -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a read model, by table; without what it notes of itself."""
    (path,) = world.workers[name].folder.glob("read-model.sqlite")
    return rows_of_file(path)


def rows_of_file(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The same of a file."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr)  # noqa: S608 - its own names
            for name in names
            if name != "meta"
        }
    finally:
        connection.close()
