"""A candidate arrives. A repeat is answered; all else is decided on and starts, waits, or ends here."""

from typing import Literal

from msgspec.structs import replace

from engine.admission.draft import Draft
from engine.admission.keys import cycle_key, group_key, is_default_key
from engine.admission.queueing import activate, enqueue, start_queued
from engine.admission.remembering import REMEMBERED_MS, remember
from engine.admission.requesting import MissingAction, requested, slot_ms
from engine.admission.rows import Decided, RunRow, encode_row
from engine.admission.rules import ruling
from engine.admission.situation import Situation
from engine.admission.spacing import throttle_of
from engine.admission.switching import switch
from engine.alert.facts import happened_ms
from engine.playbook.compiled import Compiled
from schemas.admissions import Candidate
from schemas.decisions import Admission
from schemas.inbox import RunRequested

_STATES: dict[Admission, Literal["queued", "active"]] = {"started": "active", "queued": "queued"}


def arrived(draft: Draft, candidate: Candidate, book: Compiled | None, situation: Situation) -> None:
    """A Candidate. A repeat is answered with the first decision, letter for letter, and changes nothing."""
    run_id = candidate.run_id
    known = draft.run(run_id)
    if known is not None and (known.state != "ended" or draft.at_ms < known.remembered_until_ms):
        draft.say(run_id, known, known.first)
        if known.request is None:
            draft.tell_parent(candidate.parent, run_id, known.first)
        return
    row = _judged(draft, candidate, book, situation)
    if row.state == "active":
        activate(draft, run_id, row)
        if row.request is not None:
            draft.tell(run_id, row.request)
    elif row.state == "queued":
        enqueue(draft, run_id, row)
    else:
        draft.put_run(run_id, row)
    remember(draft, f"@{run_id}")
    draft.say(run_id, row, row.first)
    if row.request is None:
        draft.tell_parent(candidate.parent, run_id, row.first)


def _judged(draft: Draft, candidate: Candidate, book: Compiled | None, situation: Situation) -> RunRow:
    """The candidate's row as the decision makes it."""
    if book is None:
        reason = f"the revision {candidate.revision[:12]} is not in the catalog"
        return decided_row(draft, candidate, "", draft.decided("refused", "revision", reason))
    take_settings(draft, candidate, book)
    start_queued(draft)
    key, decided = ruling(draft, candidate, book)
    if decided.decision not in _STATES:
        return decided_row(draft, candidate, key, decided)
    try:
        request = requested(candidate, book, key, situation)
    except MissingAction as missing:
        reason = f"the action {missing} is not installed"
        return decided_row(draft, candidate, key, draft.decided("refused", "actions", reason))
    row = judged_row(draft, candidate, book, key, decided, request)
    if row.state == "queued" and len(encode_row(row)) > situation.limits.row_bytes_max:
        reason = "alert and inputs are too large to wait in the queue"
        return decided_row(draft, candidate, key, draft.decided("refused", "size", reason))
    return row


def take_settings(draft: Draft, candidate: Candidate, book: Compiled) -> None:
    """`max_running` and `throttle` hold for all runs of the playbook: those of the newest revision seen."""
    slots, rules = draft.book, book.playbook.admission
    if candidate.override:  # a rerun may name an old revision, and looks neither at what is enabled or paused
        return
    if candidate.catalog_offset > slots.catalog_offset:
        draft.book = replace(
            slots,
            max_running=rules.max_running,
            catalog_offset=candidate.catalog_offset,
            throttle=throttle_of(slots, rules),
        )
    # Whoever makes one else has looked: it is enabled. A parent run has not, it only knows the catalog's
    # offset of its own start.
    if candidate.via != "playbook":
        switch(draft, True, candidate.paused, candidate.catalog_offset)


def decided_row(draft: Draft, candidate: Candidate, key: str, decided: Decided) -> RunRow:
    """The memory of a candidate that is decided for good."""
    return RunRow(
        state="ended",
        request_id=candidate.request_id,
        alert_id="" if candidate.alert is None else candidate.alert.id,
        revision=candidate.revision,
        first=decided,
        remembered_until_ms=draft.at_ms + REMEMBERED_MS,
        key=key,
    )


def judged_row(
    draft: Draft, candidate: Candidate, book: Compiled, key: str, decided: Decided, request: RunRequested
) -> RunRow:
    rules, alert = book.playbook.admission, candidate.alert
    cycle = "" if alert is None else cycle_key(alert)
    return replace(
        decided_row(draft, candidate, key, decided),
        state=_STATES[decided.decision],
        cycle=cycle,
        group="" if alert is None else group_key(alert),
        indexed=bool(cycle) and not is_default_key(book),
        happened_ms=0 if alert is None else happened_ms(alert),
        parallel=rules.while_running == "parallel",
        drop=rules.on_recovered_queued == "drop",
        cancel=rules.on_recovered_running == "cancel",
        slot_ms=slot_ms(book),
        due_ms=decided.until_ms or 0,
        request=request,
        cooldown_ms=rules.cooldown_ms,
    )
