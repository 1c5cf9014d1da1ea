"""Tampering with a history: what the checker's own tests do to an honest one."""

import dataclasses
from collections.abc import Callable, Sequence

from connectors.event_log import Entry
from schemas.codec import encode
from schemas.events import JournalRecord
from schemas.fields import Record
from tests.chaos.checking import Violation
from tests.chaos.history import History
from tests.chaos.honest import Honest

ALERTS = 5


def honest_history() -> History:
    """Some alerts, and all that follows from them."""
    made = Honest()
    for number in range(ALERTS):
        made.alert(number)
    return made.settle()


def without(history: History, topic: str, drop: Callable[[Entry], bool]) -> History:
    return with_topic(history, topic, [entry for entry in history.of(topic) if not drop(entry)])


def with_topic(history: History, topic: str, entries: Sequence[Entry]) -> History:
    return dataclasses.replace(history, topics={**history.topics, topic: tuple(entries)})


def holds(record: type[Record]) -> Callable[[Entry], bool]:
    """Whether an entry is such a record, or has such an event."""

    def found(entry: Entry) -> bool:
        one = entry.record
        events = one.events if isinstance(one, JournalRecord) else ()
        return isinstance(one, record) or any(isinstance(event, record) for event in events)

    return found


def first(history: History, topic: str, record: type[Record]) -> Entry:
    return next(filter(holds(record), history.of(topic)))


def rewritten(entry: Entry, record: Record, offset: int | None = None) -> Entry:
    return dataclasses.replace(entry, value=encode(record), offset=entry.offset if offset is None else offset)


def rules(violations: Sequence[Violation]) -> set[str]:
    return {one.rule for one in violations}
