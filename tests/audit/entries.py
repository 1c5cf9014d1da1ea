"""Records as entries of a log, one after the other."""

from collections.abc import Iterable

from connectors.event_log import Entry
from schemas.codec import encode
from schemas.fields import Record
from schemas.topics import Topic

FIRST_MS = 1_764_000_000_000


def entries_of(
    topic: Topic, records: Iterable[Record | bytes], partition: int = 0, key: bytes | None = None
) -> list[Entry]:
    """One entry a second, from `FIRST_MS`. Bytes are taken as they are."""
    return [
        Entry(
            topic.name,
            partition,
            offset,
            FIRST_MS + offset * 1_000,
            key,
            record if isinstance(record, bytes) else encode(record),
            (),
        )
        for offset, record in enumerate(records)
    ]
