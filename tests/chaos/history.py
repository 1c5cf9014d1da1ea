"""Everything that is left of a time of chaos: topics, changelogs, calls, posts, and what was promised to
whom.

Data only. It is gathered from a real world (`gathering`) or made up (`honest`); `checking` judges it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    now_ms: int = 0
    disturbed: bool = True
    """Whether anything was killed, stopped or broken: else there is no reason for any repeat."""

    def of(self, topic: str) -> Sequence[Entry]:
        """The entries of a topic; none where there are none."""
        return self.topics.get(topic, ())
