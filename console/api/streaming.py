"""/api/v1/runs/{id}/stream: a run followed live, as Server-Sent Events.

`record` (id: its seq; data: the record) for every journal record, from the first or after Last-Event-ID;
`status` while the journal has not spoken; `end` with the final status, and then the stream ends.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromPath, HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from console.api.asking import Given, model_of
from console.following import RUNNING
from console.parts import Parts
from console.problems import Problem
from console.read_model.model import ReadModel, ReadModelUnavailable
from console.read_model.runs import run_records, run_row
from console.run_view import record_view

HEARTBEAT_S = 15.0
"""A comment this often keeps proxies from closing a quiet stream."""
UNKNOWN_S = 60.0
"""How long a run that nobody knows is waited for."""
RECORDS_MAX = 100

LastEventId = Annotated[str, HeaderParameter(name="Last-Event-ID", description="Go on after this seq.")]


@get("/runs/{run_id:str}/stream", summary="Follow a run live (Server-Sent Events)")
async def stream(parts: Given, run_id: FromPath[str], last_event_id: LastEventId = "") -> ServerSentEvent:
    """A run that is not known yet is waited for: it may have just been requested."""
    model = model_of(parts)
    if len(model.watchers) >= parts.settings.streams_max:
        raise Problem(503, "too many runs are being followed live; try again later")
    after = int(last_event_id) if last_event_id.isdecimal() else 0
    return ServerSentEvent(_events(parts, model, run_id, after), headers={"Cache-Control": "no-store"})


async def _events(
    parts: Parts, model: ReadModel, run_id: str, after: int
) -> AsyncIterator[ServerSentEventMessage]:
    said, unknown_until = "", time.monotonic() + UNKNOWN_S
    parts.metrics.streams.inc()
    try:
        with model.watchers.watch(run_id) as changed:
            while not parts.stopping.is_set():
                changed.clear()
                row, records = await model.query(partial(_look, run_id, after))
                for raw in records:
                    record = record_view(raw)
                    after = record.seq
                    yield _message("record", record, record.seq)
                if len(records) == RECORDS_MAX:
                    continue
                status = row["status"] if row else "unknown"
                if (row and status not in RUNNING) or (not row and time.monotonic() > unknown_until):
                    message = row["message"] if row else f"no run {run_id} is known"
                    yield _message("end", {"run_id": run_id, "status": status, "message": message})
                    return
                if not after and status != said:
                    said = status
                    yield _message("status", {"run_id": run_id, "status": status})
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield ServerSentEventMessage(data=None, comment="still here")
    except ReadModelUnavailable:
        return  # The client comes again with Last-Event-ID.
    finally:
        parts.metrics.streams.dec()


def _look(run_id: str, after: int, connection: sqlite3.Connection) -> tuple[sqlite3.Row | None, list[bytes]]:
    """The run's row, and then its records: a row that says it ended comes with all of them."""
    return run_row(connection, run_id), run_records(connection, run_id, after, RECORDS_MAX)


def _message(event: str, value: object, seq: int | None = None) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(value).decode(), event=event, id=seq)
