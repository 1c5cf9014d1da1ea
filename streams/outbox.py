"""Sending records: to bytes, to the topic of this prefix, straight to the producer, without Faust's per-
message work.

`prepared` turns records into bytes and can fail; `send` cannot but for broken infrastructure, which ends the
process. So an agent knows that all of an input's records can be written before it sends the first.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from faust.types.tuples import RecordMetadata

from schemas.outgoing import Outgoing
from schemas.written import Unwritable, written
from streams.hardened.producer import NO_HEADERS, Headers

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

__all__ = ["Outbox", "Prepared", "Sent", "Unwritable"]

Sent = asyncio.Future[RecordMetadata]


class Prepared(NamedTuple):
    """A record as bytes. `partition` None: that of its key."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: Headers = NO_HEADERS


class Outbox:
    """Where the agents of one app send to."""

    def __init__(self, app: "HardenedApp", prefix: str, record_bytes_max: int) -> None:
        self._app = app
        self.prefix = prefix
        self._record_bytes_max = record_bytes_max

    def prepared(self, records: Iterable[Outgoing]) -> list[Prepared]:
        """Records as bytes. Raises Unwritable, with the reason for a person."""
        return [
            Prepared(
                self.prefix + one.topic.name, one.key.encode(), written(one.record, self._record_bytes_max)
            )
            for one in records
        ]

    async def send(self, ready: Iterable[Prepared]) -> list[Sent]:
        """Send in order. Each future resolves when all in-sync replicas have its record."""
        await self._app.lease.ready()
        producer = self._app.strict_producer
        return [
            await producer.put(
                record.topic, record.key, record.value, partition=record.partition, headers=record.headers
            )
            for record in ready
        ]
