"""Encoded records of a known kind."""

from typing import TypeVar

from schemas import codec

T = TypeVar("T")


def decoded(raw: bytes, kind: type[T]) -> T:
    """The record. Raises TypeError for one of another kind, SchemasError for none."""
    record = codec.decode(raw)
    if not isinstance(record, kind):
        raise TypeError(f"a {type(record).__name__} where a {kind.__name__} belongs")
    return record
