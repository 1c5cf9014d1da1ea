"""What if these playbooks were the active ones? A period of recorded alerts in both worlds, side by side.

Reads the log that it is handed and nothing else; what it lays down meanwhile is gone when it has answered.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from audit.log import Log
from audit.whatif.answering import RecordedAnswers
from audit.whatif.comparing import Change, Comparison, Seen, Tally
from audit.whatif.fates import Fate, Fates
from audit.whatif.gathering import Gathered, Progress, SchemaOf, catalog_of, gather
from audit.whatif.spool import Spool
from audit.whatif.world import World
from audit.whatif.worlds import Worlds, worlds
from engine.admission.admitting import Situation
from engine.catalog import Catalog
from engine.matching import match
from engine.playbook.model import Playbook
from schemas.alerts import AlertReceived
from schemas.codec import decode
from schemas.decisions import AlertMatched, Looked
from schemas.ids import run_id
from schemas.outgoing import Cause
from schemas.topics import ALERTS

TELL_EVERY = 5_000


@dataclass(frozen=True, slots=True)
class Question:
    """Which playbooks, and which alerts: from `from_ms` (None: the oldest on record) to before `to_ms` (None:
    now).
    """

    wanted: tuple[Playbook, ...]
    from_ms: int | None = None
    to_ms: int | None = None
    prune: bool = False
    """The active playbooks that are not among the wanted ones are gone in the second world."""
    every: bool = False
    """Also look at those that are the same in both."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the caller knows and the log does not. `outputs`: JSON Schema of each action's output."""

    situation: Situation
    outputs: Mapping[str, Any]
    schema_of: SchemaOf | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The answer, but for the single changes."""

    worlds: Worlds
    gathered: Gathered
    tallies: Mapping[str, Tally]
    """Of the playbooks looked at that any alert matched."""
    children: tuple[Counter[str], Counter[str]]
    """By playbook: runs that other runs started, in either world."""

    @property
    def changed(self) -> int:
        """Alerts and playbooks for which anything would be different."""
        return sum(tally.changed for tally in self.tallies.values())


async def what_if(
    log: Log,
    question: Question,
    outside: Outside,
    on_change: Callable[[Change], None],
    progress: Progress = lambda _: None,
) -> Report:
    """The answer; each change is handed on as soon as it is known. Raises NotApplicable, and what the log
    raises.
    """
    now = await catalog_of(log)
    both = worlds(now, question.wanted, prune=question.prune, every=question.every)
    if not both.looked_at:
        return Report(both, Gathered(), {}, (Counter(), Counter()))
    with Spool() as spool:
        period = (question.from_ms, question.to_ms)
        found = await gather(log, both, spool, *period, outside.schema_of, progress)
        if found.run_url_prefix:
            # What is asked for must be the same as it was, also where it names the run's page.
            situation = replace(outside.situation, run_url_prefix=found.run_url_prefix)
            outside = replace(outside, situation=situation)
        return _played(both, spool, found, outside, on_change, progress)


def _played(
    both: Worlds,
    spool: Spool,
    found: Gathered,
    outside: Outside,
    on_change: Callable[[Change], None],
    progress: Progress,
) -> Report:
    comparison = Comparison(on_change)
    answers = RecordedAnswers(spool, outside.outputs)
    first, second = Fates(comparison.first), Fates(comparison.second)
    active = World(both.active, outside.situation, answers, first)
    wanted = World(both.wanted, outside.situation, answers, second)
    for number, (at_ms, partition, offset, value) in enumerate(spool.alerts()):
        received = decode(value)
        if not isinstance(received, AlertReceived):
            raise AssertionError("the spool of alerts holds alerts")
        cause = Cause(ALERTS.name, partition, offset, at_ms)
        pair = [(both.active, active, comparison.first), (both.wanted, wanted, comparison.second)]
        said = [world.matched(received, cause) for _, world, _ in pair]
        for name in sorted({one.playbook for looked in said for one in looked.looked if one.matched}):
            run = run_id(name, received.alert_id)
            comparison.expect(run, _seen(name, received, at_ms, spool.began(run)))
            for (catalog, _, tell), looked in zip(pair, said, strict=True):
                if (missed := _missed(name, looked, catalog, received)) is not None:
                    tell(run, missed)
        for _, world, _ in pair:
            world.go_on()
        if number % TELL_EVERY == TELL_EVERY - 1:
            progress(f"{number + 1} of {found.kept} alerts played through")
    active.finish()
    wanted.finish()
    if comparison.open:
        raise AssertionError(f"{comparison.open} alerts came to no end")
    return Report(both, found, comparison.tallies, (first.children, second.children))


def _seen(playbook: str, received: AlertReceived, at_ms: int, on_record: bool) -> Seen:
    title = received.alert.title if received.alert is not None else ""
    return Seen(playbook, received.alert_id, at_ms, title, on_record)


def _missed(name: str, matched: AlertMatched, catalog: Catalog, received: AlertReceived) -> Fate | None:
    """Why this playbook did not match; None where it did."""
    looked = next((one for one in matched.looked if one.playbook == name), None)
    if looked is None:
        looked = _look(name, catalog, received)
    if looked is None:
        return Fate(decision="absent")
    if looked.matched:
        return None
    return Fate(decision="not_matched", rule=looked.clause, reason=looked.detail)


def _look(name: str, catalog: Catalog, received: AlertReceived) -> Looked | None:
    """A playbook that match did not name: of many only the nearest are; or one that no alert starts."""
    held = catalog.playbooks.get(name)
    book = None if held is None else catalog.compiled(held.digest)
    if held is None or book is None or received.alert is None:
        return None
    miss = next(iter(match(received.alert, (book,))), None)
    if miss is not None and not miss.matched:
        return miss
    clause, detail = (
        ("on", "it has no `on.alert`") if miss is None else ("disabled", "the playbook is disabled")
    )
    return Looked(playbook=name, revision=held.digest, matched=False, clause=clause, detail=detail)
