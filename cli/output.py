"""How the command line speaks: tables and sentences for people, one JSON document a line for machines, exit codes."""

import datetime
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

DONE = 0
ANSWER_IS_NO = 1
WRONG_USE = 2
CANNOT_REACH = 3

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document a line.")]

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)

STATUS_STYLE = {
    "succeeded": "green",
    "matched": "green",
    "started": "green",
    "failed": "red",
    "unknown": "red",
    "refused": "red",
    "held_back": "yellow",
    "queued": "yellow",
    "waiting": "yellow",
    "running": "cyan",
    "cancelled": "magenta",
}


def say(text: str = "") -> None:
    """A line for a person, as it is (no markup)."""
    _out.print(escape(text))


def warn(text: str) -> None:
    """A line on standard error."""
    _err.print(escape(text))


def fail(text: str, code: int = ANSWER_IS_NO) -> NoReturn:
    """Say on standard error what is wrong and end with `code`."""
    warn(text)
    raise typer.Exit(code)


def document(value: Any) -> None:
    """One JSON document on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def show_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool, empty: str) -> None:
    """Rows as a table, or one JSON document each. `empty` is said where there is none."""
    rows = list(rows)
    if as_json:
        for row in rows:
            document(row)
        return
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.removesuffix("_ms").replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(column, row.get(column)) for column in columns))
    _out.print(table)


def cell(name: str, value: Any) -> str:
    """One value of a table: times in local ISO form, lists joined, statuses coloured."""
    if value is None:
        return ""
    if name.endswith("_at_ms") or name == "at_ms" or name == "until_ms":
        return moment(value)
    if isinstance(value, list | tuple):
        return escape(", ".join(str(item) for item in value))
    if isinstance(value, dict):
        return escape(json.dumps(value, ensure_ascii=False))
    text = escape(str(value))
    style = STATUS_STYLE.get(str(value))
    return f"[{style}]{text}[/]" if style else text


def styled(value: str) -> str:
    """Markup of a status word."""
    style = STATUS_STYLE.get(value)
    return f"[{style}]{escape(value)}[/]" if style else escape(value)


def markup(text: str) -> None:
    """A line with markup; whatever came from outside must have been escaped."""
    _out.print(text)


def moment(at_ms: int | None) -> str:
    """Epoch milliseconds as local time: 2026-11-22 14:05:07.123."""
    if not at_ms:
        return ""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC).astimezone()
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at_ms % 1000:03d}"


def span(duration_ms: int | None) -> str:
    """A duration for a person: 12 ms, 3.4 s, 5 min 2 s."""
    if duration_ms is None:
        return ""
    if duration_ms < 1000:
        return f"{duration_ms} ms"
    if duration_ms < 60_000:
        return f"{duration_ms / 1000:.1f} s"
    return f"{duration_ms // 60_000} min {duration_ms % 60_000 // 1000} s"
