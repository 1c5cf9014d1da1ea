"""JSON text to a value, with the leniency that alerts need. What is no JSON even so goes to
`engine.alert.repairing`.

Lenient in four things, because Datadog does not escape what it fills in, and others write what Python or
JavaScript calls JSON: control characters inside strings; `NaN` and `Infinity` (kept as text); integers beyond
64 bits (kept as text); a JSON text inside a JSON string (opened, once).
"""

import json
from typing import Any

import msgspec

from engine.alert.bounding import DEPTH_MAX
from engine.alert.repairing import repaired
from engine.alert.unparsable import Unparsable

TOO_DEEP = f"nested deeper than {DEPTH_MAX} levels"
_INT_LETTERS_MAX = 4_000
"""Longest integer that Python reads; what is beyond 64 bits becomes text in `engine.alert.bounding`."""


def json_value(text: str) -> Any | Unparsable:
    """The value of a JSON text, mended where that is unambiguous. Unparsable names line and column."""
    value = _parsed(text)
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        value = _parsed(value)
    return value


def fast_value(body: bytes) -> Any:
    """The value of well-formed JSON in UTF-8, at C speed. Raises ValueError or RecursionError on all else."""
    try:
        return _fast.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def _parsed(text: str) -> Any | Unparsable:
    try:
        return _decoder.decode(text)
    except RecursionError:
        return Unparsable(TOO_DEEP)
    except json.JSONDecodeError as error:
        mended = repaired(text)
        if not isinstance(mended, Unparsable):
            return mended
        where = f"line {error.lineno}, column {error.colno}"
        return Unparsable(
            f"not JSON: {error.msg.removesuffix(' at')} at {where}; not mended: {mended.problem}"
        )


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _INT_LETTERS_MAX else digits


_decoder = json.JSONDecoder(strict=False, parse_int=_integer, parse_constant=str)
_fast = msgspec.json.Decoder()
