"""`pulsebook playbook schema` and `new`: what an editor needs to complete and check a playbook.

The schema lies beside the playbooks, so that an editor finds it without a network, and is the one of this
version and its actions.
"""

import json
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.output import WRONG_USE, JsonOption, document, fail, say

SCHEMA_PATH = Path(".pulsebook") / "playbook.schema.json"
"""From the folder of the playbooks."""
MODELINE = f"# yaml-language-server: $schema={SCHEMA_PATH.as_posix()}\n"
STARTER = """\
playbook: {name}
description: What it does, in one sentence.
owner: who looks after it

on:
  alert:
    endpoint: demo
    # tags: {{service: checkout}}
  call: {{}}

steps:
  - id: first
    action: log
    with: {{message: "${{{{ alert.title }}}}"}}

report: [failed, succeeded]
"""
_NAME = re.compile(r"[a-z0-9-]{1,64}")


def schema_text() -> str:
    """The JSON Schema of a playbook file, with the actions of this version."""
    from connectors.actions.registry import specs
    from engine.playbook.json_schema import playbook_schema

    return json.dumps(playbook_schema(specs().values()), ensure_ascii=False, indent=2) + "\n"


def schema() -> None:
    """Print the JSON Schema of a playbook file, for editors. `playbook new` writes it to its place."""
    sys.stdout.write(schema_text())


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The playbook's name.", show_default=False)],
    directory: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="The folder of the playbooks.")
    ] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write a playbook to begin with, and the schema by which editors complete and check it."""
    if not _NAME.fullmatch(name):
        fail(f"a playbook cannot be called {name!r}: a-z, 0-9 and `-`, at most 64 characters", WRONG_USE)
    playbook, schema_file = directory / f"{name}.yaml", directory / SCHEMA_PATH
    if playbook.exists():
        fail(f"{playbook} is there already; nothing was written. Take another name.", WRONG_USE)
    try:
        schema_file.parent.mkdir(parents=True, exist_ok=True)
        schema_file.write_text(schema_text(), encoding="utf-8")
        playbook.write_text(MODELINE + STARTER.format(name=name), encoding="utf-8")
    except OSError as error:
        fail(f"cannot write to {directory}: {error.strerror}", WRONG_USE)
    if as_json:
        document({"wrote": [str(playbook), str(schema_file)]})
    else:
        say(f"wrote {playbook}, and {schema_file} for your editor (VS Code: the YAML extension)")
        say(f"try: pulsebook playbook lint {directory}")
