"""The page on the command line names every command with its arguments and options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cli.md").read_text()
_ROW = re.compile(r"^\| `([a-z][^`]*)` \| (.*?) \|", re.M)


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, sub in command.commands.items():
            if not sub.hidden:
                yield from commands(sub, *path, name)
    else:
        yield " ".join(path), command


def long_options(command: Any) -> set[str]:
    options = {max(param.opts, key=len) for param in command.params if param.param_type_name == "option"}
    return options - {"--json", "--help"}


def test_every_command_is_on_the_page_with_its_options_and_no_other() -> None:
    told = {
        re.split(r" [\[A-Z]", name)[0]: set(re.findall(r"`(--[\w-]+)`", options))
        for name, options in _ROW.findall(PAGE)
    }
    assert told == {name: long_options(command) for name, command in commands(typer.main.get_command(app))}


def test_every_command_says_what_it_does() -> None:
    for name, command in commands(typer.main.get_command(app)):
        assert command.help, name


def test_no_document_speaks_of_a_command_that_is_not_there() -> None:
    there = {name for name, _ in commands(typer.main.get_command(app))}
    groups = {name.rsplit(" ", 1)[0] for name in there if " " in name}
    told = {
        f"{group} {name}" if group in groups and name else group
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for group, name in re.findall(
            r"(?:`|^\$ )pulsebook ([a-z]+)(?: ([a-z]+(?:-[a-z]+)*))?", page.read_text(), re.M
        )
    }
    assert told - there - groups == set()
    assert len(told) > 10
