"""Reads the inputs of admission again, for a worker whose rows of a playbook are stale. Rare: it reads a
whole partition.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from connectors.event_log import Entry, EventLogReader
from schemas.topics import ADMISSIONS


class AdmissionsReader:
    """The topic `admissions` of a prefix."""

    def __init__(self, kafka: Mapping[str, Any], prefix: str) -> None:
        self._log = EventLogReader(kafka, (ADMISSIONS,), prefix)

    async def inputs(self, partition: int, until: int) -> AsyncGenerator[list[Entry], None]:
        """What a partition still has before the offset `until`, in order, in batches. Raises NotReachable."""
        async with aclosing(self._log.read(None, {(ADMISSIONS.name, partition): until})) as batches:
            async for batch in batches:
                yield batch
