"""`audit verify`: everything that follows from something is made again and compared with what is there.

    1  decisions, journal, publications, dead letters are read: traces, and notes about inputs
    2  admissions and run-inbox are folded: traces of what follows, and of what of it lies on these two topics
    3  which alert was matched with which state of the catalog becomes a note about the alert
    4  alerts are matched: traces of what follows
    5  traces are compared, bucket by bucket

Each step is many parts that workers do at the same time; nobody holds more than a partition's live rows or a
bucket. Who does the parts is handed in.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from audit.export.file_log import FileLog
from audit.log import Log, Place
from audit.verify.findings import Tally
from audit.verify.frame import SKEW_MS, Frame, Positions
from audit.verify.outputs import READ
from audit.verify.work import Part, Step
from schemas.topics import ADMISSIONS, ALERTS, CATALOG, RUN_INBOX, RUN_JOURNAL

TRACES_PER_BUCKET = 150_000
BUCKETS_MAX = 512
INPUTS = (ALERTS.name, ADMISSIONS.name, RUN_INBOX.name)


class Crew(Protocol):
    """Workers that do parts, several at a time."""

    def work(self, parts: Sequence[Part], frame: Frame) -> AsyncIterator[Tally]:
        """The findings of each part, as they come. Raises what went wrong in any."""


async def frame_of(
    log: Log,
    ask: Callable[[], Awaitable[Positions]],
    now_ms: int,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Frame:
    """What is known before anything is read. The order matters: positions, then outputs, then inputs."""
    positions = await ask()
    bounds = dict(await log.bounds())
    ends = {place: end for place, (_, end) in (await log.bounds()).items()}
    begins_ms: dict[Place, int] = {}
    for (topic, partition), (start, end) in bounds.items():
        if start > 0 and topic != CATALOG.name:
            first = await log.at(topic, partition, start) if end > start else None
            begins_ms[topic, partition] = now_ms if first is None else first.at_ms
    total = sum(end - bounds.get(place, (0, 0))[0] for place, end in ends.items())
    return Frame(
        bounds=bounds,
        ends=ends,
        settled=_settled(positions, ends),
        begins_ms=begins_ms,
        now_ms=now_ms,
        buckets=max(1, min(BUCKETS_MAX, total // TRACES_PER_BUCKET + 1)),
        since_ms=since_ms,
        until_ms=until_ms,
        working=positions.members > 0,
    )


async def frame_of_file(log: FileLog, now_ms: int) -> Frame:
    """Of an exported file. No group works on it: what is settled is told by the causes that its records
    name, but for those of its last minute (`Frame.judged_until_ms`).
    """

    async def nobody() -> Positions:
        return Positions()

    frame = await frame_of(log, nobody, now_ms)
    return replace(frame, judged_until_ms=log.ends_ms() - SKEW_MS)


def _settled(positions: Positions, ends: Mapping[Place, int]) -> dict[Place, int]:
    found = {}
    for place, end in ends.items():
        said = (positions.sink if place[0] == RUN_JOURNAL.name else positions.processor).get(place)
        if said is not None and (place[0] in INPUTS or place[0] == RUN_JOURNAL.name):
            found[place] = min(said, end)
    return found


async def verify(frame: Frame, crew: Crew) -> tuple[Tally, Frame]:
    """All findings, and the frame as it was completed on the way."""
    tally = Tally()
    await _step(tally, crew, frame, [Part("catalog"), *_partitions(frame, READ, "read")])
    frame = replace(frame, settled={**_by_causes(frame, tally), **frame.settled})
    await _step(tally, crew, frame, _partitions(frame, (RUN_INBOX.name, ADMISSIONS.name), "fold"))
    await _step(tally, crew, frame, [Part("attempts", number=each) for each in range(frame.buckets)])
    await _step(tally, crew, frame, _partitions(frame, (ALERTS.name,), "fold"))
    await _step(tally, crew, frame, [Part("join", number=each) for each in range(frame.buckets)])
    return tally, frame


async def _step(tally: Tally, crew: Crew, frame: Frame, parts: Sequence[Part]) -> None:
    async for found in crew.work(parts, frame):
        tally.add(found)


def _partitions(frame: Frame, topics: Sequence[str], step: Step) -> list[Part]:
    """The largest first: the last to begin should not be the last to end."""
    places = [(end - frame.start(*place), place) for place, end in frame.ends.items() if place[0] in topics]
    places.sort(key=lambda one: (-one[0], one[1]))
    return [Part(step, topic, partition) for _, (topic, partition) in places]


def _by_causes(frame: Frame, tally: Tally) -> dict[Place, int]:
    """Where no group has committed anything: what has been worked off for certain."""
    return {place: tally.causes.get(place, -1) + 1 for place in frame.ends if place[0] in INPUTS}
