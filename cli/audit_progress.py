"""A bar that shows how far a long command is: on standard error, and on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Moved = Callable[[int, int], None]
"""How much is done, and how much there is."""


@contextmanager
def progress_bar(what: str) -> Iterator[Moved]:
    """Hands out what moves the bar."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
