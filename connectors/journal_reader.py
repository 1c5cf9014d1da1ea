"""Reads the journal of one run, for a worker whose row of it is stale. Rare: it reads a whole partition."""

from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from aiokafka.partitioner import murmur2

from connectors.event_log import EventLogReader
from schemas.events import JournalRecord
from schemas.topics import RUN_JOURNAL


class JournalReader:
    """The journal of a prefix. A run's records are all in one partition; the brokers say how many there
    are.
    """

    def __init__(self, kafka: Mapping[str, Any], prefix: str) -> None:
        self._log = EventLogReader(kafka, (RUN_JOURNAL,), prefix)

    async def records_of(self, run_id: str) -> list[JournalRecord]:
        """All journal records of a run, in order of seq. A repeat is dropped, but not one with other content:
        that is an alarm, and the caller's to raise. Raises NotReachable.
        """
        key = run_id.encode()
        found: dict[int, list[JournalRecord]] = {}
        partitions = (await self._log.partition_counts())[RUN_JOURNAL.name]
        place = (RUN_JOURNAL.name, (murmur2(key) & 0x7FFFFFFF) % partitions)
        ends = {at: end for at, end in (await self._log.ends()).items() if at == place}
        async with aclosing(self._log.read(None, ends)) as batches:
            async for batch in batches:
                for entry in batch:
                    if entry.key == key and isinstance(entry.record, JournalRecord):
                        told = found.setdefault(entry.record.seq, [])
                        if entry.record not in told:
                            told.append(entry.record)
        return [record for seq in sorted(found) for record in found[seq]]
