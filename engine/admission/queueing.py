"""Slots, keys and the queue: who is active, who waits for what, who is next.

A candidate waits for its key (in the key's row) or, having it, for a slot (in `PlaybookRow.ready`). Whoever
waits for a slot with `while_running: queue` or `skip` holds the key meanwhile, so no second one of that key
can be next. `ready` is in the order of arrival, also for one that got its key late: the oldest that could
start is the first, found at once, and everybody newer stands behind it, so nobody starves.
"""

from bisect import insort

from msgspec.structs import replace

from engine.admission.draft import Draft
from engine.admission.listing import runs_of, with_run, without_run
from engine.admission.remembering import remember
from engine.admission.rows import CycleRow, KeyRow, Queue, RunRow
from engine.admission.spacing import one_less_waits, one_more_waits, started_at, with_start
from schemas.inbox import RunRecovered

STARTS_MAX = 64
"""Runs started by one input. More are due only after `max_running` was raised or a pause lifted; the
next inputs start them.
"""


def is_taken(row: KeyRow) -> bool:
    """Whether some run of the key is active or in the queue."""
    return bool(is_active(row) or row.holder or row.waiting)


def is_active(row: KeyRow) -> bool:
    """Whether some run of the key is active."""
    return bool(row.active or row.parts)


def enqueue(draft: Draft, run_id: str, row: RunRow) -> None:
    """Put a queued candidate where it waits."""
    book = draft.book
    arrival = book.arrivals + 1
    book = replace(book, arrivals=arrival, queued=book.queued + 1)
    key_row = draft.key(row.key) if row.key else KeyRow()
    if row.parallel or not row.key or not is_taken(key_row):
        book = replace(book, ready=_with(book.ready, arrival, run_id))
        if row.key and not row.parallel:
            draft.put_key(row.key, replace(key_row, holder=run_id))
        elif row.key and row.cooldown_ms:
            draft.put_key(row.key, one_more_waits(key_row))
    else:
        draft.put_key(row.key, replace(key_row, waiting=_with(key_row.waiting, arrival, run_id)))
    draft.book = book
    row = _list_in_cycle(draft, run_id, row)
    draft.put_run(run_id, replace(row, state="queued", arrival=arrival))


def activate(draft: Draft, run_id: str, row: RunRow) -> None:
    """Give a run that starts now its slot and its key. It stands in no queue (any more)."""
    draft.book = with_start(replace(draft.book, running=draft.book.running + 1), draft.at_ms)
    if row.key:
        key_row = draft.key(row.key)
        runs, part = with_run(draft, f"|{row.key}", runs_of(key_row), run_id)
        started = replace(_without_waiting(key_row, run_id, row), active=runs.listed, parts=runs.parts)
        if row.cooldown_ms:
            started = started_at(started, draft.at_ms, row.cooldown_ms)
            remember(draft, f"|{row.key}")
        _put_key(draft, row.key, key_row, started)
        row = replace(row, key_part=part)
    if row.state != "queued":
        row = _list_in_cycle(draft, run_id, row)
    due_ms = draft.at_ms + row.slot_ms
    draft.put_run(
        run_id, replace(row, state="active", due_ms=due_ms, arrival=0, request=None, recovered=None)
    )


def leave_queue(draft: Draft, run_id: str, row: RunRow) -> None:
    """Take a queued candidate out for good: dropped, or expired."""
    book = draft.book
    draft.book = replace(book, queued=book.queued - 1, ready=_without(book.ready, run_id))
    if row.key:
        key_row = _without_waiting(draft.key(row.key), run_id, row)
        draft.put_key(row.key, replace(key_row, waiting=_without(key_row.waiting, run_id)))
        _promote(draft, row.key)
    _end(draft, run_id, row)


def free(draft: Draft, run_id: str, row: RunRow) -> None:
    """Take slot and key back from an active run."""
    draft.book = replace(draft.book, running=draft.book.running - 1)
    if row.key:
        key_row = draft.key(row.key)
        runs = without_run(draft, f"|{row.key}", runs_of(key_row), run_id, row.key_part)
        _put_key(draft, row.key, key_row, replace(key_row, active=runs.listed, parts=runs.parts))
        _promote(draft, row.key)
    _end(draft, run_id, row)


def start_queued(draft: Draft) -> None:
    """Start whoever is next, while there are slots and no pause."""
    if draft.book.paused is not None and draft.book.enabled:
        return
    for _ in range(STARTS_MAX):
        book = draft.book
        if not book.ready or book.running >= book.max_running:
            return
        run_id = book.ready[0][1]
        row = draft.run(run_id)
        if row is None or row.request is None:
            raise LookupError(f"{run_id} stands in the queue of {draft.playbook} without a row")
        if not book.enabled:
            leave_queue(draft, run_id, row)
            draft.say(
                run_id, row, draft.decided("dropped", "disabled", "the playbook was disabled meanwhile")
            )
        elif row.key and not row.parallel and is_active(draft.key(row.key)):
            _back_to_key(draft, run_id, row)
        else:
            _start_first(draft, run_id, row)


def _start_first(draft: Draft, run_id: str, row: RunRow) -> None:
    book = draft.book
    draft.book = replace(book, queued=book.queued - 1, ready=book.ready[1:])
    activate(draft, run_id, row)
    if row.request is not None:
        draft.tell(run_id, row.request)
    if row.recovered is not None:
        alert_id, at_ms = row.recovered
        draft.tell(
            run_id,
            RunRecovered(run_id=run_id, alert_id=alert_id, recovered_at_ms=at_ms, cancel=row.cancel),
        )
    waited_s = (draft.at_ms - row.first.at_ms) / 1_000
    draft.say(run_id, row, draft.decided("started", row.first.rule, f"after {waited_s:.1f} s in the queue"))


def _back_to_key(draft: Draft, run_id: str, row: RunRow) -> None:
    """Somebody overrode the rules and runs with this key: wait for the key again, at the old place."""
    book = draft.book
    draft.book = replace(book, ready=book.ready[1:])
    key_row = draft.key(row.key)
    waiting = _with(key_row.waiting, row.arrival, run_id)
    draft.put_key(row.key, replace(key_row, holder="", waiting=waiting))


def _without_waiting(key_row: KeyRow, run_id: str, row: RunRow) -> KeyRow:
    """The key's row without what it knows of one that waits for a slot."""
    if key_row.holder == run_id:
        return replace(key_row, holder="")
    if row.parallel and row.cooldown_ms and row.state == "queued":
        return one_less_waits(key_row)
    return key_row


def _promote(draft: Draft, key: str) -> None:
    """The first that waits for a key that is free now waits for a slot."""
    key_row = draft.key(key)
    if is_active(key_row) or key_row.holder or not key_row.waiting:
        return
    arrival, run_id = key_row.waiting[0]
    draft.put_key(key, replace(key_row, holder=run_id, waiting=key_row.waiting[1:]))
    draft.book = replace(draft.book, ready=_with(draft.book.ready, arrival, run_id))


def _end(draft: Draft, run_id: str, row: RunRow) -> None:
    if row.indexed:
        cycle_row = draft.cycle(row.cycle)
        runs = without_run(draft, f"~{row.cycle}", runs_of(cycle_row), run_id, row.cycle_part)
        _put_cycle(draft, row.cycle, cycle_row, replace(cycle_row, runs=runs.listed, parts=runs.parts))
    if row.remembered_until_ms <= draft.at_ms:
        draft.put_run(run_id, None)
        return
    ended = RunRow(
        "ended", row.request_id, row.alert_id, row.revision, row.first, row.remembered_until_ms, key=row.key
    )
    draft.put_run(run_id, ended)


def _list_in_cycle(draft: Draft, run_id: str, row: RunRow) -> RunRow:
    """The row, which knows then where it is listed."""
    if not row.indexed:
        return row
    cycle_row = draft.cycle(row.cycle)
    runs, part = with_run(draft, f"~{row.cycle}", runs_of(cycle_row), run_id)
    _put_cycle(draft, row.cycle, cycle_row, replace(cycle_row, runs=runs.listed, parts=runs.parts))
    return replace(row, cycle_part=part)


def _put_key(draft: Draft, key: str, before: KeyRow, after: KeyRow) -> None:
    """Where only a part has changed, the row itself is not written."""
    if after != before:
        draft.put_key(key, after)


def _put_cycle(draft: Draft, cycle: str, before: CycleRow, after: CycleRow) -> None:
    if after != before:
        draft.put_cycle(cycle, after)


def _with(queue: Queue, arrival: int, run_id: str) -> Queue:
    entries = list(queue)
    insort(entries, (arrival, run_id))
    return tuple(entries)


def _without(queue: Queue, run_id: str) -> Queue:
    return tuple(entry for entry in queue if entry[1] != run_id)
