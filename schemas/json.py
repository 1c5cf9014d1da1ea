"""JSON text as it is kept in records: UTF-8, compact, keys sorted, so that equal values have equal bytes.

Only what JSON can say is accepted; nothing is silently turned into something else. No records here, no Avro.
"""

from typing import Any

import msgspec

from schemas.errors import MalformedMessage

DEPTH_MAX = 200
"""Deepest nesting of arrays and objects that is written: the same everywhere, far below the stack."""
INT_DIGITS_MAX = 300
"""Longest integer: beyond, readers see a number out of range (a double ends at 1.8e308)."""

_WORD = 2**63
"""Numbers below it need no closer look."""
_INT_BOUND = 10**INT_DIGITS_MAX
_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder()


def canonical(value: Any) -> bytes:
    """The value as JSON bytes. Tuples are written as arrays.

    Raises MalformedMessage for a number that is not finite, a key that is no text, text that is not Unicode
    (a lone surrogate), a value that is no JSON, or nesting deeper than `DEPTH_MAX`.
    """
    _check(value, DEPTH_MAX)
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise MalformedMessage(f"not JSON: text that is not Unicode ({error.reason})") from error
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise MalformedMessage(f"not JSON: {error}") from error


def parsed(text: bytes | str) -> Any:
    """The value of a JSON text. Raises MalformedMessage."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        raise MalformedMessage(f"not JSON: {error}") from error


def size_bytes(value: Any) -> int:
    """How many bytes the value is as canonical JSON. Raises MalformedMessage."""
    return len(canonical(value))


def _check(value: Any, depth: int) -> None:
    """Refuse what the encoder would write as something else (NaN as null, bytes as base64, dates as text)."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if isinstance(value, dict):
        if not depth:
            raise MalformedMessage(f"not JSON: nested deeper than {DEPTH_MAX}")
        for key, item in value.items():
            if not isinstance(key, str):
                raise MalformedMessage(f"not JSON: a key of type {type(key).__name__}; keys are text")
            kind = type(item)
            if kind is not str and (kind is not int or not -_WORD < item < _WORD):
                _check(item, depth - 1)
    elif isinstance(value, list | tuple):
        if not depth:
            raise MalformedMessage(f"not JSON: nested deeper than {DEPTH_MAX}")
        for item in value:
            kind = type(item)
            if kind is not str and (kind is not int or not -_WORD < item < _WORD):
                _check(item, depth - 1)
    elif isinstance(value, float):
        if value - value != 0.0:
            raise MalformedMessage("not JSON: a number that is not finite (NaN or infinity)")
    elif isinstance(value, int):
        if not -_INT_BOUND < value < _INT_BOUND:
            raise MalformedMessage(f"not JSON: an integer of more than {INT_DIGITS_MAX} digits")
    elif not isinstance(value, str):
        raise MalformedMessage(f"not JSON: a value of type {kind.__name__}")
