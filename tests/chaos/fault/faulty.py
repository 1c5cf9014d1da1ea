"""A fault of ours: the engine raises for every answer to a run whose alert comes from POISONED.

In the processor (`sitecustomize`), and in the checker, which folds what the processor folded.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from engine.run import advancing
from engine.run.responding import respond
from schemas.inbox import StepFinished

POISONED = "host:poisoned"


def broken(row: Any, record: Any, at_ms: int, book: Any) -> Any:
    """`respond`, but for the runs of POISONED."""
    alert = None if row is None or row.started is None else row.started.alert
    if isinstance(record, StepFinished) and alert is not None and alert.scope == POISONED:
        raise ZeroDivisionError("a fault of ours")
    return respond(row, record, at_ms, book)


def put_in() -> None:
    """For the rest of this process."""
    vars(advancing)["respond"] = broken


@contextlib.contextmanager
def faulty_engine() -> Iterator[None]:
    """For a while."""
    put_in()
    try:
        yield
    finally:
        vars(advancing)["respond"] = respond
