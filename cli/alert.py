"""`pulsebook alert`: send one, list them, trace one from the webhook to what Datadog heard."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import client
from cli.example import example_body
from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, say
from cli.tables import show_rows
from cli.trace_shown import show_trace

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
    since: Annotated[str, typer.Option(help="Only since then: 2h, 7d, or ISO 8601.")] = "",
    as_json: JsonOption = False,
) -> None:
    """The latest alerts, and the playbooks that each matched."""
    rows = client.pages("/api/v1/alerts", {"endpoint": endpoint or None, "since": since or None}, limit)
    columns = ("alert_id", "received_at_ms", "endpoint", "transition", "matched", "title")
    none = "no such alerts" if endpoint or since else "no alerts yet; try: pulsebook alert send --example"
    show_rows(rows, columns, as_json, none)


@app.command()
def trace(
    alert_id: Annotated[
        str, typer.Argument(metavar="ALERT_ID", help="The alert's id: a-…; or its place: alerts/3/0.")
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Also every playbook that did not match, however many.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """One alert's whole path: which playbooks matched or why not, admitted or why not, runs, published."""
    place = _PLACE.fullmatch(alert_id)
    named = f"{place[1]}-{place[2]}" if place else alert_id
    answer = client.call("GET", client.at("alerts", named, "trace"), allow=(404,))
    if place and answer.get("status") == 404:
        fail(answer["detail"], ANSWER_IS_NO)
    if answer.get("status") == 404:
        fail(
            f"no alert {alert_id} is known: what was just sent takes a second or two to be decided about; "
            "else the id is wrong",
            ANSWER_IS_NO,
        )
    document(answer) if as_json else show_trace(answer, everything)
