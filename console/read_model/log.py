"""What the read model and the API ask of the log. Handed in; nothing here knows Kafka."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Protocol

from schemas.topics import DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_JOURNAL, Topic

FOLLOWED: tuple[Topic, ...] = (DECISIONS, RUN_JOURNAL, PUBLICATIONS, DEAD_LETTERS)
"""Topics that the read model is made of. Alerts are known by their decisions, and fetched when one is
shown.
"""

Place = tuple[str, int]
"""A topic (without prefix) and a partition."""


class LogRecord(Protocol):
    """One message as it lies on a topic."""

    @property
    def topic(self) -> str:
        """Topic without prefix."""

    @property
    def partition(self) -> int: ...

    @property
    def offset(self) -> int: ...

    @property
    def at_ms(self) -> int:
        """The broker's timestamp."""

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes | None: ...


class Log(Protocol):
    """The followed topics, as somebody who only reads sees them."""

    async def topic_ids(self) -> Mapping[str, str]:
        """Topic to the id its broker gave it: another id is another topic of the same name."""

    async def ends(self) -> Mapping[Place, int]:
        """Next offset of every partition that holds any record: the present end."""

    def follow(self, positions: Mapping[Place, int], /) -> AsyncGenerator[Sequence[LogRecord], None]:
        """On and on from `positions` (where none is given: from the oldest), in batches."""


class Archive(Protocol):
    """All topics, for single records."""

    async def at(self, topic: str, partition: int, offset: int) -> LogRecord | None:
        """The record at one place; None where it is gone."""
