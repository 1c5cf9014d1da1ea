"""A past to ask about: playbooks that were active, alerts that came, and what their runs came to, as a log in
memory. And the question, asked of it.
"""

import zlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from audit.log import Entry as AnyEntry
from audit.log import Place
from audit.whatif.asking import Outside, Question, Report, what_if
from audit.whatif.comparing import Change
from audit.whatif.fates import Fate, Fates
from audit.whatif.world import Answer, Word, World
from connectors.actions.registry import specs
from connectors.event_log import Entry
from engine.admission.admitting import Situation
from engine.catalog import Catalog
from engine.playbook.canonical import canonical_json, digest
from engine.playbook.model import Playbook
from engine.playbook.reading import read
from schemas.alerts import Alert, AlertReceived
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.codec import encode
from schemas.events import JournalRecord, StepAsked, StepRequested
from schemas.fields import Record
from schemas.inbox import StepFinished
from schemas.outgoing import Cause, Outgoing
from schemas.topics import ALERTS, CATALOG, RUN_JOURNAL, Topic
from tests.engine.alert.builders import a_recovery, an_alert

START_MS = 1_795_316_672_000
SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
SITUATION = Situation(actions={name: spec.pinned for name, spec in specs().items()})
OUTSIDE = Outside(SITUATION, {name: spec.outputs for name, spec in specs().items()})
PARTITIONS = 2

Said = Callable[[StepRequested], Mapping[str, Any]]
"""What the world answered an attempt: fields of its StepFinished, and `after_ms`."""
Asked = Callable[[StepAsked], Word]


def playbook(text: str | Playbook) -> Playbook:
    """A playbook of YAML that is right."""
    if isinstance(text, Playbook):
        return text
    found = read(text, "test.yaml", specs())
    assert found.playbook is not None, found.problems
    return found.playbook


class LogInMemory:
    """Topics of entries, each partition in the order in which they came."""

    def __init__(self) -> None:
        self.entries: defaultdict[Place, list[Entry]] = defaultdict(list)
        for topic in (CATALOG, ALERTS, RUN_JOURNAL):
            for partition in range(1 if topic.single else PARTITIONS):
                self.entries[topic.name, partition] = []

    def put(
        self,
        topic: Topic,
        key: str,
        value: Record | bytes,
        at_ms: int,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> Entry:
        """One more message, on the partition of its key."""
        partition = 0 if topic.single else zlib.crc32(key.encode()) % PARTITIONS
        held = self.entries[topic.name, partition]
        as_bytes = value if isinstance(value, bytes) else encode(value)
        held.append(Entry(topic.name, partition, len(held), at_ms, key.encode(), as_bytes, headers))
        return held[-1]

    async def bounds(self) -> Mapping[Place, tuple[int, int]]:
        return {place: (0, len(held)) for place, held in self.entries.items()}

    async def offsets_at(self, at_ms: int) -> Mapping[Place, int]:
        return {
            place: next((one.offset for one in held if one.at_ms >= at_ms), len(held))
            for place, held in self.entries.items()
        }

    async def at(self, topic: str, partition: int, offset: int) -> AnyEntry | None:
        held = self.entries[topic, partition]
        return held[offset] if 0 <= offset < len(held) else None

    async def read(
        self, positions: Mapping[Place, int], until: Mapping[Place, int]
    ) -> AsyncGenerator[Sequence[AnyEntry], None]:
        for place, end in until.items():
            yield self.entries[place][positions.get(place, 0) : end]


class Past(World):
    """A world whose journals are kept."""

    def __init__(
        self, catalog: Catalog, keep: Callable[[JournalRecord], None], said: "Said", word: "Asked"
    ) -> None:
        self.came_to: dict[str, Fate] = {}
        super().__init__(catalog, SITUATION, _Scripted(said, word), Fates(self.came_to.__setitem__))
        self._keep = keep

    def _react(self, live: Any, journal: JournalRecord) -> list[Outgoing]:
        self._keep(journal)
        return super()._react(live, journal)


class _Scripted:
    def __init__(self, said: Said, word: Asked) -> None:
        self._said, self._word = said, word

    def attempt(self, run_id: str, playbook: str, asked: StepRequested) -> Answer:
        answer = dict(self._said(asked))
        after_ms = answer.pop("after_ms", 2 * SECOND_MS)
        answer.setdefault("status", "succeeded")
        finished = StepFinished(
            run_id=run_id,
            step=asked.step,
            attempt=asked.attempt,
            answers_seq=0,
            duration_ms=after_ms,
            **answer,
        )
        return Answer(finished, after_ms)

    def question(self, run_id: str, asked: StepAsked) -> Word:
        return self._word(asked)


def good(asked: StepRequested) -> Mapping[str, Any]:
    """Every step succeeds, and says what it was asked."""
    return {"output": {"message": asked.arguments.get("message", ""), "status": 200}}


def active_records(
    books: Iterable[Playbook], disabled: Iterable[str] = ()
) -> Iterator[RevisionAdded | PlaybookSet]:
    """What the catalog says of playbooks that are active."""
    by: dict[str, Any] = {"actor": "mira", "at_ms": START_MS}
    for book in books:
        named = digest(book)
        yield RevisionAdded(digest=named, playbook=book.name, canonical=canonical_json(book), source="", **by)
        yield PlaybookSet(name=book.name, digest=named, enabled=book.name not in disabled, **by)


class History:
    """What happened. `active`: the playbooks, as YAML."""

    def __init__(
        self,
        *active: str | Playbook,
        said: Said = good,
        word: Asked = lambda asked: Word(),
        disabled: Iterable[str] = (),
    ) -> None:
        self.log = LogInMemory()
        catalog = Catalog()
        for record in active_records(map(playbook, active), disabled):
            entry = self.log.put(CATALOG, "any", record, START_MS)
            catalog.apply(entry.offset, record)
        self._past = Past(catalog, self._journaled, said, word)

    def _journaled(self, record: JournalRecord) -> None:
        self.log.put(RUN_JOURNAL, record.run_id, record, record.at_ms)

    def comes(self, after_ms: int, **fields: Any) -> str:
        """An alert, so long after the beginning; its id."""
        return self._comes(after_ms, an_alert(**{"id": f"a-{after_ms}"} | fields))

    def recovers(self, after_ms: int, **fields: Any) -> str:
        """Its recovery."""
        return self._comes(after_ms, a_recovery(**{"id": f"r-{after_ms}"} | fields))

    def _comes(self, after_ms: int, alert: Alert) -> str:
        at_ms = START_MS + after_ms
        received = AlertReceived(
            alert_id=alert.id, endpoint=alert.endpoint, received_at_ms=at_ms, raw=b"{}", alert=alert
        )
        self.hears(received, self.log.put(ALERTS, alert.id, received, at_ms).cause)
        return alert.id

    def hears(self, received: AlertReceived, cause: Cause) -> None:
        """What is on the log already happens."""
        self._past.matched(received, cause)
        self._past.go_on()

    @property
    def came_to(self) -> Mapping[str, Fate]:
        """What has become of every run so far."""
        return self._past.came_to

    def finish(self) -> None:
        """Everything that is under way comes to its end."""
        self._past.finish()

    async def asked(self, *wanted: str | Playbook, **more: Any) -> "Told":
        """What if these were the active playbooks?"""
        self.finish()
        found: list[Change] = []
        question = Question(tuple(map(playbook, wanted)), **more)
        report = await what_if(self.log, question, OUTSIDE, found.append)
        return Told(report, sorted(found, key=lambda one: (one.at_ms, one.playbook)))


class Told:
    """The answer."""

    def __init__(self, report: Report, changes: Sequence[Change]) -> None:
        self.report, self.changes = report, changes

    @property
    def how(self) -> list[tuple[str, str]]:
        """Of each change the alert and what would be different."""
        return [(one.alert_id, one.how) for one in self.changes]

    def steps(self, at: int = 0) -> dict[str, str]:
        """Of a change, what differs in its steps."""
        return {one.step: one.how for one in self.changes[at].steps}
