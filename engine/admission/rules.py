"""The rules that a candidate meets, in their order; the first that applies decides. Reads rows, changes none.

override         a person said so: started, whatever the rules below say
disabled         held back
paused           somebody paused the playbook, or all: held back
key              the expression of the key failed: held back with the error
muted            somebody muted alerts like this one: held back
recovered        the alert's cycle is over already: held back
cooldown         its key has started a while ago, or will when its turn comes: held back
while_running    its key has a run: held back (skip) or queued (queue); parallel asks nothing
throttle         the playbook has started too often of late: held back
max_running      no slot is free, or others wait for one: queued
queue            the queue is full: held back instead of queued
"""

from engine.admission.draft import Draft
from engine.admission.keys import key_of
from engine.admission.queueing import is_active, is_taken
from engine.admission.recovering import late_until_ms
from engine.admission.rows import Decided, KeyRow
from engine.admission.spacing import cooling, throttled
from engine.expressions import ExpressionError
from engine.holds import PAUSE_ALL
from engine.playbook.compiled import Compiled
from schemas.admissions import Candidate, Hold

QUEUE_MAX = 5_000
"""Bound of `queue.max`: the playbook's row names everybody in the queue and is written with every change."""


def ruling(draft: Draft, candidate: Candidate, book: Compiled) -> tuple[str, Decided]:
    """The candidate's key, and what the rules say."""
    try:
        key, error = key_of(book, candidate), ""
    except ExpressionError as failed:
        key, error = "", str(failed)
    if candidate.override:
        return key, draft.decided(
            "started", "override", f"{candidate.actor or 'a person'} overrode the rules"
        )
    if not draft.book.enabled:
        return key, draft.decided("held_back", "disabled", "the playbook is disabled")
    if (paused := _pausing(draft, candidate)) is not None:
        return key, draft.decided("held_back", "paused", _who_holds("paused", paused), paused.until_ms)
    if error:
        return key, draft.decided("held_back", "key", f"the admission key failed: {error}")
    if (muted := candidate.muted) is not None:
        return key, draft.decided("held_back", "muted", _who_holds("muted", muted), muted.until_ms)
    late_ms = None if candidate.alert is None else late_until_ms(draft, candidate.alert)
    if late_ms is not None:
        return key, draft.decided("held_back", "recovered", "the alert has recovered already", late_ms)
    return key, _by_key_and_slots(draft, book, key)


def _by_key_and_slots(draft: Draft, book: Compiled, key: str) -> Decided:
    rules = book.playbook.admission
    parallel = rules.while_running == "parallel"
    key_row = draft.key(key) if key and not (parallel and not rules.cooldown_ms) else None
    if key_row is not None and rules.cooldown_ms:
        held = cooling(draft, key_row, rules.cooldown_ms)
        if held is not None:
            return held
    reason = _who_has(draft, key, key_row) if key_row and not parallel and is_taken(key_row) else ""
    if reason and rules.while_running == "skip":
        return draft.decided("held_back", "while_running", reason)
    held = throttled(draft)
    if held is not None:
        return held
    if reason:
        return _queued(draft, book, "while_running", reason)
    slots = draft.book
    if slots.running < slots.max_running and not slots.ready:
        return draft.decided("started", "", "")
    return _queued(draft, book, "max_running", f"{slots.running} of {slots.max_running} runs are active")


def _pausing(draft: Draft, candidate: Candidate) -> Hold | None:
    """What pauses this start. A child belongs to a run that goes on: only a pause of its own playbook."""
    paused = draft.book.paused
    if paused is None or (candidate.via == "playbook" and paused.name == PAUSE_ALL):
        return None
    return paused


def _who_holds(what: str, hold: Hold) -> str:
    """Such as `mira muted it (mute/m-1): planned work`."""
    which = f" ({hold.name})" if what == "muted" else ""
    whom = "all playbooks" if hold.name == PAUSE_ALL else "it"
    return f"{hold.actor} {what} {whom}{which}{': ' if hold.reason else ''}{hold.reason}"


def _queued(draft: Draft, book: Compiled, rule: str, reason: str) -> Decided:
    rules = book.playbook.admission
    places = min(rules.queue_max, QUEUE_MAX)
    if draft.book.queued >= places:
        full = f"{reason}, and the queue is full ({draft.book.queued} of {places})"
        return draft.decided("held_back", "queue", full)
    return draft.decided("queued", rule, reason, draft.at_ms + rules.queue_expires_ms)


def _who_has(draft: Draft, key: str, row: KeyRow) -> str:
    if is_active(row):
        run_id = row.active[0] if row.active else draft.part(f"|{key}", row.parts[0])[0]
        return f"the run {run_id} with this key is active"
    return f"the run {row.holder or row.waiting[0][1]} with this key waits in the queue"
