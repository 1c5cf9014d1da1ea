"""What every part of an audit must know beforehand: how far each partition goes, and what is settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit.log import Place

SKEW_MS = 60_000
"""How far the clocks of two brokers may be apart, and how late a timer may be."""


@dataclass(frozen=True, slots=True)
class Positions:
    """What the consumer groups have committed: read before anything else. Places without a word are absent.

    `members`: how many processes work in the processor's group now.
    """

    processor: Mapping[Place, int] = field(default_factory=dict)
    sink: Mapping[Place, int] = field(default_factory=dict)
    members: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """All times are epoch ms, all topics without prefix."""

    bounds: Mapping[Place, tuple[int, int]]
    """First offset that is kept, and next offset, read after `settled`: outputs of what is settled are
    before it."""
    ends: Mapping[Place, int]
    """Next offset of every partition, read last: inputs of all those outputs are before it."""
    settled: Mapping[Place, int]
    """Before it, whoever works on the topic is done: the processor, of `run-journal` the sink."""
    begins_ms: Mapping[Place, int]
    """Of partitions that lost their beginning: the time of the first record that is kept, or now."""
    now_ms: int
    buckets: int
    since_ms: int | None = None
    until_ms: int | None = None
    working: bool = True
    """Whether anybody is there who would send a timer that is due."""
    judged_until_ms: int | None = None
    """Of what is later, nothing is missed and nothing is too much: the partitions of an exported file do not
    end at one instant, so an input may be there without all that followed, or the other way round."""
    only: str = ""
    """The one run that is looked at; empty: everything."""

    @property
    def output_ends(self) -> Mapping[Place, int]:
        """Next offset of every partition as one of outputs."""
        return {place: end for place, (_, end) in self.bounds.items()}

    def start(self, topic: str, partition: int) -> int:
        """The first offset that is kept."""
        return self.bounds.get((topic, partition), (0, 0))[0]

    def within(self, at_ms: int) -> bool:
        """Whether a time lies in the period that is asked for."""
        if self.since_ms is not None and at_ms < self.since_ms:
            return False
        return self.until_ms is None or at_ms < self.until_ms

    def is_judged(self, at_ms: int) -> bool:
        """Whether what stands beside a record of this time is there for certain."""
        return self.judged_until_ms is None or at_ms <= self.judged_until_ms

    def is_trimmed(self, topic: str) -> bool:
        """Whether any partition of the topic lost its beginning."""
        return any(name == topic for name, _ in self.begins_ms)

    def begins_by_ms(self, topic: str) -> int:
        """After this time, no partition of the topic lost anything."""
        return max((at_ms for (name, _), at_ms in self.begins_ms.items() if name == topic), default=-1)
