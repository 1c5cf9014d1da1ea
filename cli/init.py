"""`pulsebook init DIR`: a folder to begin with: one playbook that works, its test, and a README on what
to do next."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import WRONG_USE, JsonOption, document, fail, say

PLAYBOOK = """\
# A first playbook: it writes a line for each alert of the endpoint `demo` and tells Datadog about it.
# The language: docs/playbooks.md in the Pulsebook repository.
playbook: hello
description: Greets every alert.
owner: me

on:
  alert:
    endpoint: demo
  call: {}

steps:
  - id: greet
    action: log
    with: {message: "hello, ${{ alert.title }}"}
  - publish:
      title: "Pulsebook greets: ${{ alert.title }}"
      text: "The alert was seen; the step said: ${{ steps.greet.output.message }}"
      tags: [enrichment]

report: [failed, succeeded]
"""

TEST = """\
playbook: hello
tests:
  - name: greets the alert by its title
    alert: {endpoint: demo, title: p95 latency is high}
    answers: {greet: {output: {message: "hello, p95 latency is high"}}}
    expect:
      status: succeeded
      published: [{title: "Pulsebook greets: p95 latency is high", tags: [enrichment]}]
  - name: leaves alerts of other endpoints alone
    alert: {endpoint: elsewhere, title: p95 latency is high}
    expect: {matches: false}
"""

README = """\
# Playbooks

| do | with |
|---|---|
| check them | `pulsebook playbook lint .` |
| test them | `pulsebook playbook test .` |
| make them the active ones | `pulsebook playbook apply .` |
| try one | `pulsebook alert send --example`, then `pulsebook run list` |
| see why one did not start | `pulsebook alert trace ALERT_ID` |
"""


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder; made if it is not there.", show_default=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Make a folder with a first playbook, its test and a README."""
    files = {
        directory / "hello.yaml": PLAYBOOK,
        directory / "hello.test.yaml": TEST,
        directory / "README.md": README,
    }
    for path in files:
        if path.exists():
            fail(f"{path} is there already; nothing was written. Name another folder.", WRONG_USE)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
            document({"wrote": str(path)}) if as_json else say(f"wrote {path}")
    except OSError as error:
        fail(f"cannot write to {directory}: {error.strerror}", WRONG_USE)
    if not as_json:
        say(f"try: pulsebook playbook lint {directory}, then pulsebook playbook apply {directory}")
