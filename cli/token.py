"""`pulsebook token`: API tokens with a role. The value is printed once, at creation."""

from typing import Annotated

import typer

from cli import client
from cli.output import JsonOption, document, say
from cli.tables import show_rows
from schemas.catalog import Role

app = typer.Typer(no_args_is_help=True, help="API tokens: make, list and delete them.")
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="The token's name: the actor of what is done with it.", show_default=False
    ),
]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]


@app.command()
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="What its bearer may do.", show_default=False)],
    reason: Reason = "",
    as_json: JsonOption = False,
) -> None:
    """Make a token. Its value is the last line, shown this once."""
    answer = client.call("POST", "/api/v1/tokens", body={"name": name, "role": role, "reason": reason})
    if as_json:
        document(answer)
        return
    say(f"token {name} with role {role}; shown this once:")
    say(answer["token"])


@app.command("list")
def list_tokens(as_json: JsonOption = False) -> None:
    """All tokens, without their values."""
    rows = client.call("GET", "/api/v1/tokens")["items"]
    show_rows(
        rows,
        ("name", "role", "actor", "at_ms"),
        as_json,
        "no tokens yet; try: pulsebook token create NAME --role viewer",
    )


@app.command()
def delete(name: Name, reason: Reason = "", as_json: JsonOption = False) -> None:
    """Remove a token: it is refused from now on."""
    client.call("DELETE", client.at("tokens", name), query={"reason": reason or None})
    document({"name": name, "deleted": True}) if as_json else say(f"token {name} deleted")
