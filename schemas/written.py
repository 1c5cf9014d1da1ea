"""A record as the bytes that may be written, or why it cannot be: the one check before anything is sent."""

from schemas.codec import encode
from schemas.errors import MalformedMessage
from schemas.fields import Record


class Unwritable(Exception):
    """A record that cannot be written: it is too large, or a value in it has no written form."""


def written(record: Record, bytes_max: int) -> bytes:
    """The record as bytes. Raises Unwritable, with the reason for a person."""
    try:
        value = encode(record)
    except MalformedMessage as wrong:
        raise Unwritable(f"a {type(record).__name__} has no written form: {wrong}") from wrong
    if len(value) > bytes_max:
        name = type(record).__name__
        raise Unwritable(f"a {name} has {len(value)} bytes; at most {bytes_max} are written")
    return value
