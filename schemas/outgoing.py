"""A record on its way to a topic: what the pure engine asks the shell to send."""

from dataclasses import dataclass

from schemas.fields import Record
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Send `record` to `topic` under `key`."""

    topic: Topic
    key: str
    record: Record


@dataclass(frozen=True, slots=True)
class AsItCame:
    """Bytes for `topic` as somebody else wrote them. `partition` None: the one of the key."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """Where an input stands: topic (without prefix), partition, offset, and the broker's timestamp."""

    topic: str
    partition: int
    offset: int
    at_ms: int
