"""What a run may hold: whether a row and a journal record are small enough, and what happens to a step that
is not.

The row's limit is a little lower in `steps`, so that `on_failure` and `finally` still have room. A record
is measured as JSON, which is never smaller than its Avro form (that has no names in it).
"""

from typing import Literal

import msgspec
from msgspec.structs import replace

from engine.playbook.compiled import Compiled
from engine.run.beginning import continues
from engine.run.frames import id_of
from engine.run.state import ENDED, Run, encode_row
from schemas.events import Reported, RunEvent, StepAsked, StepFailed, StepRequested, StepSucceeded, VarsSet
from schemas.events_flow import ChildRequested, IterationEnded, LoopEntered
from schemas.inbox import Limits

_ROOM_FOR_BLOCKS = 16
"""One part in so many of the row is kept for `on_failure` and `finally`."""
_ENVELOPE_BYTES = 512
"""Of a journal record, beside its events."""

_encoder = msgspec.json.Encoder()


def measured(event: RunEvent) -> int:
    """Bytes of an event, as `too_large` counts them."""
    return len(_encoder.encode(event))


def too_large(run: Run | None, events: list[RunEvent], limits: Limits, events_bytes: int = 0) -> str:
    """Why a row, or the events of one record, do not fit; empty where they do.

    `events_bytes`: what they `measured` each, added up; 0: not known.
    """
    together = events_bytes + len(events) + 1 if events_bytes else len(_encoder.encode(events))
    size = together + _ENVELOPE_BYTES
    if size > limits.record_bytes_max:
        return f"the journal record would be {size} bytes; at most {limits.record_bytes_max} are allowed"
    if run is None or run.status in ENDED:
        return ""
    most = limits.row_bytes_max
    if run.block == "steps":
        most -= most // _ROOM_FOR_BLOCKS
    size = len(encode_row(run))
    if size > most:
        return f"all that the run holds would be {size} bytes; at most {most} are allowed"
    return ""


def instead(event: RunEvent, why: str, book: Compiled) -> StepFailed | IterationEnded | None:
    """The step's failure, in the place of an event that brings more than fits. None: that event is not a
    step's.
    """
    attempt = 0
    status: Literal["failed", "unknown"] = "failed"
    match event:
        case StepSucceeded():
            path, attempt = event.step, event.attempt
        case StepRequested():
            path, attempt = event.step, event.attempt - 1
        case IterationEnded():
            return replace(event, outputs={}, stop=False, next_ms=0, kind="too_large", message=why, origin="")
        case StepAsked():
            path, attempt, status = event.step, event.attempt, "unknown" if event.attempt else "failed"
        case VarsSet() | Reported() | LoopEntered() | ChildRequested():
            path = event.step
        case _:
            return None
    if not path:
        return None
    continued = continues(book.steps[id_of(path)])
    return StepFailed(
        step=path, attempt=attempt, kind="too_large", message=why, status=status, continued=continued
    )
