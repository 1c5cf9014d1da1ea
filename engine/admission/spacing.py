"""Cooldown and throttle: starts that come too close after others.

Both count starts, and whoever waits in the queue is as good as started: the throttle keeps a place for each,
and a key that somebody waits for is cooling down already. So neither is asked again when a turn comes, and no
start ever breaks them but one that overrides the rules.
"""

from msgspec.structs import replace

from engine.admission.draft import Draft
from engine.admission.rows import Decided, KeyRow, PlaybookRow
from engine.playbook.durations import as_duration


def cooling(draft: Draft, row: KeyRow, cooldown_ms: int) -> Decided | None:
    """Held back, because this key has started, or will start, too close before; None: it may."""
    until_ms = row.started_ms + cooldown_ms
    if row.started_ms and draft.at_ms < until_ms:
        ago = as_duration(max(0, draft.at_ms - row.started_ms) // 1_000 * 1_000)
        reason = f"a run with this key started {ago} ago, and the cooldown is {as_duration(cooldown_ms)}"
        return draft.decided("held_back", "cooldown", reason, until_ms)
    if row.spaced or row.holder or row.waiting:
        reason = f"a run with this key waits in the queue; then the cooldown is {as_duration(cooldown_ms)}"
        return draft.decided("held_back", "cooldown", reason)
    return None


def throttled(draft: Draft) -> Decided | None:
    """Held back until the next place is free, if that is known; None: there is a place."""
    book = draft.book
    limit = book.throttle_limit
    if not limit:
        return None
    starts = _counting(book, draft.at_ms)
    over = len(starts) + book.queued - limit
    if over < 0:
        return None
    per = as_duration(book.throttle_per_ms)
    wait = f", {book.queued} more wait in the queue" if book.queued else ""
    reason = f"{len(starts)} runs started in the last {per}{wait}; {limit} may"
    until_ms = starts[over] + book.throttle_per_ms if over < len(starts) else None
    return draft.decided("held_back", "throttle", reason, until_ms)


def with_start(book: PlaybookRow, at_ms: int) -> PlaybookRow:
    """The playbook's row with one more start. More than the limit need not be known."""
    if not book.throttle_limit:
        return book
    return replace(book, starts=(*_counting(book, at_ms), at_ms)[-book.throttle_limit :])


def cooled(row: KeyRow) -> KeyRow:
    """The key's row once its last start does not count any more."""
    return replace(row, started_ms=0, cooldown_ms=0)


def _counting(book: PlaybookRow, at_ms: int) -> tuple[int, ...]:
    """The starts that the throttle counts now."""
    return tuple(start_ms for start_ms in book.starts if at_ms < start_ms + book.throttle_per_ms)
