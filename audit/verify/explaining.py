"""Both sides of a difference: the record that follows from its input, made once more, and the one that lies
there; and in which fields they differ.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from audit.log import Log
from audit.verify.admitting import pinned_aside
from audit.verify.findings import Difference, Tally, Wanted
from audit.verify.frame import Frame
from audit.verify.kinds import Kind
from audit.verify.work import Part
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.fields import Record
from schemas.inbox import RunRequested

_MISSING = object()


class Crew(Protocol):
    """Workers that do parts, several at a time."""

    def work(self, parts: Sequence[Part], frame: Frame) -> AsyncIterator[Tally]: ...


@dataclass(frozen=True, slots=True)
class Explained:
    """A difference with both sides as plain values; None where there is none."""

    difference: Difference
    expected: Mapping[str, Any] | None = None
    found: Mapping[str, Any] | None = None
    fields: tuple[tuple[str, Any, Any], ...] = ()
    """Path of each field that differs, what is expected there, and what is found; absent ones are None."""


async def explained(differences: Sequence[Difference], frame: Frame, crew: Crew, log: Log) -> list[Explained]:
    """Both sides of each: its input's partition is folded again up to there."""
    made: dict[Wanted, list[Record]] = {}
    async for tally in crew.work(list(_parts(differences)), frame):
        made.update(tally.made)
    return [await _explained(one, made, log) for one in differences]


async def _explained(one: Difference, made: Mapping[Wanted, list[Record]], log: Log) -> Explained:
    expected = [] if (wanted := _wanted(one)) is None else made.get(wanted, [])
    found: Record | MalformedMessage | None = None
    if one.found is not None and one.kind is not None:
        entry = await log.at(*one.found)
        found = None if entry is None else entry.record
    if isinstance(found, MalformedMessage):
        problem = {"unreadable": str(found)}
        return Explained(one, _plain_or_none(expected), problem)
    if isinstance(found, RunRequested) and expected:
        found = pinned_aside(found)
    there = None if found is None else plain(found)
    sides = [plain(each) for each in expected]
    if one.kind is Kind.PUBLISHED and there is not None:
        return Explained(one, sides[0] if sides else None, there)
    if there is None or not sides:
        return Explained(one, sides[0] if sides else None, there)
    nearest = min(sides, key=lambda side: sum(1 for _ in differing(side, there)))
    return Explained(one, nearest, there, tuple(differing(nearest, there)))


def _plain_or_none(records: Sequence[Record]) -> Mapping[str, Any] | None:
    return plain(records[0]) if records else None


def _parts(differences: Sequence[Difference]) -> Iterator[Part]:
    places: dict[tuple[str, int], set[Wanted]] = defaultdict(set)
    for one in differences:
        wanted = _wanted(one)
        if wanted is not None and one.expected is not None and one.kind is not Kind.LETTER:
            places[one.expected[0], one.expected[1]].add(wanted)
    for (topic, partition), wanted_there in sorted(places.items()):
        yield Part("explain", topic, partition, frozenset(wanted_there))


def _wanted(one: Difference) -> Wanted | None:
    if one.kind is None or one.expected is None:
        return None
    return int(one.kind), one.subject, one.number, one.expected[1], one.expected[2]


def plain(record: Record) -> dict[str, Any]:
    """A record as plain values (bytes as base64), with the names of its type and of its events."""
    fields: dict[str, Any] = msgspec.to_builtins(record)
    if isinstance(record, JournalRecord):
        fields["events"] = [
            {"event": type(event).__name__, **msgspec.to_builtins(event)} for event in record.events
        ]
    return {"record": type(record).__name__, **fields}


def differing(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Path and both values of everything that is not the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in [*one, *(name for name in other if name not in one)]:
            below = f"{path}.{name}" if path else name
            yield from differing(one.get(name, _MISSING), other.get(name, _MISSING), below)
    elif isinstance(one, list) and isinstance(other, list):
        for index in range(max(len(one), len(other))):
            left = one[index] if index < len(one) else _MISSING
            right = other[index] if index < len(other) else _MISSING
            yield from differing(left, right, f"{path}[{index}]")
    elif one is _MISSING or other is _MISSING or one != other:
        yield path, None if one is _MISSING else one, None if other is _MISSING else other
