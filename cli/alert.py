"""`pulsebook alert`: send one, list them, trace one from the webhook to what Datadog heard."""

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import client
from cli.example import example_body
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, say
from cli.period import period_ms
from cli.tables import show_rows
from cli.trace_shown import show_trace

RECOMPUTED = 200
"""Playbooks that `trace --all` works out where nobody says how many."""
PAGE = 200
_PLACE = re.compile(r"(?:\w[\w.-]*/)?(\d+)/(\d+)")

app = typer.Typer(no_args_is_help=True, help="Send, list and trace alerts.")


@app.command()
def send(
    file: Annotated[
        str,
        typer.Argument(
            metavar="[FILE]", help="A file with the body, or - for standard input.", show_default=False
        ),
    ] = "",
    example: Annotated[
        bool, typer.Option("--example", help="Send the built-in example, with a fresh id and date.")
    ] = False,
    endpoint: Annotated[str, typer.Option(help="Endpoint it is sent as.")] = "demo",
    as_json: JsonOption = False,
) -> None:
    """Send an alert as if Datadog had called the endpoint's webhook."""
    if example == bool(file):
        fail("give either a FILE (- for standard input) or --example", WRONG_USE)
    body = example_body() if example else _read(file)
    answer = client.call("POST", client.at("endpoints", endpoint, "alerts"), content=body)
    if as_json:
        document(answer)
        return
    say(f"alert {answer['alert_id']} received")
    if not answer.get("parsed", True):
        say("it could not be parsed; it is kept, and the trace says why")
    say(f"try: pulsebook alert trace {answer['alert_id']}")


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", WRONG_USE)


@app.command("list")
def list_alerts(
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    endpoint: Annotated[str, typer.Option(help="Only of this endpoint.")] = "",
    playbook: Annotated[str, typer.Option(help="Only those that this playbook matched.")] = "",
    matching: Annotated[str, typer.Option(help="Only with this text in title, scope or monitor id.")] = "",
    since: Annotated[str, typer.Option(help="Only since then: 2h, 7d, or ISO 8601 (UTC).")] = "",
    until: Annotated[str, typer.Option(help="Only before then: the same.")] = "",
    as_json: JsonOption = False,
) -> None:
    """The latest alerts, and the playbooks that each matched."""
    period_ms(since or None, until or None)
    asked = {"endpoint": endpoint, "playbook": playbook, "text": matching, "since": since, "until": until}
    rows = client.pages("/api/v1/alerts", {name: value or None for name, value in asked.items()}, limit)
    columns = ("alert_id", "received_at_ms", "endpoint", "transition", "matched", "title")
    none = "no such alerts" if any(asked.values()) else "no alerts yet; try: pulsebook alert send --example"
    show_rows(rows if as_json else map(_titled, rows), columns, as_json, none)


def _titled(row: dict[str, Any]) -> dict[str, Any]:
    """What could not be read has no title; a line with nothing on it would leave people wondering."""
    return {**row, "title": f"(could not be read: {row['unparsable']})"} if row.get("unparsable") else row


@app.command()
def trace(
    alert_id: Annotated[
        str, typer.Argument(metavar="ALERT_ID", help="The alert's id: a-…; or its place: alerts/3/0.")
    ],
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also why those did not match that nobody looked at: recomputed."),
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many of those, with --all.")] = RECOMPUTED,
    as_json: JsonOption = False,
) -> None:
    """One alert's whole path: which playbooks matched or why not, admitted or why not, runs, published."""
    place = _PLACE.fullmatch(alert_id)
    path = client.at("alerts", f"{place[1]}-{place[2]}" if place else alert_id, "trace")
    query = {"all": "true", "limit": min(limit, PAGE)} if everything else {}
    answer = client.call("GET", path, query=query, allow=(404,))
    if place and answer.get("status") == 404:
        fail(answer["detail"], ANSWER_IS_NO)
    if answer.get("status") == 404:
        fail(
            f"no alert {alert_id} is known: what was just sent takes a second or two to be decided about; "
            "else the id is wrong",
            ANSWER_IS_NO,
        )
    if everything:
        _read_on(path, answer["recomputed"], limit)
    document(answer) if as_json else show_trace(answer, everything)


def _read_on(path: str, recomputed: dict[str, Any], limit: int) -> None:
    """Add the pages that follow, up to `limit` playbooks."""
    items = recomputed["items"]
    while recomputed["next"] and len(items) < limit:
        query = {"all": "true", "limit": min(limit - len(items), PAGE), "cursor": recomputed["next"]}
        page = client.call("GET", path, query=query)["recomputed"]
        items += page["items"]
        recomputed["next"] = page["next"]
