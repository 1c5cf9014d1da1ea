"""A message as an agent takes it: where it stands, what it says, and what is left of it when nobody can
handle it.
"""

import traceback
from collections.abc import Collection
from typing import Any

from faust.types import Message
from msgspec import Struct

from schemas.codec import decode, encode
from schemas.dead_letters import VALUE_BYTES_MAX, DeadLetter
from schemas.errors import MalformedMessage
from schemas.outgoing import Cause
from schemas.topics import DEAD_LETTERS, Topic
from streams.outbox import Prepared

HEADERS_BYTES_MAX = 64 * 1024


def cause_of(message: Message, topic: Topic) -> Cause:
    """Where an input stands, with the broker's timestamp in ms."""
    return Cause(topic.name, message.partition, message.offset, round(message.timestamp * 1000))


def key_of(message: Message) -> str:
    """The message's key as text. Raises MalformedMessage."""
    try:
        return (message.key or b"").decode()
    except UnicodeDecodeError:
        raise MalformedMessage("the key is not UTF-8 text") from None


def record_of(message: Message, topic: Topic) -> Struct:
    """The record of a message of `topic`. Raises MalformedMessage also for a record of another topic."""
    record = decode(message.value)
    if not isinstance(record, topic.records):
        raise MalformedMessage(f"a {type(record).__name__} on {topic.name}")
    return record


def key_checked(message: Message, *expected: str) -> None:
    """Raises MalformedMessage unless the key is one of `expected`: its place in the order would be wrong."""
    key = key_of(message)
    if key not in expected:
        raise MalformedMessage("the key is not that of the record")


def dead_letter(
    message: Message, cause: Cause, prefix: str, stage: str, reason: str, failure: BaseException | None = None
) -> Prepared:
    """The message as it came, for the dead letters, with the reason."""
    headers = headers_of(message)
    letter = DeadLetter(
        topic=cause.topic,
        partition=cause.partition,
        offset=cause.offset,
        at_ms=cause.at_ms,
        key=message.key,
        value=None if message.value is None else message.value[:VALUE_BYTES_MAX],
        headers=headers if _bytes_of(headers) <= HEADERS_BYTES_MAX else {},
        stage=stage,
        reason=reason,
        detail="" if failure is None else where(failure),
    )
    return Prepared(prefix + DEAD_LETTERS.name, message.key, encode(letter))


def where(failure: BaseException) -> str:
    """Type of an exception and where it was raised, without any values."""
    frames = traceback.extract_tb(failure.__traceback__)[-3:]
    places = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(failure).__name__} at {places}"


def headers_of(message: Message) -> dict[str, bytes]:
    """The message's headers; of several with one name the last."""
    found: Any = message.headers or ()
    pairs: Collection[tuple[str, bytes]] = found.items() if isinstance(found, dict) else found
    return {str(name): value or b"" for name, value in pairs}


def _bytes_of(headers: dict[str, bytes]) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())
