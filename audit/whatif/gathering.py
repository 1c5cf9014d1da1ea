"""Reads a period of the log into a spool: the alerts that matter, and what the runs that they may start came
to.

Alerts are matched here a first time, in both worlds, to know which of them and which runs matter.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from msgspec.structs import replace

from audit.log import Entry, Log, Place
from audit.whatif.recording import Recorder
from audit.whatif.spool import Spool
from audit.whatif.worlds import Worlds
from engine.admission.requesting import slot_ms
from engine.alert.facts import is_recovery
from engine.alert.normalising import normalise
from engine.alert.producing import received_from_json
from engine.alert.unparsable import Unparsable
from engine.catalog import Catalog
from engine.matching import match
from engine.matching_clauses import Facts
from schemas.alerts import Alert, AlertReceived
from schemas.alerts_wire import ConfluentAlert, resolved, sniff
from schemas.codec import encode
from schemas.confluent import WriterSchema
from schemas.errors import MalformedMessage, SchemaUnavailable
from schemas.events import JournalRecord
from schemas.ids import run_id
from schemas.topics import ALERTS, CATALOG, RUN_JOURNAL, Topic

SchemaOf = Callable[[int], Awaitable[WriterSchema]]
"""A registry's schema by its id. Raises MalformedMessage or SchemaUnavailable."""
Progress = Callable[[str], None]
CLOCKS_APART_MS = 10_000
"""How far the clocks of brokers may be from each other."""
TELL_EVERY = 20_000


@dataclass(slots=True)
class Gathered:
    """What was read."""

    alerts: int = 0
    """Different alerts of the period."""
    unreadable: int = 0
    """Of them, those that nobody, or nobody here, can read."""
    unreadable_why: str = ""
    """Of the last one."""
    kept: int = 0
    """Those that some playbook looked at may take note of."""
    runs: int = 0
    """Runs on record that they started."""
    run_url_prefix: str = ""
    spool_bytes: int = 0


async def catalog_of(log: Log) -> Catalog:
    """The catalog as it stands."""
    place = (CATALOG.name, 0)
    bounds = await log.bounds()
    catalog = Catalog()
    if place in bounds:
        async with aclosing(log.read({}, {place: bounds[place][1]})) as batches:
            async for batch in batches:
                for entry in batch:
                    catalog.apply(entry.offset, entry.record)
    return catalog


async def gather(
    log: Log,
    worlds: Worlds,
    spool: Spool,
    from_ms: int | None,
    to_ms: int | None,
    schema_of: SchemaOf | None,
    progress: Progress,
) -> Gathered:
    """Read the period into the spool. Raises what the log raises."""
    reading = _Reading(worlds, spool, schema_of)
    begin = {} if from_ms is None else await log.offsets_at(from_ms)
    end = await _end(log, to_ms)
    async with aclosing(log.read(_of(ALERTS, begin), _of(ALERTS, end))) as batches:
        async for batch in batches:
            for entry in batch:
                await reading.alert(entry)
                if reading.read % TELL_EVERY == 0:
                    progress(f"{reading.read} alerts read")
    begin = {} if from_ms is None else await log.offsets_at(from_ms - CLOCKS_APART_MS)
    end = await _end(log, None if to_ms is None else to_ms + _longest_ms(worlds))
    async with aclosing(log.read(_of(RUN_JOURNAL, begin), _of(RUN_JOURNAL, end))) as batches:
        async for batch in batches:
            for entry in batch:
                reading.journal(entry)
                if reading.journaled % TELL_EVERY == 0:
                    progress(f"{reading.journaled} records of runs read")
    reading.found.run_url_prefix = reading.recorder.run_url_prefix
    reading.found.spool_bytes = spool.size_bytes
    return reading.found


class _Reading:
    """The two topics, message by message."""

    def __init__(self, worlds: Worlds, spool: Spool, schema_of: SchemaOf | None) -> None:
        self._worlds, self._spool, self._schema_of = worlds, spool, schema_of
        self._calls = worlds.calls
        self.recorder = Recorder(spool)
        self.found = Gathered()
        self.read = self.journaled = 0

    async def alert(self, entry: Entry) -> None:
        """A message of `alerts`."""
        self.read += 1
        try:
            received = await self._received(entry)
        except (MalformedMessage, SchemaUnavailable) as error:
            self.found.alerts += 1
            self.found.unreadable += 1
            self.found.unreadable_why = str(error)
            return
        self.found.alerts += 1
        matching: set[str] = set()
        recovers = False
        for catalog in (self._worlds.active, self._worlds.wanted):
            matching |= _matching(received.alert, catalog)
            recovers = recovers or _recovers(received.alert, catalog)
        if matching or recovers:
            place = (entry.at_ms, entry.partition, entry.offset)
            self.found.kept += self._spool.keep_alert(*place, received.alert_id, encode(received))
            self._spool.want(run_id(name, received.alert_id) for name in matching)

    async def _received(self, entry: Entry) -> AlertReceived:
        """With its normalised alert. Raises MalformedMessage and SchemaUnavailable."""
        found = sniff(entry.value)
        if isinstance(found, ConfluentAlert):
            if self._schema_of is None:
                raise MalformedMessage("a message in Confluent framing, and no schema registry is set")
            found = resolved(found, await self._schema_of(found.schema_id))
        if not isinstance(found, AlertReceived):
            headers = {name: value or b"" for name, value in entry.headers}
            found = received_from_json(found, entry.cause, headers)
        if found.alert is not None:
            return replace(found, raw=b"")
        alert = Unparsable(found.problem) if found.problem else normalise(found.raw, found.content_type)
        if isinstance(alert, Unparsable):
            raise MalformedMessage(alert.problem)
        return replace(found, raw=b"", alert=replace(alert, id=found.alert_id, endpoint=found.endpoint))

    def journal(self, entry: Entry) -> None:
        """A message of `run-journal`. Where no playbook runs another one, its key says whether it matters;
        the ids of runs that runs started are known only to who followed all of them.
        """
        self.journaled += 1
        wanted = entry.key is not None and self._spool.is_wanted(entry.key.decode(errors="replace"))
        if not wanted and not self._calls:
            return
        record = entry.record
        if isinstance(record, JournalRecord) and (wanted or record.playbook in self._worlds.looked_at):
            self.found.runs += wanted and record.seq == 1 and not self._spool.began(record.run_id)
            self.recorder.hear(record)


def _matching(alert: Alert | None, catalog: Catalog) -> set[str]:
    """Names of the playbooks that the alert matches. Those that the index rules out are not looked at."""
    if alert is None:
        return set()
    fits = catalog.alert_index.sift(Facts(alert)).fits
    books = (one.book for one in fits if one.enabled and one.book is not None)
    return {looked.playbook for looked in match(alert, books) if looked.matched}


def _recovers(alert: Alert | None, catalog: Catalog) -> bool:
    """Whether it is a recovery that runs of any playbook may wait for."""
    return alert is not None and is_recovery(alert) and any(catalog.alert_index.recovering(Facts(alert)))


async def _end(log: Log, to_ms: int | None) -> Mapping[Place, int]:
    if to_ms is not None:
        return await log.offsets_at(to_ms)
    return {place: end for place, (_, end) in (await log.bounds()).items()}


def _of(topic: Topic, offsets: Mapping[Place, int]) -> dict[Place, int]:
    return {place: offset for place, offset in offsets.items() if place[0] == topic.name}


def _longest_ms(worlds: Worlds) -> int:
    """How long after an alert a run of it can still be under way."""
    books = [
        book
        for catalog in (worlds.active, worlds.wanted)
        for held in catalog.playbooks.values()
        if (book := catalog.compiled(held.digest)) is not None
    ]
    return max((slot_ms(book) + book.playbook.admission.queue_expires_ms for book in books), default=0)
