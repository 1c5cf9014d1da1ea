"""Which playbooks can an alert fit at all? Sets of triggers by the values they ask for, cut with each other.

A set of triggers is a whole number with one bit for each, so that one `&` cuts thousands at once. For every
structural clause (all but `when`) the sets hold exactly the triggers whose clause is true, as
`engine.matching_clauses` has it: what is left needs no second look but for `when`. Of `when` they hold what
it needs (`engine.matching_needs`): who lacks that cannot match, whoever has it must be asked. Made once for a
state of the catalog; changes nothing afterwards.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from engine.matching_clauses import Facts
from engine.matching_needs import Atom, Need, Source, Test, passing, texts_of
from engine.matching_when import asked
from engine.playbook.compiled import Compiled
from engine.playbook.model import AlertTrigger

_Bits = int
_Asker = TypeVar("_Asker")
_Wanted = TypeVar("_Wanted", bound=Hashable)


class Offered(NamedTuple):
    """A playbook as the catalog offers it: its active revision (None: it cannot be read), and whether it is
    enabled.
    """

    name: str
    revision: str
    book: Compiled | None
    enabled: bool


class Sifted(NamedTuple):
    """What the structural clauses leave of the playbooks, none twice; in their order, unless told."""

    fits: list[Offered]
    """All structural clauses of one trigger hold; whether `when` does is not looked at."""
    triggers: _Bits
    """These triggers."""
    near: list[Offered]
    """Of the others those where all clauses but one hold, nearest first: that one is `test`, `priority`,
    `transition`, or another while the monitor or a tag that was asked for is right.
    """


class AlertIndex:
    """The triggers of these playbooks. Playbooks that no alert can start are only counted."""

    def __init__(self, offered: Iterable[Offered]) -> None:
        self._playbooks: list[Offered] = []
        self.unreadable: list[Offered] = []
        """Those whose revision cannot be read."""
        self.all: list[Offered] = []
        """All that an alert might start, unreadable ones too, in their order."""
        self.without_trigger = 0
        """How many no alert can start."""
        self._owners: list[int] = []
        """For each trigger, which of `_playbooks` it is one of."""
        triggers: list[AlertTrigger] = []
        for one in offered:
            if one.book is None:
                self.unreadable.append(one)
            elif one.book.playbook.alerts:
                self._owners += [len(self._playbooks)] * len(one.book.playbook.alerts)
                self._playbooks.append(one)
                triggers += one.book.playbook.alerts
            else:
                self.without_trigger += 1
                continue
            self.all.append(one)
        self._endpoint = _Clause(triggers, lambda trigger: trigger.endpoint or None)
        self._kind = _Clause(triggers, lambda trigger: trigger.kind or None)
        self._monitor = _Clause(triggers, lambda trigger: trigger.monitor or None)
        self._transition = _Clause(triggers, lambda trigger: _folded(trigger.transition))
        self._priority = _Clause(triggers, lambda trigger: _folded(trigger.priority))
        self._tags = {
            key: _Clause(triggers, partial(_tag, key))
            for key in dict.fromkeys(key for trigger in triggers for key in trigger.tags)
        }
        self._needs = _Needs(triggers) if any(trigger.when for trigger in triggers) else None
        self._every = (1 << len(triggers)) - 1
        self._tests = _bits(at for at, trigger in enumerate(triggers) if trigger.test)

    def sift(self, facts: Facts) -> Sifted:
        """Which playbooks the alert can fit, and which came near."""
        alert = facts.alert
        test = self._tests if alert.test else self._every
        monitor = self._monitor.true((alert.monitor_id,))
        transition = self._transition.true((facts.transition.casefold(),))
        priority = self._priority.true((alert.priority.casefold(),))
        origin = self._endpoint.true((alert.endpoint,)), self._kind.true((alert.kind,))
        tags = {key: clause.true(facts.tags.get(key, ())) for key, clause in self._tags.items()}
        fits, but_one = self._every, 0
        for true in (*origin, test, monitor, *tags.values(), transition, priority):
            but_one = but_one & true | fits & ~true
            fits &= true
        right = monitor & self._monitor.asked
        for key, true in tags.items():
            right |= true & self._tags[key].asked
        taken: set[int] = set()
        fitting = self._owned(fits, taken)
        groups = but_one & ~test, but_one & ~priority, but_one & ~transition, but_one & right
        return Sifted(fitting, fits, [one for group in groups for one in self._owned(group, taken)])

    def hopeful(self, facts: Facts, sifted: Sifted) -> frozenset[str]:
        """The names of those that fit and have what their `when` needs: no other can match."""
        needed = self._needs.true(facts) if self._needs else self._every
        return frozenset(one.name for one in self._owned(sifted.triggers & needed, set()))

    def recovering(self, facts: Facts) -> list[Offered]:
        """Those that a recovery may concern: endpoint, test, monitor and tags fit one of their triggers."""
        alert = facts.alert
        fits = self._tests if alert.test else self._every
        fits &= self._endpoint.true((alert.endpoint,)) & self._monitor.true((alert.monitor_id,))
        for key, clause in self._tags.items():
            fits &= clause.true(facts.tags.get(key, ()))
        return self._owned(fits, set())

    def _owned(self, triggers: _Bits, taken: set[int]) -> list[Offered]:
        """The playbooks of these triggers that are not taken yet; they are then."""
        owners = dict.fromkeys(self._owners[at] for at in _positions(triggers))
        found = [owner for owner in owners if owner not in taken]
        taken.update(found)
        return [self._playbooks[owner] for owner in found]


class _Needs:
    """What the `when`s of all triggers need: the first need of each is one clause, the second another, ..."""

    def __init__(self, triggers: Sequence[AlertTrigger]) -> None:
        known = [asked(trigger.when) if trigger.when else None for trigger in triggers]
        needs = [() if one is None else one.needs for one in known]
        self._clauses = [
            _Clause(needs, partial(_at, place)) for place in range(max(map(len, needs), default=0))
        ]
        atoms = dict.fromkeys(atom for each in needs for need in each for atom in need)
        self._equal = dict.fromkeys(atom.source for atom in atoms if atom.test == "is")
        self._others: dict[tuple[Source, Test], list[Atom]] = {}
        for atom in atoms:
            if atom.test != "is":
                self._others.setdefault((atom.source, atom.test), []).append(atom)

    def true(self, facts: Facts) -> _Bits:
        """The triggers that have what they need."""
        scope = facts.whens.scope
        met = [Atom(source, "is", text) for source in self._equal for text in texts_of(source, scope)]
        for (source, test), atoms in self._others.items():
            for text in texts_of(source, scope):
                met += passing(test, text, atoms)
        bits = -1
        for clause in self._clauses:
            bits &= clause.true(met)
        return bits


class _Clause(Generic[_Asker, _Wanted]):
    """One clause of all triggers: who asks for which value, and who does not ask."""

    def __init__(
        self, triggers: Sequence[_Asker], wanted: Callable[[_Asker], Sequence[_Wanted] | None]
    ) -> None:
        """`wanted`: None asks nothing; an empty list would ask for what no alert has."""
        asking: dict[_Wanted, list[int]] = {}
        unasked: list[int] = []
        for at, trigger in enumerate(triggers):
            values = wanted(trigger)
            if values is None:
                unasked.append(at)
            for value in dict.fromkeys(values or ()):
                asking.setdefault(value, []).append(at)
        self._by_value: Mapping[_Wanted, _Bits] = {value: _bits(found) for value, found in asking.items()}
        self._unasked = _bits(unasked)
        self.asked = ((1 << len(triggers)) - 1) & ~self._unasked

    def true(self, values: Iterable[_Wanted]) -> _Bits:
        """The triggers that ask nothing, or for one of these values."""
        bits = self._unasked
        for value in values:
            bits |= self._by_value.get(value, 0)
        return bits


def _at(place: int, needs: tuple[Need, ...]) -> Need | None:
    return needs[place] if place < len(needs) else None


def _bits(positions: Iterable[int]) -> _Bits:
    found = list(positions)
    text = bytearray(max(found, default=0) // 8 + 1)
    for at in found:
        text[at // 8] |= 1 << at % 8
    return int.from_bytes(text, "little")


def _positions(bits: _Bits) -> Iterator[int]:
    text = f"{bits:b}"[::-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def _tag(key: str, trigger: AlertTrigger) -> Sequence[str] | None:
    return trigger.tags.get(key)


def _folded(words: Sequence[str]) -> tuple[str, ...] | None:
    return tuple(word.casefold() for word in words) or None
