"""Puts a fault of ours into the engine: it raises for every answer to a run whose alert comes from POISONED.

Python imports it at the start of a process whose PYTHONPATH names this folder; the checker, which folds what
the processor folded, puts the same fault into its own process.
"""

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


advancing.respond = broken  # type: ignore[attr-defined,assignment]  # a fault is what this is
