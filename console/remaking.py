"""Makes the read model of this process again when the catalog asks for it, and reports there what came of it.

The read model notes which request its rows come from; so a process that was down meanwhile does it at its
next start, once. A file that was made in this process comes from the topics as it is.
"""

import asyncio
import contextlib
import logging
import sqlite3
import time
from typing import Literal

from console.parts import Parts
from console.read_model.model import ReadModel
from console.writing import NotDurable, durably
from engine.rebuilds import Request
from schemas.catalog import RebuildReported
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG

log = logging.getLogger("pulsebook.read_model")

LOOK_EVERY_S = 0.25
TABLE = "read-model"


class Remaking:
    """Of one web process."""

    def __init__(self, parts: Parts, model: ReadModel) -> None:
        self._parts = parts
        self._model = model
        self._done_for = 0
        self._looked = False
        self._records = 0
        self._began_s = time.monotonic()
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look; returns at once."""
        self._looking = asyncio.create_task(self._look_for_ever())

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look_for_ever(self) -> None:
        while True:
            try:
                # Its file may be being opened, or the broker away: the next look is soon.
                with contextlib.suppress(sqlite3.Error, NotDurable):
                    await self._look()
            except Exception:
                log.exception("it could not be seen whether the read model is to be made again")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        if not self._parts.catalog.ready or self._model.state.problem:
            return
        request = self._parts.catalog.catalog.rebuilds.latest("read-models")
        number = 0 if request is None else request.offset + 1
        made_for, told = await self._model.made_for()
        is_first, self._looked = not self._looked, True
        if request is None or number <= self._done_for:
            return
        if made_for < number and is_first and self._model.is_new:
            await self._model.note(rebuild=number, rebuild_told=number)
        elif made_for < number:
            await self._begin(number, request)
        elif told < number and self._model.state.caught_up:
            records = self._model.state.records - self._records
            await self._report(request, "done", records, int((time.monotonic() - self._began_s) * 1000))
            await self._model.note(rebuild_told=number)
            self._done_for = number

    async def _begin(self, number: int, request: Request) -> None:
        if self._model.state.remaking:
            return
        await self._report(request, "begun")
        self._began_s, self._records = time.monotonic(), self._model.state.records
        self._model.make_again(number, request.actor)

    async def _report(
        self, request: Request, state: Literal["begun", "done"], rows: int = 0, took_ms: int = 0
    ) -> None:
        name = f"web-{self._parts.settings.instance}"
        report = RebuildReported(
            actor=name,
            at_ms=time.time_ns() // 1_000_000,
            requested_at=request.offset,
            table=TABLE,
            state=state,
            rows=rows,
            took_ms=took_ms,
        )
        await durably(self._parts, Outgoing(CATALOG, f"rebuilt/{TABLE}/{name}", report))
