"""The heart: one input and a run's row become the new row, one journal record, and what is to be sent.

Deterministic: the row, the input, its cause and the pinned playbook are all it knows. What an input means
is in `responding`, what follows in `deciding`, what an event does to the row in `evolving`; the theory is
in `moves`. An exception here is the caller's to catch; it then asks `failed_internally`.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from engine.playbook.compiled import Compiled
from engine.run.deciding import Place, decide
from engine.run.ending import end_at_once
from engine.run.evolving import born, evolve, refold
from engine.run.fitting import instead, measured, too_large
from engine.run.number import KNOWN_NUMBERS
from engine.run.responding import after_the_end, respond, resumes
from engine.run.sending import sends_of
from engine.run.starting import started_by
from engine.run.state import ENDED, Run, Stamp, decode_row, encode_row
from schemas.events import JournalRecord, RunEvent, RunStarted, VarsSet
from schemas.events_flow import RunPaused
from schemas.inbox import ChildEnded, InboxRecord, Limits, RunRequested, StepClaimed, StepFinished, TimerFired
from schemas.outgoing import Cause, Outgoing

__all__ = [
    "Advanced",
    "advance",
    "decode_row",
    "encode_row",
    "expects_newer",
    "failed_internally",
    "refold",
    "timers",
]

EVENTS_PER_INPUT = 200
"""After so many events of one input a run breaks off (RunPaused): one record, and one turn, stay small."""
_ONE_PART_IN = 4
"""Or after so much of what a record may hold."""
ROUNDS_PER_STEP = 4
"""How often at most a run decides within one input, per step of its playbook: a bound, never met."""


class Advanced(msgspec.Struct, frozen=True):
    """What an input led to. `journal` None: it changed nothing, `row` is the same object, nothing is to be
    sent.

    `forgotten`: the row is to be deleted (`row` is None then). `sends` comes beside the journal record.
    """

    row: Run | None
    forgotten: bool = False
    journal: JournalRecord | None = None
    sends: tuple[Outgoing, ...] = ()


def advance(row: Run | None, record: InboxRecord, cause: Cause, book: Compiled | None) -> Advanced:
    """What `record` does to the run. `book`: the pinned revision; not needed once the run has ended."""
    if row is not None and cause.offset <= row.applied:
        return Advanced(row)
    if row is not None and row.status in ENDED:
        late = after_the_end(row, record, cause.at_ms)
        return _advanced(row, _folded(row, late, _stamp(row, record, cause)), late, record, cause)
    if row is None and not isinstance(record, RunRequested):
        return Advanced(None)
    wrong = _wrong_rules(row, record, book)
    if wrong or book is None:
        return failed_internally(row, record, cause, wrong)
    why = ""
    for strict in (False, True):
        events, run, size = _drafted(row, record, cause, book, strict)
        why = too_large(run, events, _pinned(row, record).limits, size) if events else ""
        if not why:
            return _advanced(row, run, events, record, cause)
    return _ended_at_once(row, record, cause, "too_large", why, book.playbook.report)


def failed_internally(row: Run | None, record: InboxRecord, cause: Cause, reason: str) -> Advanced:
    """The run fails here and now, because of us. Nothing happens to a run that is not there or has ended."""
    if row is not None and (cause.offset <= row.applied or row.status in ENDED):
        return Advanced(row)
    if row is None and not isinstance(record, RunRequested):
        return Advanced(None)
    return _ended_at_once(row, record, cause, "internal", reason, ("failed",))


def timers(row: Run) -> Mapping[str, int]:
    """Pending timers of a row: id to due time, epoch ms."""
    return row.timers


def expects_newer(row: Run | None, record: InboxRecord) -> bool:
    """Whether the input answers a journal record that the row has not seen: the row is stale."""
    if not isinstance(record, StepFinished | StepClaimed | ChildEnded):
        return False
    return record.answers_seq > (0 if row is None else row.seq)


def _drafted(
    row: Run | None, record: InboxRecord, cause: Cause, book: Compiled, strict: bool
) -> tuple[list[RunEvent], Run | None, int]:
    """All events of this input, the row after them, and what the events `measured`. `strict`: what does not
    fit fails its step.

    What is not strict ends early where it surely does not fit.
    """
    stamp = _stamp(row, record, cause)
    limits = _pinned(row, record).limits
    events: list[RunEvent] = []
    size = set_bytes = 0
    run, place = row, Place()
    more = respond(row, record, cause.at_ms, book)
    if not more and row is not None and resumes(row, record, cause.at_ms):
        more = decide(row, book, place)
    for _ in range(ROUNDS_PER_STEP * (len(book.steps) + 4) + EVENTS_PER_INPUT):
        for event in more:
            after = evolve(run, event, stamp)
            if strict and (why := too_large(after, [*events, event], limits)):
                if isinstance(event, RunStarted):
                    return (
                        [event],
                        after,
                        measured(event),
                    )  # what was requested is too large, whatever the steps do
                event = instead(event, why, book) or event
                after = evolve(run, event, stamp)
            events.append(event)
            run = after
            # A few steps that each double a variable would need more memory than there is before they rest.
            event_bytes = measured(event)
            size += event_bytes
            set_bytes += event_bytes if isinstance(event, VarsSet) else 0
            if set_bytes > limits.record_bytes_max and not strict:
                return events, run, size
        if not more or run is None:
            return events, run, size
        more = decide(run, book, place)
        if more and run.pinned.engine >= 2 and _is_enough(len(events), size, limits):
            pause = RunPaused(due_ms=cause.at_ms)
            return [*events, pause], evolve(run, pause, stamp), size + measured(pause)
    raise AssertionError(f"run {stamp.run_id} does not come to rest")


def _is_enough(count: int, size_bytes: int, limits: Limits) -> bool:
    """Whether the run breaks off after so many events, which engine number 1 never does."""
    in_a_list = size_bytes + count + 1
    return count >= EVENTS_PER_INPUT or in_a_list > limits.record_bytes_max // _ONE_PART_IN


def _folded(run: Run | None, events: Iterable[RunEvent], stamp: Stamp) -> Run | None:
    for event in events:
        run = evolve(run, event, stamp)
    return run


def _advanced(
    row: Run | None, run: Run | None, events: Sequence[RunEvent], record: InboxRecord, cause: Cause
) -> Advanced:
    """`events` made `run` of `row`: one journal record, and at the end a word that the slot is free."""
    if not events:
        return Advanced(row)
    stamp = _stamp(row, record, cause)
    journal = JournalRecord(
        run_id=stamp.run_id,
        playbook=run.playbook if run is not None else row.playbook if row is not None else "",
        seq=stamp.seq,
        cause_topic=cause.topic,
        cause_partition=cause.partition,
        cause_offset=cause.offset,
        at_ms=cause.at_ms,
        events=tuple(events),
    )
    return Advanced(run, run is None, journal, sends_of(journal, row, _pinned_or_none(row, record)))


def _ended_at_once(
    row: Run | None, record: InboxRecord, cause: Cause, kind: str, reason: str, report: tuple[str, ...]
) -> Advanced:
    """The run ends here. One that just begins drops alert and inputs: they may be what is wrong."""
    stamp = _stamp(row, record, cause)
    run, events = row, list[RunEvent]()
    if run is None:
        if not isinstance(record, RunRequested):
            raise AssertionError("only a request begins a run")
        started = replace(started_by(record, cause.at_ms), alert=None, inputs={})
        run = born(started, stamp)
        events.append(started)
    ending = end_at_once(run, kind, "", reason, report, cause.at_ms)
    return _advanced(row, _folded(run, ending, stamp), [*events, *ending], record, cause)


def _wrong_rules(row: Run | None, record: InboxRecord, book: Compiled | None) -> str:
    """Why this input cannot be judged by the rules that the run pinned; empty where it can."""
    pinned = _pinned(row, record)
    if pinned.engine not in KNOWN_NUMBERS:
        known = ", ".join(str(number) for number in sorted(KNOWN_NUMBERS))
        return f"the run follows engine number {pinned.engine}; this version knows {known}"
    if book is None:
        return f"revision {pinned.revision[:12]} of playbook {pinned.playbook} is not in the catalog"
    if book.digest != pinned.revision:
        return f"the run pinned revision {pinned.revision[:12]}, and was handed {book.digest[:12]}"
    return ""


def _pinned(row: Run | None, record: InboxRecord) -> RunStarted | RunRequested:
    """What the run pinned; before it began, what its request asks for."""
    if row is not None:
        return row.pinned
    if isinstance(record, RunRequested):
        return record
    raise AssertionError("only a request begins a run")


def _pinned_or_none(row: Run | None, record: InboxRecord) -> RunStarted | RunRequested | None:
    """The same; None once the run has ended: nothing is sent then."""
    return None if row is not None and row.started is None else _pinned(row, record)


def _stamp(row: Run | None, record: InboxRecord, cause: Cause) -> Stamp:
    run_id = record.row if isinstance(record, TimerFired) else record.run_id
    return Stamp(run_id, (row.seq if row is not None else 0) + 1, cause.offset, cause.at_ms)
