"""`pulsebook secret`: secrets of this machine, as files that only their owner can read. Values are never shown."""

import sys
from typing import Annotated

import typer

from cli.composing import load_settings, secret_store
from cli.output import WRONG_USE, JsonOption, fail, say, show_rows

app = typer.Typer(no_args_is_help=True, help="Secrets of this machine.")


@app.command("set")
def set_secret(
    name: str,
    host: Annotated[
        list[str] | None, typer.Option(help="Only for requests to this host; may be repeated.")
    ] = None,
) -> None:
    """Store a secret. The value comes from standard input or a prompt, never from the command line."""
    value = (
        typer.prompt("value", hide_input=True) if sys.stdin.isatty() else sys.stdin.read().removesuffix("\n")
    )
    if not value:
        fail("the value is empty; nothing was stored", WRONG_USE)
    try:
        path = secret_store(load_settings()).set(name, value, tuple(host or ()))
    except ValueError as error:
        fail(str(error), WRONG_USE)
    say(f"stored {name} in {path}")


@app.command("list")
def list_secrets(as_json: JsonOption = False) -> None:
    """Names of the stored secrets and the hosts they are bound to."""
    rows = [{"name": name, "hosts": list(hosts)} for name, hosts in secret_store(load_settings()).listed()]
    show_rows(rows, ("name", "hosts"), as_json, "no secrets yet; try: pulsebook secret set NAME")


@app.command()
def delete(name: str) -> None:
    """Remove a secret."""
    if not secret_store(load_settings()).delete(name):
        fail(f"there is no secret {name}")
    say(f"deleted {name}")
