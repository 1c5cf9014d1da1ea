"""`pulsebook deadletter`: what could not be handled, and why."""

from typing import Annotated

import typer

from cli import client
from cli.output import JsonOption, document, moment, say
from cli.tables import show_rows

app = typer.Typer(no_args_is_help=True, help="What could not be handled: list and show it.")


@app.command("list")
def list_dead_letters(
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The latest dead letters."""
    rows = client.pages("/api/v1/dead-letters", {}, limit)
    show_rows(rows, ("id", "at_ms", "stage", "topic", "reason"), as_json, "no dead letters")


@app.command()
def show(
    dead_letter_id: Annotated[
        str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.", show_default=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """One dead letter, with the message as it came."""
    letter = client.call("GET", client.at("dead-letters", dead_letter_id))
    if as_json:
        document(letter)
        return
    say(f"dead letter {letter['id']}  {moment(letter['at_ms'])}  given up by {letter['stage']}")
    say(f"from    {letter['topic']}/{letter['partition']}/{letter['offset']}  key {letter.get('key')}")
    say(f"reason  {letter['reason']}")
    if letter.get("detail"):
        say(f"detail  {letter['detail']}")
    for name, value in (letter.get("headers") or {}).items():
        say(f"header  {name}: {value}")
    say("value   " + str(letter.get("value")))
