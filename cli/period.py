"""The options `--since` and `--until` of commands that look at a period."""

import time
from typing import Annotated

import typer

from cli.output import WRONG_USE, fail
from console.times import BadTime, moment_ms

_FORMS = "2h, 7d, 2026-11-22T10:00:00Z (UTC unless it says otherwise)"
SinceOption = Annotated[
    str | None, typer.Option(metavar="TIME", help=f"From when: {_FORMS}; else from the oldest record kept.")
]
UntilOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="Until when (this moment itself not): the same; else now.")
]


def period_ms(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """Both as epoch ms, None where not given. Ends the command where one is no time, or nothing lies
    between.
    """
    now_ms = time.time_ns() // 1_000_000
    try:
        from_ms = None if since is None else moment_ms(since, now_ms)
        to_ms = None if until is None else moment_ms(until, now_ms)
    except BadTime as wrong:
        fail(str(wrong), WRONG_USE)
    if from_ms is not None and from_ms >= (now_ms if to_ms is None else to_ms):
        end = "now" if to_ms is None else "--until"
        fail(f"nothing lies in that period: --since is not before {end}", WRONG_USE)
    return from_ms, to_ms
