"""Admission: may this start now? One input and the rows of its playbook become new rows and what is to be
sent.

Deterministic: the rows, the input, its cause, the pinned revision and the situation are all it knows; times
are the broker's. Every change of a candidate is one AdmissionDecided, and each ends in exactly one of
started, held_back, dropped, expired, refused. What a candidate meets is in `arriving` and `rules`, the queue
in `queueing`, recoveries in `recovering`, the rows in `rows`; `docs/admission.md` tells it with examples.
"""

from dataclasses import dataclass
from typing import assert_never

from engine.admission.arriving import arrived
from engine.admission.draft import Draft, Get
from engine.admission.queueing import free, leave_queue, start_queued
from engine.admission.recovering import recovered
from engine.admission.remembering import forget
from engine.admission.rows import ChunkRow, Row, RunRow, decode_row, encode_row, playbook_of, timers
from engine.admission.situation import Situation
from engine.admission.switching import switch
from engine.playbook.compiled import Compiled
from schemas.admissions import (
    AdmissionsRecord,
    AlertRecovered,
    Candidate,
    CandidateCancelled,
    PlaybookSwitched,
    RunEnded,
)
from schemas.inbox import CancelRequested, TimerFired
from schemas.outgoing import Cause, Outgoing

__all__ = ["Admitted", "Row", "Situation", "admit", "decode_row", "encode_row", "playbook_of", "timers"]


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an input led to: rows by key (None: to be deleted), and what is to be sent, in this order."""

    rows: dict[str, Row | None]
    sends: tuple[Outgoing, ...]


def admit(
    get: Get, record: AdmissionsRecord, cause: Cause, compiled: Compiled | None, situation: Situation
) -> Admitted:
    """What `record` does to the rows of its playbook, which `get` gives by key.

    `compiled`: the revision that a Candidate or an AlertRecovered names, None if it is not known; not looked
    at for other records. An input that was applied before changes no row.
    """
    playbook = playbook_of(record.row) if isinstance(record, TimerFired) else record.playbook
    draft = Draft(get, playbook, cause)
    match record:
        case Candidate():
            arrived(draft, record, compiled, situation)
        case AlertRecovered():
            recovered(draft, record, compiled)
        case RunEnded():
            _run_ended(draft, record)
        case CandidateCancelled():
            _cancelled(draft, record)
        case TimerFired():
            _timer_fired(draft, record)
        case PlaybookSwitched():
            switch(draft, record.enabled, record.paused, record.catalog_offset)
            start_queued(draft)
        case _:
            assert_never(record)
    return Admitted(draft.rows, tuple(draft.sends))


def _run_ended(draft: Draft, record: RunEnded) -> None:
    """The run gives slot and key back. A repeat, or one that comes after the slot freed itself, changes
    nothing.
    """
    row = draft.run(record.run_id)
    if row is not None and row.state == "active":
        free(draft, record.run_id, row)
        start_queued(draft)


def _cancelled(draft: Draft, record: CandidateCancelled) -> None:
    """What waits leaves the queue. What has started since it was asked for is told; what has ended is not."""
    row = draft.run(record.run_id)
    if row is None or row.state == "ended":
        return
    if row.state == "active":
        request = CancelRequested(run_id=record.run_id, actor=record.actor, reason=record.reason)
        draft.tell(record.run_id, request)
        return
    leave_queue(draft, record.run_id, row)
    why = f": {record.reason}" if record.reason else ""
    draft.say(record.run_id, row, draft.decided("dropped", "cancelled", f"{record.actor} cancelled it{why}"))
    start_queued(draft)


def _timer_fired(draft: Draft, record: TimerFired) -> None:
    """A timer that is not pending any more, or fired early, changes nothing."""
    row = draft.row(record.row)
    due_ms = None if row is None else timers(row).get(record.timer)
    if row is None or due_ms is None or draft.at_ms < due_ms:
        return
    if isinstance(row, ChunkRow):
        forget(draft, record.row, row)
    elif isinstance(row, RunRow):
        run_id = record.row[len(draft.playbook) + 1 :]
        if row.state == "active":
            free(draft, run_id, row)
        else:
            leave_queue(draft, run_id, row)
            waited_s = (draft.at_ms - row.first.at_ms) / 1_000
            draft.say(run_id, row, draft.decided("expired", "queue", f"no turn within {waited_s:.0f} s"))
        start_queued(draft)
