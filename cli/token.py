"""`pulsebook token`: API tokens with a role. The value is printed once, at creation."""

from typing import Annotated

import typer

from cli import client
from cli.output import JsonOption, document, say, show_rows

app = typer.Typer(no_args_is_help=True, help="API tokens.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the token: the actor of what is done with it.")],
    role: Annotated[str, typer.Option(help="viewer, operator, admin or owner.")],
    as_json: JsonOption = False,
) -> None:
    """Make a token. Its value is the last line, shown this once."""
    answer = client.call("POST", "/api/v1/tokens", body={"name": name, "role": role})
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
def delete(name: str) -> None:
    """Remove a token: it is refused from now on."""
    client.call("DELETE", f"/api/v1/tokens/{name}")
    say(f"token {name} deleted")
