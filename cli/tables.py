"""Tables of the command line. Ids, names and times stay whole whatever the width; long texts fold.

On a terminal a table is as wide as the terminal, or as its ids need. Anywhere else (a pipe, a file) every
row is one line, as wide as it must be: what `grep` and `awk` can use.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from cli.output import CONTROLS, document, moment, out, say, short_moment, styled

TEXTS = frozenset(
    {
        "title",
        "message",
        "reason",
        "detail",
        "description",
        "result",
        "value",
        "matched",
        "hosts",
        "problem",
        "change",
    }
)
"""Columns of free text: these fold where there is no room."""
TEXT_LEAST = 16
"""Characters that a column of text keeps on the narrowest terminal."""
GAP = 2
UNBOUNDED = 1_000_000
INDENTED = "step"
"""The column that may begin with spaces: a step within another."""


def show_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool, empty: str) -> None:
    """Rows as a table, or one JSON document each. `empty` is said where there is none."""
    rows = list(rows)
    if as_json:
        for row in rows:
            document(row)
    elif rows:
        _show(rows, columns)
    elif empty:
        say(empty)


def _show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    terminal = out()
    lines = [[cell(column, row.get(column), terminal.is_terminal) for column in columns] for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column in columns:
        header = column.removesuffix("_ms").replace("_", " ")
        table.add_column(header, overflow="fold", no_wrap=column not in TEXTS)
    for line in lines:
        table.add_row(*line)
    natural = out(UNBOUNDED).measure(table).maximum
    if terminal.is_terminal:
        wide = [max(len(line[at]) for line in lines) for at, column in enumerate(columns) if column in TEXTS]
        least = natural - sum(max(0, width - TEXT_LEAST) for width in wide)
        out(min(max(terminal.width, least), natural)).print(table, soft_wrap=False, crop=False)
        return
    whole = out(natural)
    with whole.capture() as captured:
        whole.print(table, soft_wrap=False, crop=False)
    for line_of_table in captured.get().splitlines():
        say(line_of_table.rstrip())


def cell(name: str, value: Any, brief: bool = False) -> str:
    """One value as markup: times in local form, lists joined, statuses coloured, always one line.

    `brief`: times as short as a person needs them.
    """
    if value is None:
        return ""
    if name.endswith("_at_ms") or name in ("at_ms", "until_ms"):
        return short_moment(value) if brief else moment(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return escape(", ".join(str(item) for item in value))
    if isinstance(value, dict):
        return escape(json.dumps(value, ensure_ascii=False))
    line = " ".join(str(value).translate(CONTROLS).split())
    return styled(line) if name != INDENTED else _margin(str(value)) + styled(line)


def _margin(text: str) -> str:
    return " " * (len(text) - len(text.lstrip(" ")))
