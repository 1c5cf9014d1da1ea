"""What somebody could do to a record on a topic, done to a history in memory."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from connectors.event_log import Entry
from schemas.admissions import Candidate, RunEnded
from schemas.alerts import AlertReceived
from schemas.catalog import RevisionAdded
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.decisions import AdmissionDecided, AlertMatched
from schemas.events import JournalRecord, StepSucceeded
from schemas.fields import Record
from schemas.inbox import RunRequested, StepFinished
from schemas.publications import Published

Topics = Mapping[str, Sequence[Entry]]


def _output(record: JournalRecord) -> JournalRecord:
    events = tuple(
        replace(event, output="forged") if isinstance(event, StepSucceeded) else event
        for event in record.events
    )
    return replace(record, events=events)


def _alert(record: AlertReceived) -> AlertReceived:
    assert record.alert is not None
    return replace(record, alert=replace(record.alert, title="forged", tag_list=()))


CHANGES: Sequence[tuple[type[Record], Callable[[Any], Record]]] = (
    (AlertReceived, _alert),
    (AlertMatched, lambda one: replace(one, ruled_out=one.ruled_out + 1)),
    (AdmissionDecided, lambda one: replace(one, reason="forged")),
    (Candidate, lambda one: replace(one, received_at_ms=one.received_at_ms + 1)),
    (RunEnded, lambda one: replace(one, status="forged")),
    (RunRequested, lambda one: replace(one, inputs={"forged": True})),
    (StepFinished, lambda one: replace(one, output="forged", message="forged")),
    (JournalRecord, _output),
    (Published, lambda one: replace(one, sent={**one.sent, "title": "forged"})),
    (DeadLetter, lambda one: replace(one, value=b"forged")),
    (RevisionAdded, lambda one: replace(one, canonical=one.canonical.replace("PUT", "GET"))),
)
"""One change of each kind of record that matters."""


def first(topics: Topics, kind: type[Record], skip: int = 0) -> Entry:
    """One entry of a kind that is worth changing, neither the first nor the last of its partition."""
    found = [
        entry for name in topics for entry in topics[name] if _is(entry, kind) and _is_inside(topics, entry)
    ]
    return found[min(skip, len(found) - 1)]


def _is_inside(topics: Topics, entry: Entry) -> bool:
    offsets = [one.offset for one in topics[entry.topic] if one.partition == entry.partition]
    return min(offsets) < entry.offset < max(offsets)


def _is(entry: Entry, kind: type[Record]) -> bool:
    record = entry.record
    if kind is JournalRecord:
        return isinstance(record, JournalRecord) and any(
            isinstance(event, StepSucceeded) for event in record.events
        )
    if kind is AlertReceived:
        return isinstance(record, AlertReceived) and record.alert is not None
    if kind is RevisionAdded:
        return isinstance(record, RevisionAdded) and "PUT" in record.canonical
    return isinstance(record, kind)


def changed(topics: Topics, entry: Entry, record: Record) -> Topics:
    """Another record lies in its place."""
    return _with(topics, entry, [dataclasses.replace(entry, value=encode(record))])


def dropped(topics: Topics, entry: Entry) -> Topics:
    """It is gone, and its offset is free."""
    return _with(topics, entry, [])


def closed_up(topics: Topics, entry: Entry) -> Topics:
    """It is gone, and all that stood behind it has moved up, as in a copy of the topic."""
    gone = _with(topics, entry, [])
    moved = [
        dataclasses.replace(one, offset=one.offset - 1)
        if one.partition == entry.partition and one.offset > entry.offset
        else one
        for one in gone[entry.topic]
    ]
    return {**gone, entry.topic: moved}


def added(topics: Topics, entry: Entry, **fields: Any) -> tuple[Topics, Entry]:
    """Somebody wrote it again, at the end of its partition, changed or not."""
    last = max(one.offset for one in topics[entry.topic] if one.partition == entry.partition)
    at_ms = max(one.at_ms for one in topics[entry.topic])
    made = dataclasses.replace(entry, **{"offset": last + 1, "at_ms": at_ms, **fields})
    return {**topics, entry.topic: [*topics[entry.topic], made]}, made


def inserted(topics: Topics, entry: Entry, **fields: Any) -> tuple[Topics, Entry]:
    """Somebody wrote another one in front of it; it and all behind it came to lie one further."""
    made = dataclasses.replace(entry, **fields)
    entries: list[Entry] = []
    for one in topics[entry.topic]:
        if (one.partition, one.offset) == (entry.partition, entry.offset):
            entries.append(made)
        is_behind = one.partition == entry.partition and one.offset >= entry.offset
        entries.append(dataclasses.replace(one, offset=one.offset + 1) if is_behind else one)
    return {**topics, entry.topic: entries}, made


def swapped(topics: Topics, entry: Entry) -> tuple[Topics, Entry]:
    """It has changed places with the next of its kind (and source) that is about something else; that one."""
    other = next(
        one
        for one in topics[entry.topic]
        if one.partition == entry.partition
        and one.offset > entry.offset
        and one.key != entry.key
        and type(one.record) is type(entry.record)
        and getattr(one.record, "partition", 0) == getattr(entry.record, "partition", 0)
    )
    places = {entry.offset: other, other.offset: entry}
    moved = [
        dataclasses.replace(
            one,
            key=places[one.offset].key,
            value=places[one.offset].value,
            headers=places[one.offset].headers,
        )
        if one.partition == entry.partition and one.offset in places
        else one
        for one in topics[entry.topic]
    ]
    return {**topics, entry.topic: moved}, other


def trimmed(topics: Topics, topic: str, partition: int, start: int) -> Topics:
    """Retention has deleted the beginning of a partition."""
    kept = [one for one in topics[topic] if one.partition != partition or one.offset >= start]
    return {**topics, topic: kept}


def _with(topics: Topics, entry: Entry, instead: Sequence[Entry]) -> dict[str, Sequence[Entry]]:
    entries: list[Entry] = []
    for one in topics[entry.topic]:
        there = (one.partition, one.offset) == (entry.partition, entry.offset)
        entries += instead if there else [one]
    return {**topics, entry.topic: entries}
