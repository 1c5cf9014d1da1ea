"""The `pulsebook` command. Each group of commands is a file beside this one; what they do is not here."""

import io
import sys
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from cli import (
    alert,
    audit,
    deadletter,
    endpoint,
    mute,
    pausing,
    playbook,
    processes,
    run,
    secret,
    state,
    token,
    topics,
)
from cli.doctor import doctor
from cli.init import init
from cli.output import say
from cli.playbook_test import test
from cli.status import status
from cli.up import up


def tell_version(wanted: bool) -> None:
    """The version, and the end of the command."""
    if wanted:
        say(f"pulsebook {installed_version('pulsebook')}")
        raise typer.Exit


app = typer.Typer(
    name="pulsebook",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=tell_version, is_eager=True),
    ] = False,
) -> None:
    """Matches alerts to playbooks, runs their steps, and tells Datadog what happened."""


app.command()(up)
app.command()(processes.web)
app.command()(processes.processor)
app.command()(processes.executor)
app.command()(processes.sink)
app.command(hidden=True)(processes.sandbox)
app.command()(init)
app.command()(status)
app.command()(doctor)
app.add_typer(topics.app, name="topics")
app.add_typer(endpoint.app, name="endpoint")
app.add_typer(alert.app, name="alert")
playbook.app.command()(test)
app.add_typer(playbook.app, name="playbook")
app.add_typer(run.app, name="run")
app.command()(pausing.pause)
app.command()(pausing.resume)
app.add_typer(mute.app, name="mute")
app.add_typer(secret.app, name="secret")
app.add_typer(token.app, name="token")
app.add_typer(deadletter.app, name="deadletter")
app.add_typer(audit.app, name="audit")
app.add_typer(state.app, name="state")


def main() -> None:
    """Entry point of the `pulsebook` script."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a title's letters shows question marks, not a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()


if __name__ == "__main__":
    main()
