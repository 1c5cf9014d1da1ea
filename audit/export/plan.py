"""What an export is to hold: fixed once, at its beginning, and kept in the file itself, under the hash chain.

The offsets are taken when the export begins, so an export that is continued later, or made again, holds the
same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audit.log import Log, Place
from schemas.errors import MalformedMessage
from schemas.json import canonical, parsed
from schemas.topics import CATALOG, TOPICS

FORMAT = 1
"""Of the file: raised when an older reader could not verify it."""


class NotAPlan(ValueError):
    """The description of a file says nothing that an export of Pulsebook would say."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Only what belongs to these, each sorted; all empty: everything. See `audit.export.selecting`."""

    runs: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    playbooks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.runs or self.alerts or self.playbooks)


@dataclass(frozen=True, slots=True)
class Plan:
    """`bounds`: first offset and the one behind the last, of every partition, in the order of the file."""

    prefix: str
    since_ms: int | None
    until_ms: int | None
    selection: Selection
    topic_ids: Mapping[str, str]
    bounds: Mapping[Place, tuple[int, int]]

    def places(self) -> Iterator[Place]:
        """The partitions that hold anything in the period, in the order of the file."""
        return (place for place, (start, end) in self.bounds.items() if start < end)

    @property
    def offsets(self) -> int:
        """How many offsets there are to look at."""
        return sum(end - start for start, end in self.bounds.values())

    def text(self) -> bytes:
        """As JSON: equal plans have equal bytes."""
        topics = {
            name: {
                "id": topic_id,
                "offsets": [list(bounds) for (topic, _), bounds in self.bounds.items() if topic == name],
            }
            for name, topic_id in self.topic_ids.items()
        }
        return canonical(
            {
                "format": FORMAT,
                "prefix": self.prefix,
                "since_ms": self.since_ms,
                "until_ms": self.until_ms,
                "selection": {
                    "runs": self.selection.runs,
                    "alerts": self.selection.alerts,
                    "playbooks": self.selection.playbooks,
                },
                "topics": topics,
            }
        )


def read_plan(text: bytes) -> Plan:
    """The plan of `Plan.text`. Raises NotAPlan."""
    try:
        said: dict[str, Any] = parsed(text)
        if said["format"] != FORMAT:
            raise NotAPlan(f"its format is {said['format']}, and this version reads {FORMAT}")
        topics = said["topics"]
        known = [topic.name for topic in TOPICS if topic.name in topics]
        chosen = said["selection"]
        return Plan(
            str(said["prefix"]),
            said["since_ms"],
            said["until_ms"],
            Selection(*(tuple(chosen[name]) for name in ("runs", "alerts", "playbooks"))),
            {name: str(topics[name]["id"]) for name in known},
            {
                (name, partition): (int(start), int(end))
                for name in known
                for partition, (start, end) in enumerate(topics[name]["offsets"])
            },
        )
    except NotAPlan:
        raise
    except (MalformedMessage, LookupError, TypeError, ValueError):
        raise NotAPlan("it does not say which export it is") from None


async def planned(
    log: Log,
    topic_ids: Mapping[str, str],
    prefix: str,
    since_ms: int | None,
    until_ms: int | None,
    selection: Selection,
) -> Plan:
    """The plan of an export that begins now. `catalog` is taken from its beginning, whatever the period:
    nothing else can be understood without the revisions that it names.
    """
    kept = await log.bounds()
    since = {} if since_ms is None else await log.offsets_at(since_ms)
    until = {} if until_ms is None else await log.offsets_at(until_ms)
    bounds = {}
    for topic in TOPICS:
        for place in sorted(place for place in kept if place[0] == topic.name):
            start, end = kept[place]
            end = min(until.get(place, end), end)
            start = start if topic is CATALOG else max(since.get(place, start), start)
            bounds[place] = min(start, end), end
    return Plan(prefix, since_ms, until_ms, selection, dict(topic_ids), bounds)
