"""Lists in pages, the latest first: a cursor says where the page before it ended, whatever came in since."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

LIMIT = 50
LIMIT_MAX = 200
Mark = list[int | str]
"""Sort values of the last row of a page: its time, then what tells rows of one time apart."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list. `next`: the cursor of the next page; null when this is the last."""

    items: list[T]
    next: str | None = None


class BadCursor(ValueError):
    """The cursor is none that this API gave out."""


def encode_cursor(mark: Sequence[int | str]) -> str:
    """A cursor for the page after the row with these sort values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(list(mark))).decode().rstrip("=")


def decode_cursor(cursor: str, like: Sequence[type]) -> Mark:
    """The sort values in a cursor, of the types `like`. Raises BadCursor."""
    try:
        mark = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Mark)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise BadCursor("the cursor is none that this API gave out") from error
    if [type(each) for each in mark] != list(like):
        raise BadCursor("the cursor belongs to another list")
    return mark


def page(rows: Sequence[Any], limit: int, mark: Callable[[Any], Mark], item: Callable[[Any], T]) -> Page[T]:
    """A page of up to `limit` of `rows`, of which there is one more where another page follows."""
    shown = rows[:limit]
    following = encode_cursor(mark(shown[-1])) if len(rows) > limit else None
    return Page(items=[item(row) for row in shown], next=following)
