"""One value of a payload to what an alert keeps: text, a time, tags; and what counts as absent. Total
functions.
"""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

_ABSENT_WORDS = frozenset({"", "null", "none"})
_ABSENT_LETTERS_MAX = 64
_PLACEHOLDER = re.compile(r"\$[A-Z][A-Z0-9_]*(?:\[[^\[\]]*\])?\Z")
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,9})?\Z")
_SECONDS_BELOW = 10**11
"""A smaller number is in seconds: as milliseconds it would be before March 1973."""
_MICROS_FROM = 10**14
_NANOS_FROM = 10**17
_TIME_MS_MAX = 253_402_300_799_999
"""The end of the year 9999."""


def is_absent(value: Any) -> bool:
    """Whether a value says nothing: null, "", "null", "None", [], {}, or an unfilled variable (`$NAME`)."""
    if not isinstance(value, str):
        return value is None or value == [] or value == {}
    if len(value) > _ABSENT_LETTERS_MAX:
        return not value.strip()
    word = value.strip()
    return word.lower() in _ABSENT_WORDS or (word[0] == "$" and _PLACEHOLDER.match(word) is not None)


def text_of(value: Any) -> str:
    """The value as text without blanks around; "" where it is absent; nested JSON as JSON text."""
    if isinstance(value, str):
        return "" if is_absent(value) else value.strip()
    if is_absent(value):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))  # an id that went through JavaScript
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _json.encode(value).decode()


def time_ms_of(value: Any) -> int:
    """Epoch milliseconds of a number in (milli-, micro-, nano-) seconds or an ISO 8601 text; else 0."""
    text = text_of(value)
    if _NUMBER.match(text):
        whole, _, rest = text.partition(".")
        number = int(whole)
        if number < _SECONDS_BELOW:
            return number * 1000 + int((rest + "000")[:3])
        if number >= _NANOS_FROM:
            return number // 1_000_000
        return number // 1000 if number >= _MICROS_FROM else number
    try:
        at = datetime.fromisoformat(text)
        at_ms = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
    return at_ms if 0 < at_ms <= _TIME_MS_MAX else 0


def tags_of(value: Any) -> tuple[str, ...]:
    """Tags as they came and in their order: from `a:b, c`, a list, or an object. Absent ones are left out."""
    if isinstance(value, str):
        return () if is_absent(value) else _split(value)
    if isinstance(value, list):
        return tuple(tag for item in value for tag in tags_of(item))
    if isinstance(value, dict):
        return tuple(tag for key, item in value.items() for tag in _tags_of_key(key.strip(), item))
    return (text,) if (text := text_of(value)) else ()


def split_tag(tag: str) -> tuple[str, str]:
    """Key and value of a tag: the value is all after the first `:`, and "" for a bare tag."""
    key, _, value = tag.partition(":")
    return key.strip(), value.strip()


def _tags_of_key(key: str, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [f"{key}:{text}" if (text := text_of(item)) else key for item in values if key]


def _split(text: str) -> tuple[str, ...]:
    return tuple(tag for part in text.split(",") if _says_something(tag := part.strip()))


def _says_something(tag: str) -> bool:
    """Not so: an empty one, `null`, and one whose variable was not filled in (`team:$TAGS[team]`)."""
    return not (is_absent(tag) or ("$" in tag and _PLACEHOLDER.match(split_tag(tag)[1])))


_json = msgspec.json.Encoder(order="deterministic")
