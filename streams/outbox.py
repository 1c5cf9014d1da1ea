"""Sending records: to bytes, to the topic of this prefix, straight to the producer, without Faust's per-
message work.

`prepared` turns records into bytes and can fail; `send` cannot but for broken infrastructure, which ends the
process. So an agent knows that all of an input's records can be written before it sends the first.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from faust.types.tuples import RecordMetadata

from schemas.codec import encode
from schemas.errors import MalformedMessage
from schemas.outgoing import Outgoing
from streams.hardened.producer import NO_HEADERS, Headers

if TYPE_CHECKING:
    from streams.hardened.app import HardenedApp

Sent = asyncio.Future[RecordMetadata]


class Unwritable(Exception):
    """A record that cannot be written: it is too large, or a value in it has no written form."""


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
        ready = []
        for record in records:
            try:
                value = encode(record.record)
            except MalformedMessage as wrong:
                name = type(record.record).__name__
                raise Unwritable(f"a {name} has no written form: {wrong}") from wrong
            if len(value) > self._record_bytes_max:
                name = type(record.record).__name__
                raise Unwritable(
                    f"a {name} has {len(value)} bytes; at most {self._record_bytes_max} are written"
                )
            ready.append(Prepared(self.prefix + record.topic.name, record.key.encode(), value))
        return ready

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
