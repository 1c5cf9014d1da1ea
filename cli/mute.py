"""`pulsebook mute`: alerts with these tags start nothing for a time; they are held back."""

from typing import Annotated

import typer

from cli import client
from cli.output import WRONG_USE, JsonOption, document, fail, moment, say
from cli.tables import show_rows

app = typer.Typer(no_args_is_help=True, help="Mute alerts for a time: they start nothing and are held back.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `mute list` shows it.", show_default=False)]


@app.command()
def add(
    for_: Annotated[str, typer.Option("--for", help="How long: 2h, 30m, 7d.", show_default=False)],
    tags: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY:VALUE,…", help="Tags that an alert has, each key with one of its values."),
    ] = None,
    playbook: Annotated[
        list[str] | None, typer.Option(help="Only what would start this playbook; may be repeated.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Mute alerts with these tags, of all playbooks or some. It ends by itself."""
    wanted = _tags(tags or [])
    if not wanted and not playbook:
        fail("say which alerts: give --tags, --playbook, or both (for all: pulsebook pause --all)", WRONG_USE)
    body = {"tags": wanted, "playbooks": playbook or [], "for": for_, "reason": reason}
    answer = client.call("POST", "/api/v1/mutes", body=body)
    document(answer) if as_json else say(f"mute {answer['name']}, until {moment(answer['until_ms'])}")


@app.command("list")
def list_mutes(as_json: JsonOption = False) -> None:
    """Mutes in force."""
    rows = client.call("GET", "/api/v1/mutes")["items"]
    if not as_json:
        for row in rows:
            pairs = [(key, value) for key, values in row["tags"].items() for value in values]
            row["tags"] = [f"{key}:{value}" if value else key for key, value in pairs]
    columns = ("name", "tags", "playbooks", "until_ms", "actor", "reason")
    show_rows(rows, columns, as_json, "nothing is muted")


@app.command()
def delete(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """End a mute now. What it held back is not made up for."""
    client.call("DELETE", client.at("mutes", name), query={"reason": reason or None})
    document({"name": name, "deleted": True}) if as_json else say(f"mute {name} deleted")


def _tags(given: list[str]) -> dict[str, list[str]]:
    """Key to values; a tag without a colon has the value ""."""
    tags: dict[str, list[str]] = {}
    for tag in (each.strip() for text in given for each in text.split(",")):
        key, _, value = tag.partition(":")
        if not key:
            fail(f"--tags {','.join(given)}: write it as KEY:VALUE,KEY:VALUE", WRONG_USE)
        tags.setdefault(key, []).append(value)
    return tags
