"""The partition count of a prefix: fixed, kept in the catalog as a switch, compared at every start.

A worker that counts differently looks for a run's records in the wrong partition, so no process works with a
count that catalog, brokers and settings do not agree on. A catalog from before the switch: the brokers' count
alone is compared.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing

from connectors.errors import ConnectorError
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topics_admin import count_problems, planned_topics
from schemas.catalog import SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG
from settings import Settings

log = logging.getLogger(__name__)

SWITCH = "partitions"
SWITCH_KEY = f"switch/{SWITCH}"
AGAIN_S = 1.0
"""Pause before a Kafka that did not answer is asked again."""


class PartitionsDiffer(Exception):
    """The count of the settings is not that of the prefix; the message says what to set."""


async def must_fit(settings: Settings) -> None:
    """Raises PartitionsDiffer, and ConnectorError where Kafka or the catalog cannot be asked."""
    planned = planned_topics(settings.topic_prefix, settings.partitions, 1)
    if wrong := await count_problems(settings.kafka_options(), planned):
        raise PartitionsDiffer(wrong[0])
    if wrong := kept_problems(settings, await kept_count(settings)):
        raise PartitionsDiffer(wrong[0])


async def must_fit_once_known(settings: Settings, note: Callable[[str], None]) -> None:
    """The same, however long Kafka is away; `note` is told what it waits for. Raises PartitionsDiffer."""
    while True:
        try:
            return await must_fit(settings)
        except ConnectorError as error:
            log.warning("the partition count cannot be compared yet: %s", error)
            note(str(error))
            await asyncio.sleep(AGAIN_S)


def kept_problems(settings: Settings, kept: object) -> list[str]:
    """A sentence where the catalog has another count than the settings; None is no count."""
    if kept is None or kept == settings.partitions:
        return []
    return [
        f"the catalog says that the topics of {settings.topic_prefix} have {kept} partitions, not "
        f"{settings.partitions}: the count is fixed once records are there; set PULSEBOOK_PARTITIONS to what "
        "it is, or take a new PULSEBOOK_TOPIC_PREFIX"
    ]


async def kept_count(settings: Settings) -> object:
    """What the catalog says; None where it says nothing, or is not there. Raises ConnectorError."""
    found: object = None
    catalog = EventLogReader(settings.kafka_options(), (CATALOG,), settings.topic_prefix)
    async with aclosing(catalog.read()) as batches:
        async for batch in batches:
            for entry in batch:
                if entry.key == SWITCH_KEY.encode() and isinstance(entry.record, SwitchSet):
                    found = entry.record.value
    return found


async def keep_count(settings: Settings) -> None:
    """Write the count of the settings into a catalog that has none. Raises PartitionsDiffer,
    ConnectorError.
    """
    kept = await kept_count(settings)
    if wrong := kept_problems(settings, kept):
        raise PartitionsDiffer(wrong[0])
    if kept is None:
        change = SwitchSet(
            actor="topics create",
            at_ms=time.time_ns() // 1_000_000,
            reason="fixed for this prefix",
            name=SWITCH,
            value=settings.partitions,
        )
        async with EventLogWriter(settings.kafka_options(), settings.topic_prefix) as writer:
            await writer.send(Outgoing(CATALOG, SWITCH_KEY, change))
