"""Messages as they are: no Faust codec between Kafka and an agent, and no sensor that counts what nobody
reads.

A message without a value, which Faust's codecs refuse (acking it on the way), reaches the agent like any
other.
"""

from typing import Any

import faust
from faust import Schema
from faust.sensors import Monitor
from faust.types import Message


class RawSchema(Schema[bytes, bytes]):
    """Hands messages on undecoded; nothing about one can be wrong here."""

    def compile(self, app: Any, **_: Any) -> Any:
        """The function that makes an event of a message."""
        event = faust.Event

        async def decode(message: Message, *, propagate: bool = False) -> Any:
            return event(app, message.key, message.value, None, message)

        return decode


def raw_topic(app: faust.App, name: str) -> Any:
    """A topic whose messages reach their agent undecoded."""
    schema = RawSchema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    return app.topic(name, schema=schema)


class QuietMonitor(Monitor):
    """Faust's monitor without its work for each message; our numbers are in `streams.metrics`."""

    def on_message_in(self, tp: Any, offset: int, message: Any) -> None:
        """Count nothing."""

    def on_stream_event_in(self, tp: Any, offset: int, stream: Any, event: Any) -> None:
        """Count nothing."""

    def on_stream_event_out(self, tp: Any, offset: int, stream: Any, event: Any, state: Any = None) -> None:
        """Count nothing."""

    def on_message_out(self, tp: Any, offset: int, message: Any) -> None:
        """Count nothing."""
