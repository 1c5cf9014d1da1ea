"""A playbook whose beginning retention has deleted: nobody knows who was active, queued or cooling then.

Until all of that is certainly over, decisions are not judged but adopted: the rows become what they must have
been for these decisions to be made. From `certain_from_ms` on the rows are exactly those of the processor,
and everything is judged again.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from engine.admission.arriving import decided_row, judged_row, take_settings
from engine.admission.draft import Draft
from engine.admission.queueing import activate, enqueue, free, leave_queue
from engine.admission.recovering import recovered
from engine.admission.remembering import REMEMBERED_MS, remember
from engine.admission.requesting import requested, slot_ms
from engine.admission.rows import Decided, PlaybookRow, RunRow, timers
from engine.admission.situation import Situation
from engine.admission.spacing import throttle_of
from engine.admission.switching import switch
from engine.catalog import Catalog
from engine.playbook.compiled import Compiled
from schemas.admissions import (
    AdmissionsRecord,
    AlertRecovered,
    Candidate,
    CandidateCancelled,
    PlaybookSwitched,
    RunEnded,
)
from schemas.decisions import AdmissionDecided
from schemas.inbox import CancelRequested, RunRecovered, TimerFired

SLACK_MS = 3_600_000
"""Timers may be late, and nobody may have been at work."""


def memories_ms(catalog: Catalog) -> Mapping[str, int]:
    """For each playbook how long something that happened can still matter, by any of its revisions."""
    found: dict[str, int] = {}
    for revision, added in catalog.revisions.items():
        book = catalog.compiled(revision)
        if book is not None:
            rules = book.playbook.admission
            longest_ms = max(
                REMEMBERED_MS,
                rules.cooldown_ms,
                rules.throttle_per_ms,
                rules.queue_expires_ms + slot_ms(book),
            )
            found[added.playbook] = max(longest_ms + SLACK_MS, found.get(added.playbook, 0))
    return found


def first_row(playbook: str, catalog: Catalog) -> PlaybookRow:
    """What is certain of a playbook at the beginning: what the catalog said then."""
    told = catalog.playbooks.get(playbook)
    row = PlaybookRow(
        enabled=told is None or (told.enabled and bool(told.digest)),
        enabled_offset=catalog.offset - 1,
        paused=catalog.holds.paused(playbook),
    )
    book = None if told is None else catalog.compiled(told.digest)
    if book is None:
        return row
    rules = book.playbook.admission
    return replace(
        row,
        max_running=rules.max_running,
        catalog_offset=catalog.offset - 1,
        throttle=throttle_of(row, rules),
    )


def adopt(
    draft: Draft,
    record: AdmissionsRecord,
    book: Compiled | None,
    decisions: Sequence[AdmissionDecided],
    situation: Situation,
    catalog: Catalog,
) -> list[str]:
    """Do to the rows what the input did, by the decisions that it led to. Runs of which nothing is known."""
    match record:
        case Candidate():
            _arrived(draft, record, book, decisions, situation)
        case AlertRecovered():
            recovered(draft, record, book)
        case RunEnded():
            _ended(draft, record.run_id)
        case CandidateCancelled():
            row = draft.run(record.run_id)
            if row is not None and row.state == "active":
                request = CancelRequested(run_id=record.run_id, actor=record.actor, reason=record.reason)
                draft.tell(record.run_id, request)
        case TimerFired():
            if record.timer == "slot" and _is_due(draft, record):
                _ended(draft, record.row[len(draft.playbook) + 1 :])
        case PlaybookSwitched():
            switch(draft, record.enabled, record.paused, record.catalog_offset)
    own = record.run_id if isinstance(record, Candidate) else ""
    first = next((one for one in decisions if one.run_id == own), None)
    return [one.run_id for one in decisions if one is not first and not _left_queue(draft, one, catalog)]


def as_decided(one: AdmissionDecided) -> Decided:
    """The decision as rows remember it."""
    return Decided(one.decision, one.rule, one.reason, one.until_ms, one.at_ms, one.partition, one.offset)


def _arrived(
    draft: Draft,
    candidate: Candidate,
    book: Compiled | None,
    decisions: Sequence[AdmissionDecided],
    situation: Situation,
) -> None:
    run_id = candidate.run_id
    known = draft.run(run_id)
    if known is not None:
        draft.say(run_id, known, known.first)
        return
    own = next((one for one in decisions if one.run_id == run_id), None)
    if own is None:
        return
    decided = as_decided(own)
    if book is not None:
        take_settings(draft, candidate, book)
    if book is None or own.decision not in ("started", "queued"):
        row = decided_row(draft, candidate, own.key, decided)
        draft.put_run(run_id, row)
    else:
        request = requested(candidate, book, own.key, situation)
        row = judged_row(draft, candidate, book, own.key, decided, request)
        if own.decision == "queued":
            enqueue(draft, run_id, row)
        else:
            activate(draft, run_id, row)
            draft.tell(run_id, request)
    remember(draft, f"@{run_id}")
    draft.say(run_id, row, decided)
    if row.request is None:
        draft.tell_parent(candidate.parent, run_id, decided)


def _left_queue(draft: Draft, one: AdmissionDecided, catalog: Catalog) -> bool:
    """Somebody left the queue by this input; whether we knew of it."""
    row = draft.run(one.run_id)
    decided = as_decided(one)
    if row is None:
        if one.decision == "started":
            _started_before(draft, one, decided, catalog.compiled(one.revision))
        return False
    if row.state != "queued":
        return True
    if one.decision == "started":
        book = draft.book
        ready = tuple(entry for entry in book.ready if entry[1] != one.run_id)
        draft.book = replace(book, queued=book.queued - 1, ready=ready)
        if row.key:
            key_row = draft.key(row.key)
            waiting = tuple(entry for entry in key_row.waiting if entry[1] != one.run_id)
            draft.put_key(row.key, replace(key_row, waiting=waiting))
        activate(draft, one.run_id, row)
        if row.request is not None:
            draft.tell(one.run_id, row.request)
        if row.recovered is not None:
            alert_id, at_ms = row.recovered
            told = RunRecovered(
                run_id=one.run_id, alert_id=alert_id, recovered_at_ms=at_ms, cancel=row.cancel
            )
            draft.tell(one.run_id, told)
    else:
        leave_queue(draft, one.run_id, row)
    draft.say(one.run_id, row, decided)
    return True


def _started_before(draft: Draft, one: AdmissionDecided, decided: Decided, book: Compiled | None) -> None:
    """It was queued before what is kept: its slot and its key are known, and nothing else."""
    row = RunRow(
        state="active",
        request_id=one.request_id,
        alert_id=one.alert_id,
        revision=one.revision,
        first=decided,
        remembered_until_ms=0,
        key=one.key,
        slot_ms=0 if book is None else slot_ms(book),
        cooldown_ms=0 if book is None else book.playbook.admission.cooldown_ms,
    )
    activate(draft, one.run_id, row)


def _ended(draft: Draft, run_id: str) -> None:
    row = draft.run(run_id)
    if row is not None and row.state == "active":
        free(draft, run_id, row)


def _is_due(draft: Draft, record: TimerFired) -> bool:
    row = draft.row(record.row)
    due_ms = None if row is None else timers(row).get(record.timer)
    return due_ms is not None and draft.at_ms >= due_ms
