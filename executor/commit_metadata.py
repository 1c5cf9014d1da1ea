"""The metadata of a commit: which offsets beyond the committed one are finished. Pure.

The text is `1` and the kind, then unpadded URL-safe base64 of either
- `r`: lengths of runs as LEB128 numbers, in turn not finished and finished, from the committed offset on;
- `b`: a bitmap, lowest bit first: bit i is set where committed offset + i is finished.
Whichever holds more finished offsets, then whichever is shorter. What does not fit is left out: it counts as
not finished. Text that we cannot read says nothing.
"""

import base64
import binascii
from collections.abc import Sequence

Interval = tuple[int, int]
"""Offsets from the first, inclusive, to the second, exclusive."""

CHARS_MAX = 4_096
"""A broker's default `offset.metadata.max.bytes`."""
_BYTES_MAX = (CHARS_MAX - 2) * 3 // 4
_VERSION = "1"


def encoded(finished: Sequence[Interval], offset: int) -> str:
    """The text for finished intervals (disjoint, rising, none below `offset`); empty for none."""
    if not finished:
        return ""
    runs, runs_hold = _as_runs(finished, offset)
    bits, bits_hold = _as_bitmap(finished, offset)
    if (bits_hold, -len(bits)) > (runs_hold, -len(runs)):
        kind, data = "b", bits
    else:
        kind, data = "r", runs
    return f"{_VERSION}{kind}{base64.urlsafe_b64encode(data).decode().rstrip('=')}"


def decoded(text: str, offset: int) -> tuple[Interval, ...]:
    """The finished intervals beyond the committed `offset`; none where the text is not ours or is damaged."""
    if len(text) < 3 or len(text) > CHARS_MAX or text[0] != _VERSION:
        return ()
    try:
        data = base64.b64decode(text[2:] + "=" * (-len(text[2:]) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return ()
    match text[1]:
        case "r":
            return _from_runs(data, offset)
        case "b":
            return _from_bitmap(data, offset)
        case _:
            return ()


def _as_runs(finished: Sequence[Interval], offset: int) -> tuple[bytes, int]:
    """The runs that fit, and how many finished offsets they hold."""
    data, held, at = bytearray(), 0, offset
    for start, stop in finished:
        pair = _leb128(start - at) + _leb128(stop - start)
        if len(data) + len(pair) > _BYTES_MAX:
            break
        data += pair
        held += stop - start
        at = stop
    return bytes(data), held


def _from_runs(data: bytes, offset: int) -> tuple[Interval, ...]:
    lengths, number, shift = [], 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            lengths.append(number)
            number, shift = 0, 0
    finished, at = [], offset
    for gap, run in zip(lengths[::2], lengths[1::2], strict=False):
        if run:
            finished.append((at + gap, at + gap + run))
        at += gap + run
    return tuple(finished)


def _as_bitmap(finished: Sequence[Interval], offset: int) -> tuple[bytes, int]:
    """The part of the bitmap that fits, and how many finished offsets it holds."""
    bound = offset + _BYTES_MAX * 8
    bits, held, last = 0, 0, offset
    for start, stop in finished:
        stop = min(stop, bound)
        if start >= stop:
            break
        bits |= ((1 << (stop - start)) - 1) << (start - offset)
        held += stop - start
        last = stop
    return bits.to_bytes((last - offset + 7) // 8, "little"), held


def _from_bitmap(data: bytes, offset: int) -> tuple[Interval, ...]:
    bits = bin(int.from_bytes(data, "little"))[:1:-1]
    finished, at = [], 0
    while (start := bits.find("1", at)) >= 0:
        stop = bits.find("0", start)
        at = stop if stop >= 0 else len(bits)
        finished.append((offset + start, offset + at))
    return tuple(finished)


def _leb128(number: int) -> bytes:
    data = bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)
