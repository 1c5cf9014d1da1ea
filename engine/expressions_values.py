"""How JSON values go into an expression and come out of it, and what our own functions do. No CEL here.

In: a NUL or half a surrogate pair inside text becomes U+FFFD (the library would cut the text there), a whole
number beyond 64 bits becomes text (as a double it would be another number), nesting is bounded. Out: only
what JSON knows; keys in sorted order, for the order of a map differs from process to process.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

DEPTH_MAX = 100
"""Levels of lists and maps in a value; the library's stack ends at some thousands."""
_INT_BOUND, _UINT_BOUND = 2**63, 2**64


class NotJson(ValueError):
    """A value that JSON does not know. The message says what it is and what to do."""


def going_in(value: Any, depth: int = 0) -> Any:
    """A JSON value as the library may see it. Raises NotJson where it is too deep or no JSON value."""
    kind = type(value)
    if kind is str:
        return clean_text(value)
    if kind is dict or kind is list or kind is tuple:
        if depth >= DEPTH_MAX:
            raise NotJson(f"a value has more than {DEPTH_MAX} levels of lists and maps")
        if kind is dict:
            return {clean_text(str(key)): going_in(item, depth + 1) for key, item in value.items()}
        return [going_in(item, depth + 1) for item in value]
    if kind is int:
        return value if -_INT_BOUND <= value < _UINT_BOUND else str(value)
    if value is None or kind is float or kind is bool:
        return value
    raise NotJson(f"{kind.__name__} is not a JSON value")


def clean_text(text: str) -> str:
    """The text without what the library cannot hold."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def split_tags(tags: Any) -> tuple[dict[str, str], list[str]]:
    """A tag map as text to text, and the keys with several values (given as lists; joined by commas)."""
    if not isinstance(tags, Mapping):
        raise NotJson(f"tags are {type(tags).__name__}, not a map")
    single: dict[str, str] = {}
    several: list[str] = []
    for key, value in tags.items():
        if isinstance(value, list | tuple):
            if len(value) != 1:
                several.append(key)
            value = ",".join(str(one) for one in value)
        single[clean_text(key)] = clean_text(str(value))
    return single, several


def coming_out(value: Any, opened: Callable[[Any], Any] = lambda value: value) -> Any:
    """The library's value as a JSON value with sorted keys. Raises NotJson.

    `opened` takes the library's wrapping off one value.
    """
    value = opened(value)
    kind = type(value)
    if kind is str or kind is bool or kind is int or value is None:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        raise NotJson(f"the result is {value}, which JSON does not know")
    if kind is list:
        return [coming_out(item, opened) for item in value]
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise NotJson("the result is a map whose keys are not text")
        return {key: coming_out(value[key], opened) for key in sorted(value)}
    raise NotJson(f"the result is {_WORDS.get(kind.__name__, kind.__name__)}: make text of it with string()")


_WORDS = {
    "bytearray": "bytes",
    "bytes": "bytes",
    "timedelta": "a duration",
    "datetime": "a timestamp",
    "Type": "a type",
}


def sorted_keys(items: dict[Any, Any]) -> list[Any]:
    """The keys of a map, sorted, whatever they are."""
    return sorted(items, key=lambda key: (type(key).__name__, key))


def sorted_entries(items: dict[str, Any]) -> list[dict[str, Any]]:
    """`entries(m)`: a list of `{key, value}`, sorted by key."""
    return [{"key": key, "value": items[key]} for key in sorted(items)]


def as_json(value: Any) -> str:
    """`json(v)`: compact JSON text with sorted keys."""
    return msgspec.json.encode(coming_out(value), order="sorted").decode()


def as_text(value: Any) -> str:
    """A value inside longer text: null is nothing, 3.0 is `3`, lists and maps are JSON."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value) if isinstance(value, int | float) else as_json(value)
