"""Cooldown and throttle: starts that come too close after others.

Both count starts, and whoever waits in the queue is as good as started: the throttle keeps a place for each,
and a key that somebody waits for is cooling down already. So neither is asked again when a turn comes, and no
start ever breaks them but one that overrides the rules.
"""

from msgspec.structs import replace

from engine.admission.draft import Draft
from engine.admission.rows import Cooldown, Decided, KeyRow, PlaybookRow, Throttle
from engine.playbook.durations import as_duration
from engine.playbook.model import Admission

_NONE = Cooldown()


def cooling(draft: Draft, row: KeyRow, cooldown_ms: int) -> Decided | None:
    """Held back, because this key has started, or will start, too close before; None: it may."""
    known = row.cooldown or _NONE
    until_ms = known.started_ms + cooldown_ms
    if known.started_ms and draft.at_ms < until_ms:
        ago = as_duration(max(0, draft.at_ms - known.started_ms) // 1_000 * 1_000)
        reason = f"a run with this key started {ago} ago, and the cooldown is {as_duration(cooldown_ms)}"
        return draft.decided("held_back", "cooldown", reason, until_ms)
    if known.waiting or row.holder or row.waiting:
        reason = f"a run with this key waits in the queue; then the cooldown is {as_duration(cooldown_ms)}"
        return draft.decided("held_back", "cooldown", reason)
    return None


def throttled(draft: Draft) -> Decided | None:
    """Held back until the next place is free, if that is known; None: there is a place."""
    throttle, queued = draft.book.throttle, draft.book.queued
    if throttle is None:
        return None
    starts = _counting(throttle, draft.at_ms)
    over = len(starts) + queued - throttle.limit
    if over < 0:
        return None
    wait = f" and {queued} wait in the queue" if queued else ""
    per = as_duration(throttle.per_ms)
    reason = f"{len(starts)} runs started in the last {per}{wait}, of {throttle.limit} that may"
    until_ms = starts[over] + throttle.per_ms if over < len(starts) else None
    return draft.decided("held_back", "throttle", reason, until_ms)


def throttle_of(book: PlaybookRow, rules: Admission) -> Throttle | None:
    """The throttle of these rules, which counts the starts that are known."""
    if not rules.throttle_limit:
        return None
    starts = book.throttle.starts if book.throttle else ()
    return Throttle(rules.throttle_limit, rules.throttle_per_ms, starts)


def with_start(book: PlaybookRow, at_ms: int) -> PlaybookRow:
    """The playbook's row with one more start. More of them than the limit need not be known."""
    throttle = book.throttle
    if throttle is None:
        return book
    starts = (*_counting(throttle, at_ms), at_ms)[-throttle.limit :]
    return replace(book, throttle=replace(throttle, starts=starts))


def started_at(row: KeyRow, at_ms: int, cooldown_ms: int) -> KeyRow:
    """The key's row with a start that others have to keep away from."""
    return replace(row, cooldown=Cooldown(at_ms, cooldown_ms, (row.cooldown or _NONE).waiting))


def cooled(row: KeyRow) -> KeyRow:
    """The key's row once its last start does not count any more."""
    return _with(row, Cooldown(waiting=(row.cooldown or _NONE).waiting))


def one_more_waits(row: KeyRow) -> KeyRow:
    """The key's row with one that waits for a slot beside the key."""
    known = row.cooldown or _NONE
    return _with(row, replace(known, waiting=known.waiting + 1))


def one_less_waits(row: KeyRow) -> KeyRow:
    """The key's row without one of them."""
    known = row.cooldown or _NONE
    return _with(row, replace(known, waiting=known.waiting - 1))


def _with(row: KeyRow, cooldown: Cooldown) -> KeyRow:
    return replace(row, cooldown=None if cooldown == _NONE else cooldown)


def _counting(throttle: Throttle, at_ms: int) -> tuple[int, ...]:
    """The starts that the throttle counts now."""
    return tuple(start_ms for start_ms in throttle.starts if at_ms < start_ms + throttle.per_ms)
