"""Makes any decoded JSON value safe to keep: in a row (64-bit integers), on Kafka (Unicode), in a record's
size.

Total but for `TooDeep`. What is changed stays readable: a number too large becomes its text, a broken
character U+FFFD.
"""

from typing import Any

import msgspec

from schemas.alerts import Alert

DEPTH_MAX = 50
"""Deepest nesting of a payload."""
ALERT_BYTES_MAX = 262_144
"""Largest normalised alert: four of them fit into any record, two into a row. The raw body is kept as it
came.
"""
_CUTS_CHARS = (32_768, 8_192, 2_048, 512)
_TAGS_MAX = 500
_INT_BOUND = 2**63


class TooDeep(Exception):
    """The value is nested deeper than `DEPTH_MAX`."""


def tamed(value: Any, depth: int = DEPTH_MAX) -> Any:
    """The value with Unicode text, finite numbers and 64-bit integers only. Raises TooDeep."""
    if isinstance(value, str):
        return value if value.isascii() else _unicode(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_INT_BOUND <= value < _INT_BOUND else _digits(value)
    if isinstance(value, float):
        return value if value - value == 0.0 else _not_finite(value)
    if not depth:
        raise TooDeep
    if isinstance(value, dict):
        texts = ((key if isinstance(key, str) else str(key), item) for key, item in value.items())
        return {tamed(key): tamed(item, depth - 1) for key, item in texts}
    if isinstance(value, list | tuple):
        return [tamed(item, depth - 1) for item in value]
    return str(value)


def fitting(alert: Alert) -> Alert:
    """The alert within `ALERT_BYTES_MAX`: its longest texts are cut, with a mark, until it fits."""
    if _size_bytes(alert) <= ALERT_BYTES_MAX:
        return alert
    for chars_max in _CUTS_CHARS:
        alert = _cut_alert(alert, chars_max)
        if _size_bytes(alert) <= ALERT_BYTES_MAX:
            return alert
    note = "[cut: the metadata has too many values; the raw body is kept]"
    return msgspec.structs.replace(alert, metadata={"_cut": note}, tag_list=alert.tag_list[:_TAGS_MAX])


def _cut_alert(alert: Alert, chars_max: int) -> Alert:
    fields = {name: _cut(getattr(alert, name), chars_max) for name in alert.__struct_fields__}
    return msgspec.structs.replace(alert, **fields | {"tag_list": tuple(fields["tag_list"])})


def _cut(value: Any, chars_max: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= chars_max else f"{value[:chars_max]} [cut: {len(value)} characters]"
    if isinstance(value, dict):
        return {_cut(key, chars_max): _cut(item, chars_max) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(item, chars_max) for item in value]
    return value


def _size_bytes(alert: Alert) -> int:
    return len(_encoder.encode(alert))


def _unicode(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _not_finite(number: float) -> str:
    """As JavaScript writes it, and as the JSON reader hands it on."""
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def _digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:  # Python refuses to write more than 4300 digits
        return "[a number of thousands of digits]"


_encoder = msgspec.msgpack.Encoder()
