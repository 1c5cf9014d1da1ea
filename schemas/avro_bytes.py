"""The primitives of Avro's binary encoding that the generated functions of `schemas.avro_code` call.

Only the less usual paths come here: the generated code handles short texts and small numbers in line.
Avro 1.11 specification, "Binary encoding". Raises ValueError or IndexError; the codec maps them.
"""

import struct
from math import isfinite

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
_VARINT_BYTES_MAX = 10
_TIME_MIN, _TIME_MAX = 2**34, 2**41
"""In ms since 1970: from July of that year to September 2039."""
_double = struct.Struct("<d")


def long_bytes(value: int) -> bytes:
    """A number as a zig-zag varint."""
    if _TIME_MIN <= value < _TIME_MAX:  # times in ms: most numbers that come here, and always 6 bytes
        return bytes(
            (
                value << 1 & 127 | 128,
                value >> 6 & 127 | 128,
                value >> 13 & 127 | 128,
                value >> 20 & 127 | 128,
                value >> 27 & 127 | 128,
                value >> 34,
            )
        )
    if not LONG_MIN <= value <= LONG_MAX:
        raise ValueError("a whole number of more than 64 bits")
    rest = value << 1 if value >= 0 else ~(value << 1)
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    written.append(rest)
    return bytes(written)


SMALL = tuple(long_bytes(value) for value in range(1024))
"""Zig-zag varints of 0 to 1023, by value: most lengths, offsets within a run, and counts."""
SMALL_COUNT = len(SMALL)


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where it ends."""
    six = int.from_bytes(data[at : at + 6], "little")
    if six & 0x80_80_80_80_80_80 == 0x00_80_80_80_80_80 and at >= 0:  # 6 bytes: times in ms
        value = (
            six & 0x7F
            | six >> 1 & 0x3F80
            | six >> 2 & 0x1F_C000
            | six >> 3 & 0xFE0_0000
            | six >> 4 & 0x7_F000_0000
            | six >> 5 & 0x3F8_0000_0000
        )
        return (value >> 1) ^ -(value & 1), at + 6
    shift = value = 0
    for place in range(at, at + _VARINT_BYTES_MAX):
        byte = data[place]
        value |= (byte & 127) << shift
        if byte < 128:
            if value >> 64:
                break
            return (value >> 1) ^ -(value & 1), place + 1
        shift += 7
    raise ValueError("a number of more than 64 bits")


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """The length at `at`, which must fit into what is left, and where it ends."""
    length, at = read_long(data, at)
    if not 0 <= length <= len(data) - at:
        raise ValueError("a length beyond the end of the message")
    return length, at


def read_count(data: bytes, at: int) -> tuple[int, int]:
    """How many items the block at `at` has, and where they start. A negative count has its size behind it."""
    count, at = read_long(data, at)
    if count < 0:
        count = -count
        _, at = read_long(data, at)
    if count > len(data) - at:
        raise ValueError("more items than bytes")
    return count, at


def double_bytes(value: float) -> bytes:
    """A finite number as 8 bytes."""
    if not isfinite(value):
        raise ValueError("a number that is not finite (NaN or infinity)")
    return _double.pack(value)


def read_double(data: bytes, at: int) -> tuple[float, int]:
    """The number at `at` and where it ends."""
    if len(data) - at < 8:
        raise IndexError("the message ends within a number")
    (value,) = _double.unpack_from(data, at)
    return value, at + 8


TRUE, FALSE = b"\1", b"\0"
BOOLEANS = {True: TRUE, False: FALSE}


def read_boolean(data: bytes, at: int) -> bool:
    """The truth value at `at`, one byte long."""
    if data[at] > 1:
        raise ValueError("a truth value that is neither true nor false")
    return data[at] == 1
