"""/api/v1/alerts: list, show, and the trace of one: what became of it, playbook by playbook, and why."""

import re
import time
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from console.api.asking import Cursor, Given, Limit, Since, Until, model_of
from console.fetching import fetched_alert
from console.paging import LIMIT, Page, decode_cursor, page
from console.problems import Problem
from console.read_model.alerts import Asked, alert_at, alert_row, list_alerts
from console.read_model.letters import letter_from
from console.read_model.model import ReadModel
from console.recomputing import recomputed
from console.times import moment_ms
from console.tracing import Trace, found_of
from schemas.topics import ALERTS

_PLACE = re.compile(r"(\d{1,6})-(\d{1,18})")


class AlertSummaryView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert in a list. `matched`: the playbooks that it matched."""

    alert_id: str
    received_at_ms: int
    endpoint: str
    title: str
    transition: str
    monitor_id: str
    scope: str
    partition: int
    offset: int
    matched: list[str]
    unparsable: str
    recovery: bool


class AlertView(AlertSummaryView, frozen=True, kw_only=True):
    """An alert with all there is of it."""

    content_type: str
    raw: str
    """The body as it came; bytes that are no text are replaced."""
    alert: Any
    """The normalised alert; null where the body could not be read, or is no longer kept."""


@get("/alerts", summary="Alerts, the latest first")
async def list_all(
    parts: Given,
    endpoint: FromQuery[str | None] = None,
    playbook: Annotated[str | None, QueryParameter(description="Only those that it matched.")] = None,
    text: Annotated[str | None, QueryParameter(description="Held by title, scope or monitor id.")] = None,
    since: Since = "",
    until: Until = "",
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Page[AlertSummaryView]:
    """Alerts that a decision has been made about; the newest may take a moment."""
    mark = decode_cursor(cursor, (int, str)) if cursor else None
    now_ms = time.time_ns() // 1_000_000
    asked = Asked(
        endpoint=endpoint,
        playbook=playbook,
        text=text,
        since_ms=moment_ms(since, now_ms) if since else None,
        until_ms=moment_ms(until, now_ms) if until else None,
    )
    rows = await model_of(parts).query(lambda connection: list_alerts(connection, asked, mark, limit))
    return page(
        rows,
        limit,
        lambda row: [row["at_ms"], row["alert_id"]],
        lambda row: AlertSummaryView(**_summary(row)),
    )


@get("/alerts/{alert_id:str}", summary="An alert as it came and as it was understood")
async def show(parts: Given, alert_id: FromPath[str]) -> AlertView:
    """The body is fetched from its topic, and is gone when that has let go of it."""
    row = await model_of(parts).query(lambda connection: alert_row(connection, alert_id))
    if row is None:
        raise unknown(alert_id)
    got = await fetched_alert(parts, alert_id, row["partition"], row["offset"], row["endpoint"])
    return AlertView(
        **_summary(row),
        content_type=got.content_type if got else "",
        raw=got.raw.decode("utf-8", "replace") if got else "",
        alert=msgspec.to_builtins(got.alert) if got and got.alert else None,
    )


@get("/alerts/{alert_id:str}/trace", summary="What became of an alert, and why")
async def trace(
    parts: Given,
    alert_id: FromPath[str],
    everything: Annotated[
        bool,
        QueryParameter(name="all", description="Also why playbooks that were not looked at did not match."),
    ] = False,
    limit: Limit = LIMIT,
    cursor: Cursor = "",
) -> Trace:
    """Received, per playbook matched or the clause that was false, admitted or not, the runs, what was
    published. PARTITION-OFFSET names an alert by its place on `alerts`; where it became a dead letter, the
    404 says why. `limit` and `cursor` are for what `all` adds.
    """
    model = model_of(parts)
    if place := _PLACE.fullmatch(alert_id):
        partition, offset = int(place[1]), int(place[2])
        at = await model.query(lambda connection: alert_at(connection, partition, offset))
        if at is None:
            raise await _no_alert_at(model, partition, offset)
        alert_id = at
    found = await found_of(model, alert_id)
    if found is None:
        raise unknown(alert_id)
    traced = found.trace(parts.catalog.catalog)
    if not everything:
        return traced
    after = str(decode_cursor(cursor, (str,))[0]) if cursor else ""
    return msgspec.structs.replace(traced, recomputed=await recomputed(parts, found.matched, after, limit))


async def _no_alert_at(model: ReadModel, partition: int, offset: int) -> Problem:
    """404, with the dead letter that the message became, if it did."""
    letter = await model.query(lambda connection: letter_from(connection, ALERTS.name, partition, offset))
    place = f"{ALERTS.name}/{partition}/{offset}"
    if letter is None:
        return Problem(404, f"nothing is known of {place} (yet): it is too old, was just sent, or waits")
    letter_id = f"{letter['partition']}-{letter['offset']}"
    return Problem(404, f"{place} is the dead letter {letter_id}, not an alert: {letter['reason']}")


def unknown(alert_id: str) -> Problem:
    """404, with what may be the matter."""
    return Problem(
        404,
        f"no alert {alert_id[:100]} is known; one that was just sent is known when it has been decided about",
    )


def _summary(row: Any) -> dict[str, Any]:
    return {
        "alert_id": row["alert_id"],
        "received_at_ms": row["at_ms"],
        "endpoint": row["endpoint"],
        "title": row["title"],
        "transition": row["transition"],
        "monitor_id": row["monitor_id"],
        "scope": row["scope"],
        "partition": row["partition"],
        "offset": row["offset"],
        "matched": msgspec.json.decode(row["matched"]),
        "unparsable": row["unparsable"],
        "recovery": bool(row["recovery"]),
    }
