"""/api/v1/runs: list, show, events, start, cancel. Following one live: `api.streaming`."""

import time
from typing import Annotated, Any, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from console.api.asking import Asked, Body, Cursor, Given, Limit, ReasonText, Since, Until, model_of
from console.fetching import recorded_alert
from console.following import RUNNING
from console.hooks.alerts import received_alert
from console.paging import LIMIT, Page, decode_cursor, page
from console.parts import Parts
from console.problems import Problem
from console.read_model.runs import list_runs, run_row
from console.run_view import EventsView, RunSummary, RunView, events_view, run_summary, run_view
from console.starting import CannotStart, Start, request_id, start
from console.times import moment_ms
from console.writing import durably
from schemas.admissions import CandidateCancelled
from schemas.alerts import Alert
from schemas.errors import SchemasError
from schemas.inbox import CancelRequested
from schemas.outgoing import Outgoing
from schemas.topics import ADMISSIONS, RUN_INBOX

Status = Literal[
    "queued",
    "running",
    "waiting",
    "succeeded",
    "failed",
    "cancelled",
    "dropped",
    "expired",
    "held_back",
    "refused",
]
IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key", max_length=200, description="A repeat with the same key starts nothing."
    ),
]


class StartBody(Body, frozen=True, kw_only=True):
    """What to start."""

    playbook: str
    inputs: dict[str, Any] = msgspec.field(default_factory=dict)
    alert_id: str = ""
    """A recorded alert to start it with."""
    alert: dict[str, Any] | None = None
    """Or an alert as a webhook would send it."""


class Requested(msgspec.Struct, frozen=True):
    """A start or cancel that is durable; what comes of it is the run's."""

    run_id: str


class CancelBody(Body, frozen=True, kw_only=True):
    """Why it is cancelled."""

    reason: ReasonText = ""


@get("/runs", summary="Runs, the latest first")
async def list_all(
    parts: Given,
    status: FromQuery[Status | None] = None,
    playbook: FromQuery[str | None] = None,
    alert_id: FromQuery[str | None] = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[RunSummary]:
    """What a rule held back, or refused, is listed only where that status is asked for."""
    mark = decode_cursor(cursor, (int, str)) if cursor else None
    now_ms = time.time_ns() // 1_000_000
    since_ms = moment_ms(since, now_ms) if since else None
    until_ms = moment_ms(until, now_ms) if until else None
    rows = await model_of(parts).query(
        lambda connection: list_runs(
            connection,
            status=status,
            playbook=playbook,
            alert_id=alert_id,
            since_ms=since_ms,
            until_ms=until_ms,
            mark=mark,
            limit=limit,
        )
    )
    return page(rows, limit, lambda row: [row["at_ms"], row["run_id"]], run_summary)


@get("/runs/{run_id:str}", summary="A run: steps, outputs, decisions, publications")
async def show(parts: Given, run_id: FromPath[str]) -> RunView:
    """Everything the journal tells of it, put together."""
    found = await run_view(model_of(parts), run_id, parts.catalog.catalog)
    if found is None:
        raise unknown(run_id)
    return found


@get("/runs/{run_id:str}/events", summary="A run's journal, record by record")
async def events(
    parts: Given, run_id: FromPath[str], after_seq: FromQuery[int] = 0, limit: Limit = LIMIT
) -> EventsView:
    """Records after `after_seq`, in order; `next_seq` is null when these were the last so far."""
    found = await events_view(model_of(parts), run_id, after_seq, limit)
    if found is None:
        raise unknown(run_id)
    return found


@post("/runs", status_code=202, opt={"role": "operator"}, summary="Start a playbook")
async def start_one(
    parts: Given, request: Asked, data: JSONBody[StartBody], idempotency_key: IdempotencyKey = ""
) -> Requested:
    """Admission decides when, and whether: the run's status says what became of it."""
    alert = await _alert(parts, data)
    actor = request.user.name
    asked = Start(
        playbook=data.playbook,
        request_id=request_id(f"api/{actor}", idempotency_key),
        via="api",
        actor=actor,
        inputs=data.inputs,
        alert=alert,
    )
    try:
        return Requested(await start(parts, asked))
    except CannotStart as error:
        raise Problem(error.status, str(error)) from error
    except SchemasError as error:
        raise Problem(422, f"the inputs cannot be recorded: {error}") from error


@post("/runs/{run_id:str}/cancel", status_code=202, opt={"role": "operator"}, summary="Ask a run to stop")
async def cancel(
    parts: Given, request: Asked, run_id: FromPath[str], data: JSONBody[CancelBody | None] = None
) -> Requested:
    """Its running step is stopped; its `finally` steps still run. What waits in the queue is dropped."""
    row = await model_of(parts).query(lambda connection: run_row(connection, run_id))
    if row is None:
        raise unknown(run_id)
    status = row["status"]
    if status not in RUNNING:
        raise Problem(409, f"the run has ended: {status}", run_status=status)
    asked = {"run_id": run_id, "actor": request.user.name, "reason": data.reason if data else ""}
    if row["journaled"]:
        outgoing = Outgoing(RUN_INBOX, run_id, CancelRequested(**asked))
    else:
        playbook = row["playbook"]
        outgoing = Outgoing(ADMISSIONS, playbook, CandidateCancelled(playbook=playbook, **asked))
    await durably(parts, outgoing)
    return Requested(run_id)


def unknown(run_id: str) -> Problem:
    """404, with what may be the matter."""
    return Problem(
        404, f"no run {run_id[:100]} is known; one that was just requested takes a moment to be read"
    )


async def _alert(parts: Parts, data: StartBody) -> Alert | None:
    """The alert a start is given. Raises Problem."""
    if data.alert_id and data.alert:
        raise Problem(422, "give `alert_id` or `alert`, not both")
    if data.alert_id:
        return await recorded_alert(parts, data.alert_id)
    if not data.alert:
        return None
    received = received_alert("", msgspec.json.encode(data.alert), "application/json")
    if received.alert is None:
        raise Problem(422, f"the alert cannot be read: {received.problem}")
    return received.alert
