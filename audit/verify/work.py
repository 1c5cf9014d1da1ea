"""The parts that an audit is made of, each done by one worker for itself: read a partition, fold one, judge a
bucket.

A worker is handed a log of its own; parts meet in files only. The order of the steps is
`audit.verify.verifying`.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, assert_never

from audit.interrupting import heed_cancel
from audit.log import Entry, Log
from audit.verify.admitting import Admitting
from audit.verify.adopting import memories_ms
from audit.verify.advancing import Advancing
from audit.verify.attempts import note_attempts
from audit.verify.capturing import Capturing
from audit.verify.catalogs import Catalogs, check_catalog
from audit.verify.emitting import Emitter, Spooling
from audit.verify.findings import Difference, Tally, Wanted
from audit.verify.frame import Frame
from audit.verify.joining import Joining
from audit.verify.matching import Matching
from audit.verify.outputs import Outputs
from audit.verify.spool import Buckets, Notes, NotesOf
from schemas.topics import ADMISSIONS, ALERTS, CATALOG, DECISIONS, RUN_INBOX, RUN_JOURNAL

Step = Literal["catalog", "read", "fold", "attempts", "join", "explain"]
REPORT_EVERY_S = 0.2
Told = Callable[[int], None]
"""How many records were read since it was last told."""


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of work. `number`: a partition, or a bucket."""

    step: Step
    topic: str = ""
    number: int = 0
    wanted: frozenset[Wanted] = frozenset()
    """What is to be made once more and handed over."""


class Taker(Protocol):
    """Takes the records of one partition in order."""

    def take(self, entry: Entry) -> None: ...


class Workbench:
    """What one worker needs. `told` is called while records are read."""

    def __init__(self, log: Log, folder: Path, told: Told) -> None:
        self._log, self._folder, self._told = log, folder, told
        self._catalogs: Catalogs | None = None

    async def do(self, part: Part, frame: Frame) -> Tally:
        """Do one part. Raises what the log raises, and DiskFull."""
        tally = Tally()
        notes = Notes(self._folder)
        emitter = Spooling(
            frame,
            Buckets(self._folder, "runs", frame.buckets),
            Buckets(self._folder, "alerts", frame.buckets),
            tally,
        )
        match part.step:
            case "catalog":
                await self._catalog(frame, tally)
            case "read":
                adopted = await self._adopted_ms(part, frame)
                outputs = Outputs(part.topic, part.number, frame, emitter, notes, tally, adopted)
                # The journal is the sink's input, too: reports lie before what was published of them.
                known = frame.ends if part.topic == RUN_JOURNAL.name else frame.output_ends
                end = known.get((part.topic, part.number), 0)
                await self.through(part, frame, outputs, end, tally)
                outputs.ended(end)
            case "fold":
                await self._fold(part, frame, emitter, tally)
            case "attempts":
                note_attempts(self._folder, part.number, notes)
            case "join":
                for name in ("alerts", "runs"):
                    Joining(frame, tally).bucket(self._folder, name, part.number)
            case "explain":
                await self._explain(part, frame, tally)
            case _:
                assert_never(part.step)
        emitter.flush()
        notes.flush()
        return tally

    async def _adopted_ms(self, part: Part, frame: Frame) -> Mapping[int, int]:
        """Until when decisions may have to be adopted, by partition of `admissions`."""
        if part.topic != DECISIONS.name or not frame.is_trimmed(ADMISSIONS.name):
            return {}
        longest_ms = max(memories_ms((await self.catalogs(frame)).latest).values(), default=0)
        return {
            partition: at_ms + longest_ms
            for (topic, partition), at_ms in frame.begins_ms.items()
            if topic == ADMISSIONS.name
        }

    async def _fold(self, part: Part, frame: Frame, emitter: Emitter, tally: Tally) -> None:
        folding = await self.folding(part, frame, emitter, tally)
        end = frame.ends.get((part.topic, part.number), 0)
        await self.through(part, frame, folding, end, tally)
        folding.ended(end)
        settled = frame.settled.get((part.topic, part.number), 0)
        if settled < end:
            tally.counts[part.topic, "not yet worked off"] += end - settled
        if isinstance(folding, Advancing):
            tally.counts[part.topic, "live runs"] += folding.live()
        if isinstance(folding, Matching):
            return
        stuck = list(folding.overdue())
        if not frame.working and stuck:
            tally.unchecked["timers that are due: no processor is at work"] += len(stuck)
        elif settled >= end:
            for key, timer, due_ms in stuck:
                text = f"{key}: nothing came of its timer {timer or '(none)'}"
                found = (part.topic, part.number, end)
                tally.differs(Difference(due_ms, part.topic, "stuck", found=found, text=text))

    async def _explain(self, part: Part, frame: Frame, tally: Tally) -> None:
        """Fold again up to what is asked for. What else is found on the way was told before."""
        apart = Tally()
        emitter = Capturing(part.wanted, tally)
        if part.topic == RUN_JOURNAL.name:
            notes = Notes(self._folder)  # never written
            taker: Taker = Outputs(part.topic, part.number, frame, emitter, notes, apart)
        else:
            taker = await self.folding(part, frame, emitter, apart)
        await self.through(part, frame, taker, max(wanted[4] for wanted in part.wanted) + 1, apart)

    async def folding(
        self, part: Part, frame: Frame, emitter: Emitter, tally: Tally
    ) -> Admitting | Advancing | Matching:
        """Who folds a topic."""
        catalogs = await self.catalogs(frame)
        notes = NotesOf(self._folder, part.topic, part.number)
        if part.topic == ALERTS.name:
            return Matching(part.number, frame, catalogs, notes, emitter, tally)
        if part.topic == ADMISSIONS.name:
            return Admitting(part.number, frame, catalogs, notes, emitter, tally)
        if part.topic == RUN_INBOX.name:
            return Advancing(part.number, frame, catalogs.latest, notes, emitter, tally)
        raise ValueError(f"nothing is folded from {part.topic}")

    async def through(self, part: Part, frame: Frame, taker: Taker, end: int, tally: Tally) -> None:
        """Hand every record of a partition, up to `end`, to somebody."""
        place, only = (part.topic, part.number), frame.only.encode("utf-8", "surrogatepass")
        read, told_s = 0, time.monotonic()
        async with aclosing(self._log.read({}, {place: end})) as batches:
            async for batch in batches:
                wanted = [one for one in batch if one.key == only] if only else batch
                for entry in wanted:
                    taker.take(entry)
                read += len(batch)
                tally.read[part.topic] += len(wanted)
                if time.monotonic() - told_s > REPORT_EVERY_S:
                    self._told(read)
                    read, told_s = 0, time.monotonic()
        self._told(read)
        heed_cancel()

    async def catalogs(self, frame: Frame) -> Catalogs:
        """The catalog, read once by each worker."""
        if self._catalogs is None:
            entries = await self._catalog_entries(frame)
            end = frame.ends.get((CATALOG.name, 0), 0)
            self._catalogs = Catalogs([(one.offset, one.record) for one in entries], end)
        return self._catalogs

    async def _catalog(self, frame: Frame, tally: Tally) -> None:
        entries = await self._catalog_entries(frame)
        check_catalog(entries, frame, tally)
        tally.read[CATALOG.name] += len(entries)
        self._told(len(entries))

    async def _catalog_entries(self, frame: Frame) -> Sequence[Entry]:
        end = frame.ends.get((CATALOG.name, 0), 0)
        found: list[Entry] = []
        async with aclosing(self._log.read({}, {(CATALOG.name, 0): end})) as batches:
            async for batch in batches:
                found += batch
        return found


class Alone:
    """A crew of one: does one part after the other, here."""

    def __init__(self, log: Log, folder: Path, told: Told) -> None:
        self._bench = Workbench(log, folder, told)

    async def work(self, parts: Sequence[Part], frame: Frame) -> AsyncIterator[Tally]:
        """The findings of each part."""
        for part in parts:
            yield await self._bench.do(part, frame)
