"""`pulsebook secret`: secrets of this machine, in files that only their owner can read. Never shown."""

import sys
from typing import Annotated

import typer

from cli.composing import load_settings, secret_store
from cli.data_folder import is_data_folder
from cli.output import WRONG_USE, JsonOption, document, fail, say, warn
from cli.tables import show_rows

app = typer.Typer(no_args_is_help=True, help="Secrets of this machine: store, list and delete them.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret's name.", show_default=False)]


@app.command("set")
def set_secret(
    name: Name,
    host: Annotated[
        list[str] | None, typer.Option(help="Only for requests to this host; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Store a secret. The value comes from standard input or a prompt, never from the command line."""
    if sys.stdin.isatty():
        value: str = typer.prompt("value", hide_input=True)
    else:
        value = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").removesuffix("\n")
    if not value:
        fail("the value is empty; nothing was stored", WRONG_USE)
    try:
        settings = load_settings()
        path = secret_store(settings).set(name, value, tuple(host or ())).resolve()
    except ValueError as error:
        fail(str(error), WRONG_USE)
    except OSError as error:
        fail(f"cannot store it: {error}", WRONG_USE)
    document({"name": name, "file": str(path)}) if as_json else say(f"stored {name} in {path}")
    if settings.secrets_dir is None and not is_data_folder(settings.data_dir):
        warn(
            f"no `pulsebook up` has its data in {settings.data_dir.resolve()}: where it runs elsewhere, its "
            "executor will not find the secret; set PULSEBOOK_DATA_DIR to its data folder"
        )


@app.command("list")
def list_secrets(as_json: JsonOption = False) -> None:
    """Names of the stored secrets and the hosts they are bound to."""
    rows = [{"name": name, "hosts": list(hosts)} for name, hosts in secret_store(load_settings()).listed()]
    show_rows(rows, ("name", "hosts"), as_json, "no secrets yet; try: pulsebook secret set NAME")


@app.command()
def delete(name: Name, as_json: JsonOption = False) -> None:
    """Remove a secret's file."""
    if not secret_store(load_settings()).delete(name):
        fail(f"there is no secret {name} in a file of this machine")
    document({"name": name, "deleted": True}) if as_json else say(f"deleted {name}")
