"""The clauses of `on.alert`: does an alert fit one trigger, and if not, which clause was false first.

Clauses are asked in the order of `CLAUSES`, `when` last, because it costs most. Transition and priority are
compared without case, all else letter by letter. Which playbooks are looked at, and what becomes of it, is
`engine.matching`.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from engine.alert.facts import is_own_event, transition_of
from engine.alert.values import split_tag
from engine.matching_when import Whens
from engine.playbook.compiled import Compiled
from engine.playbook.model import AlertTrigger
from schemas.alerts import Alert

CLAUSES = (
    "disabled",
    "revision",
    "own_event",
    "endpoint",
    "test",
    "kind",
    "monitor",
    "tags",
    "transition",
    "priority",
    "when",
)
"""Every clause that can be false, in the order in which they are asked."""
_WANTED_MAX = 10
"""Wanted values named in a detail."""


class Miss(NamedTuple):
    """The first clause that was false, and for a person: what was wanted, and what the alert has."""

    clause: str
    detail: str


class Facts:
    """An alert, and what the clauses ask of it, worked out once for all playbooks."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.transition = transition_of(alert)

    @cached_property
    def is_own_event(self) -> bool:
        """Whether Pulsebook posted it."""
        return is_own_event(self.alert)

    @cached_property
    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """Tag key to its values, in their order; a bare tag has the value ""."""
        tags: dict[str, tuple[str, ...]] = {}
        for tag in self.alert.tag_list:
            key, value = split_tag(tag)
            tags[key] = (*tags.get(key, ()), value)
        return tags

    @cached_property
    def whens(self) -> Whens:
        """What the `when`s of all playbooks say of it."""
        return Whens(self.alert)


def first_false(facts: Facts, trigger: AlertTrigger, book: Compiled) -> Miss | None:
    """The first clause of the trigger that is false; None: the alert fits."""
    return (
        _origin_false(facts, trigger)
        or _test_false(facts, trigger)
        or _one_of("kind", trigger.kind, facts.alert.kind)
        or _one_of("monitor", trigger.monitor, facts.alert.monitor_id)
        or _tags_false(facts, trigger)
        or _one_of("transition", trigger.transition, facts.transition, fold=True)
        or _one_of("priority", trigger.priority, facts.alert.priority, fold=True)
        or _when_false(facts, trigger, book)
    )


def recovery_false(facts: Facts, trigger: AlertTrigger) -> Miss | None:
    """The same for a recovery of what the trigger is about: title, kind, priority and `when` may differ by
    then.
    """
    return (
        _origin_false(facts, trigger)
        or _test_false(facts, trigger)
        or _one_of("monitor", trigger.monitor, facts.alert.monitor_id)
        or _tags_false(facts, trigger)
    )


def _origin_false(facts: Facts, trigger: AlertTrigger) -> Miss | None:
    """Whether the alert came to another endpoint."""
    return _one_of("endpoint", trigger.endpoint, facts.alert.endpoint)


def _test_false(facts: Facts, trigger: AlertTrigger) -> Miss | None:
    if trigger.test or not facts.alert.test:
        return None
    return Miss("test", "wanted real alerts (no `test: true`), alert is a [TEST] notification")


def _one_of(clause: str, wanted: Sequence[str], has: str, fold: bool = False) -> Miss | None:
    if not wanted or has in wanted:
        return None
    if fold and has.casefold() in (one.casefold() for one in wanted):
        return None
    return Miss(clause, f"wanted {clause} {_listed(wanted)}, alert has {has or 'none'}")


def _tags_false(facts: Facts, trigger: AlertTrigger) -> Miss | None:
    for key, wanted in trigger.tags.items():
        values = facts.tags.get(key)
        if values is None:
            return Miss("tags", f"wanted {key} {_listed(wanted)}, alert has no {key}")
        if not any(value in wanted for value in values):
            has = " and ".join(value or "(no value)" for value in values[:_WANTED_MAX])
            return Miss("tags", f"wanted {key} {_listed(wanted)}, alert has {key} {has}")
    return None


def _when_false(facts: Facts, trigger: AlertTrigger, book: Compiled) -> Miss | None:
    why = facts.whens.why_false(trigger.when, book) if trigger.when else ""
    return Miss("when", why) if why else None


def _listed(wanted: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`; nothing fits an empty list."""
    if not wanted:
        return "nothing"
    shown = [one or "(no value)" for one in wanted[:_WANTED_MAX]]
    if len(wanted) > _WANTED_MAX:
        return f"{', '.join(shown)} or {len(wanted) - _WANTED_MAX} others"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
