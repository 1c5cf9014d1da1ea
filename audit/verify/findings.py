"""What an audit comes to: counts by topic, differences, repeats, and what could not be checked and why."""

from collections import Counter
from dataclasses import dataclass, field

from audit.verify.kinds import Kind
from schemas.fields import Record

KEPT_MAX = 1_000
"""So many differences and repeats are kept, the first by time; all are counted."""

Wanted = tuple[int, bytes, int, int, int]
"""A record that follows from an input: kind, subject, number; partition and offset of the input."""
Place3 = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it must be.

    `expected`: the input that it follows from. `found`: where it lies. One of them is None where the record
    is missing, or nothing explains it.
    """

    at_ms: int
    topic: str
    what: str
    """missing, unexplained, differs, contradicts, out of order, gap, unreadable, ..."""
    kind: Kind | None = None
    subject: bytes = b""
    number: int = 0
    expected: Place3 | None = None
    found: Place3 | None = None
    text: str = ""


@dataclass(slots=True)
class Tally:
    """The findings of one part of the work; those of all parts are added up."""

    read: Counter[str] = field(default_factory=Counter)
    """Records by topic."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By topic and: derived, equal, repeats, pending, taken."""
    unchecked: Counter[str] = field(default_factory=Counter)
    """By reason, a sentence for a person."""
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Differences by topic and what."""
    differences: list[Difference] = field(default_factory=list)
    repeats: list[Place3] = field(default_factory=list)
    causes: dict[tuple[str, int], int] = field(default_factory=dict)
    """By partition of inputs: the largest offset that anything names as its cause."""
    made: dict[Wanted, list[Record]] = field(default_factory=dict)
    """Records that follow from inputs, where somebody asked to see them."""

    def differs(self, difference: Difference) -> None:
        """Count a difference, and keep it if it is among the first."""
        self.wrong[difference.topic, difference.what] += 1
        self.differences.append(difference)
        if len(self.differences) >= 2 * KEPT_MAX:
            self._cut()

    def repeated(self, place: Place3) -> None:
        """Count a record that was written again with the same content."""
        self.counts[place[0], "repeats"] += 1
        if len(self.repeats) < KEPT_MAX:
            self.repeats.append(place)

    def caused(self, topic: str, partition: int, offset: int) -> None:
        """Somebody names this input as a cause."""
        place = (topic, partition)
        if offset > self.causes.get(place, -1):
            self.causes[place] = offset

    def add(self, other: "Tally") -> None:
        """Take in the findings of another part."""
        self.read += other.read
        self.counts += other.counts
        self.unchecked += other.unchecked
        self.wrong += other.wrong
        self.differences += other.differences
        self._cut()
        self.repeats = sorted({*self.repeats, *other.repeats})[:KEPT_MAX]
        for place, offset in other.causes.items():
            self.causes[place] = max(offset, self.causes.get(place, -1))

    def _cut(self) -> None:
        self.differences.sort(key=lambda one: (one.at_ms, one.topic, one.what, one.number))
        del self.differences[KEPT_MAX:]
