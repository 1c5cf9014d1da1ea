"""`pulsebook playbook import`: playbooks of other products as playbooks of ours. Needs nothing that runs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import ANSWER_IS_NO, WRONG_USE, JsonOption, document, fail, say, warn

app = typer.Typer(no_args_is_help=True, help="Turn playbooks of other products into ours.")
_BYTES_MAX = 256 * 1024
"""Bytes of a file; as many as a playbook of ours may have."""


@app.command()
def stackpulse(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A playbook of StackPulse.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it there, not to standard output."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a StackPulse playbook into one of ours; what has no counterpart is a note, there and on stderr."""
    import msgspec

    from cli.playbook_files import problem_line
    from connectors.actions.registry import specs
    from engine.importing.stackpulse import imported

    text = _text(file)
    found = imported(text, str(file), specs())
    if found.problems:
        for problem in found.problems:
            each = msgspec.to_builtins(problem)
            document(each) if as_json else warn(problem_line(each))
        raise typer.Exit(ANSWER_IS_NO)
    if output is not None:
        _write(output, found.playbook, file)
    if as_json:
        document(
            {
                "playbook": found.playbook,
                "notes": msgspec.to_builtins(found.notes),
                "lint": msgspec.to_builtins(found.lint),
            }
        )
    else:
        _tell(file, output, found.playbook, [f"{file}:{note}" for note in found.notes])
        place = "standard output" if output is None else str(output)
        for problem in found.lint:
            warn(problem_line(msgspec.to_builtins(problem) | {"file": place}))
    if found.lint:
        raise typer.Exit(ANSWER_IS_NO)


def _tell(file: Path, output: Path | None, playbook: str, notes: list[str]) -> None:
    if output is None:
        say(playbook.rstrip("\n"))
    for note in notes:
        warn(note)
    count = "1 note" if len(notes) == 1 else f"{len(notes)} notes"
    if output is not None:
        say(f"{output}: imported from {file}, {count}; try: pulsebook playbook lint {output}")


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_BYTES_MAX + 1)
        text = data.decode("utf-8")
    except FileNotFoundError:
        fail(f"{file}: no such file", WRONG_USE)
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", WRONG_USE)
    except UnicodeDecodeError as error:
        if len(data) <= _BYTES_MAX:
            fail(f"{file} is no UTF-8 text (byte {error.start + 1}): save it as UTF-8", ANSWER_IS_NO)
        text = ""
    if len(data) > _BYTES_MAX:
        fail(f"{file}:1:1: error: the file has more than {_BYTES_MAX} bytes (make two of it)", ANSWER_IS_NO)
    return text


def _write(output: Path, playbook: str, file: Path) -> None:
    try:
        if output.exists() and output.samefile(file):
            fail(f"{output} is the file that is imported: name another one", WRONG_USE)
        output.write_text(playbook, encoding="utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}", WRONG_USE)
