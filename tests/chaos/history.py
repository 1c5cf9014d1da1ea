"""Everything that is left of a time of chaos: topics, changelogs, calls, posts, and what was promised to
whom.

Data only. It is gathered from a real world (`gathering`) or made up (`honest`); `checking` judges it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.event_log import Entry
from engine.admission.situation import Situation

TABLES = {
    "processor-matched-changelog": "alerts",
    "processor-admissions-changelog": "admissions",
    "processor-runs-changelog": "run-inbox",
    "sink-notified-changelog": "run-journal",
}
"""Each table's changelog and the topic of its inputs."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached a target. `key`: run/step/attempt."""

    key: str
    method: str
    path: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Something was killed, stopped, joined or broken. `kind`: of process, or `broker`; from when on, and
    until its last consequence (partitions that move again, say) must have come.
    """

    kind: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class History:
    """What is left, once all is quiet."""

    topics: Mapping[str, Sequence[Entry]]
    """By topic without prefix, changelogs too; each partition in its order."""
    situation: Situation
    """What the processors were given."""
    accepted: frozenset[str] = frozenset()
    """Alert ids that a webhook answered with 202."""
    produced: frozenset[tuple[int, int]] = frozenset()
    """Partition and offset of what a producer of alerts got an acknowledgement for."""
    calls: Sequence[Call] = ()
    posts: Sequence[Sequence[str]] = ()
    """The tags of each event that Datadog's stand-in has."""
    answered: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By run and step: the choice that was accepted as a person's answer."""
    recovered: frozenset[str] = frozenset()
    """Runs whose alert has recovered, as was accepted."""
    now_ms: int = 0
    disturbances: Sequence[Disturbance] = ()
    """What was done to it: beyond that there is no reason for any repeat."""

    def of(self, topic: str) -> Sequence[Entry]:
        """The entries of a topic; none where there are none."""
        return self.topics.get(topic, ())
