"""`pulsebook endpoint`: named webhook addresses for Datadog."""

import json
from importlib import resources
from typing import Annotated

import typer

from cli import client
from cli.output import JsonOption, document, say
from cli.tables import show_rows

app = typer.Typer(no_args_is_help=True, help="Webhook endpoints: make, list, rotate and delete them.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The endpoint's name.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]


@app.command()
def create(name: Name, reason: Reason = "", as_json: JsonOption = False) -> None:
    """Make an endpoint and say how to set it up in Datadog. Its address is shown once, as the last line."""
    answer = client.call("POST", "/api/v1/endpoints", body={"name": name, "reason": reason})
    _show(name, answer, as_json)


@app.command()
def rotate(
    name: Name,
    keep_old: Annotated[str, typer.Option(help="How long the old address goes on working.")] = "24h",
    reason: Reason = "",
    as_json: JsonOption = False,
) -> None:
    """Give an endpoint a new address; the old one is accepted for a while."""
    body = {"keep_old": keep_old, "reason": reason}
    answer = client.call("POST", client.at("endpoints", name, "rotate"), body=body)
    _show(name, answer, as_json)


@app.command("list")
def list_endpoints(as_json: JsonOption = False) -> None:
    """All endpoints. Tokens are not kept and cannot be shown."""
    rows = client.call("GET", "/api/v1/endpoints")["items"]
    none = "no endpoints yet; try: pulsebook endpoint create NAME"
    show_rows(rows, ("name", "actor", "at_ms", "old_valid_until_ms"), as_json, none)


@app.command()
def delete(name: Name, reason: Reason = "", as_json: JsonOption = False) -> None:
    """Remove an endpoint: its address answers 404 from now on."""
    client.call("DELETE", client.at("endpoints", name), query={"reason": reason or None})
    document({"name": name, "deleted": True}) if as_json else say(f"endpoint {name} deleted")


def payload() -> str:
    """The payload that Datadog is to send: recommended by both products Pulsebook takes after."""
    return resources.files("cli").joinpath("datadog-webhook-payload.json").read_text()


def _show(name: str, answer: dict[str, str], as_json: bool) -> None:
    if as_json:
        document({**answer, "payload": json.loads(payload())})
        return
    say("In Datadog: Integrations, Webhooks, New:")
    say(f"  name     pulsebook-{name}")
    say(f"  then write @webhook-pulsebook-{name} into the messages of the monitors that are to call it")
    say("  payload  (paste it whole)")
    say(payload().rstrip())
    say("The URL, shown this once:")
    say(answer["url"])
