"""`pulsebook alert`: send one, list them, trace one from the webhook to what Datadog heard."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli import client
from cli.example import example_body
from cli.output import (
    ANSWER_IS_NO,
    WRONG_USE,
    JsonOption,
    document,
    fail,
    markup,
    moment,
    say,
    show_rows,
    styled,
)

app = typer.Typer(no_args_is_help=True, help="Send, list and trace alerts.")


@app.command()
def send(
    file: Annotated[str, typer.Argument(help="A file with the body, or - for standard input.")] = "",
    example: Annotated[bool, typer.Option("--example", help="Send the built-in example.")] = False,
    endpoint: Annotated[str, typer.Option(help="Endpoint it is sent as.")] = "demo",
    as_json: JsonOption = False,
) -> None:
    """Send an alert as if Datadog had called the endpoint's webhook."""
    if example == bool(file):
        fail("give either a FILE (- for standard input) or --example", WRONG_USE)
    answer = client.call(
        "POST", f"/api/v1/endpoints/{endpoint}/alerts", content=example_body() if example else _read(file)
    )
    if as_json:
        document(answer)
        return
    say(f"alert {answer['alert_id']} received")
    if not answer.get("parsed", True):
        say("it could not be parsed; `pulsebook deadletter list` says why")
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
    as_json: JsonOption = False,
) -> None:
    """The latest alerts, and whether any playbook matched."""
    rows = client.pages("/api/v1/alerts", {"endpoint": endpoint or None}, limit)
    columns = ("alert_id", "received_at_ms", "endpoint", "transition", "title", "matched")
    show_rows(rows, columns, as_json, "no alerts yet; try: pulsebook alert send --example")


@app.command()
def trace(alert_id: str, as_json: JsonOption = False) -> None:
    """One alert's whole path: received, which playbooks matched and why not, admitted or not, runs, published."""
    answer = client.call("GET", f"/api/v1/alerts/{alert_id}/trace", allow=(404,))
    if answer.get("status") == 404:
        fail(
            f"no alert {alert_id} is known: it may not have been read yet (a second or two), or its id is wrong",
            ANSWER_IS_NO,
        )
    if as_json:
        document(answer)
        return
    _show_trace(answer)


def _show_trace(trace: dict[str, Any]) -> None:
    alert = trace["alert"]
    markup(f"[bold]alert {escape(alert['alert_id'])}[/]  {escape(alert.get('title') or '')}")
    where = f"alerts/{alert.get('partition')}/{alert.get('offset')}"
    say(f"  received  {moment(alert.get('received_at_ms'))}  endpoint {alert.get('endpoint')}  {where}")
    if alert.get("unparsable"):
        say(f"  could not be read: {alert['unparsable']}")
    for playbook in trace.get("playbooks", []):
        _show_playbook(playbook)
    if not trace.get("playbooks"):
        say("  no playbook was there to look at; apply one: pulsebook playbook apply DIR")
    for published in trace.get("publications", []):
        title = (published.get("sent") or {}).get("title", "")
        markup(
            f"  published {moment(published.get('at_ms'))}  event {escape(str(published.get('event_id') or 'REFUSED'))}"
            f"  {escape(title)}"
        )


def _show_playbook(playbook: dict[str, Any]) -> None:
    name = escape(playbook["playbook"])
    if not playbook.get("matched"):
        markup(
            f"  [dim]{name}[/]: not matched: {escape(playbook.get('clause', ''))}: {escape(playbook.get('detail', ''))}"
        )
        return
    markup(f"  [bold]{name}[/]: [green]matched[/]")
    for decided in playbook.get("decisions", []):
        why = f": {decided['rule']}: {decided['reason']}" if decided.get("rule") else ""
        until = f" until {moment(decided['until_ms'])}" if decided.get("until_ms") else ""
        markup(f"    {moment(decided.get('at_ms'))}  {styled(decided['decision'])}{escape(why)}{until}")
    if run := playbook.get("run"):
        markup(
            f"    run {escape(run['run_id'])}  {styled(run['status'])}  {escape(run.get('message') or '')}"
        )
