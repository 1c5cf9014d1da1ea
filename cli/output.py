"""How the command line speaks: sentences for people, one JSON document a line for machines, exit codes.

Answers go to standard output, what went wrong to standard error. Tables are `cli.tables`.
"""

import datetime
import json
import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

DONE = 0
ANSWER_IS_NO = 1
WRONG_USE = 2
CANNOT_REACH = 3

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document a line.")]

STATUS_STYLE = {
    "succeeded": "green",
    "matched": "green",
    "started": "green",
    "ready": "green",
    "failed": "red",
    "unknown": "red",
    "refused": "red",
    "not ready": "red",
    "held_back": "yellow",
    "queued": "yellow",
    "waiting": "yellow",
    "running": "cyan",
    "cancelled": "magenta",
}


CONTROLS = {code: "\ufffd" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if chr(code) not in "\n\t"}
"""What text from outside could do to a terminal: titles of alerts are written by others."""


def out(width: int | None = None) -> Console:
    """Standard output as it is now (a test may have replaced it); `width` characters, None: its own."""
    return Console(highlight=False, soft_wrap=True, emoji=False, width=width)


def say(text: str = "") -> None:
    """A line for a person, as it is (no markup)."""
    out().print(text.translate(CONTROLS), markup=False)


def warn(text: str) -> None:
    """A line on standard error."""
    err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
    err.print(text.translate(CONTROLS), markup=False)


def fail(text: str, code: int = ANSWER_IS_NO) -> NoReturn:
    """Say on standard error what is wrong and end with `code`."""
    warn(text)
    raise typer.Exit(code)


def document(value: Any) -> None:
    """One JSON document on one line, at once: a reader may be following."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def markup(text: str) -> None:
    """A line with markup; whatever came from outside must have been escaped."""
    out().print(text.translate(CONTROLS))


def styled(value: str) -> str:
    """Markup of a status word."""
    style = STATUS_STYLE.get(value)
    return f"[{style}]{escape(value)}[/]" if style else escape(value)


def moment(at_ms: int | None) -> str:
    """Epoch milliseconds as local time: 2026-11-22 14:05:07.123."""
    if not at_ms:
        return ""
    at = datetime.datetime.fromtimestamp(at_ms / 1000, tz=datetime.UTC).astimezone()
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at_ms % 1000:03d}"


def short_moment(at_ms: int | None) -> str:
    """The same for a glance: 14:05:07, and the day where it is not today: 11-21 14:05:07."""
    text = moment(at_ms)
    today = datetime.datetime.now(datetime.UTC).astimezone().strftime("%Y-%m-%d")
    return text[11:19] if text.startswith(today) else text[5:19]


def span(duration_ms: int | None) -> str:
    """A duration for a person: 12 ms, 3.4 s, 5 min 2 s."""
    if duration_ms is None:
        return ""
    if duration_ms < 1000:
        return f"{duration_ms} ms"
    if duration_ms < 60_000:
        return f"{duration_ms / 1000:.1f} s"
    return f"{duration_ms // 60_000} min {duration_ms % 60_000 // 1000} s"
