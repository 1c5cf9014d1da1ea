"""Protocol-buffer wire format, as far as a checked expression needs it: a message is a list of its fields.

Unknown fields pass through untouched. What the numbers mean is in `engine.expressions_tree`.
"""

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
Field = tuple[int, int, int | bytes]
"""Number, wire type, value: an int for a varint, the raw bytes for all others."""


def read(data: bytes) -> list[Field]:
    """The fields of a message, in their order. Raises ValueError on anything but whole fields."""
    fields: list[Field] = []
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _read_varint(data, at)
            fields.append((number, wire, value))
            continue
        size = {FIXED_64: 8, FIXED_32: 4}.get(wire)
        if wire == BYTES:
            size, at = _read_varint(data, at)
        if size is None or at + size > len(data):
            raise ValueError(f"field {number} of wire type {wire} does not fit")
        fields.append((number, wire, data[at : at + size]))
        at += size
    return fields


def write(fields: list[Field]) -> bytes:
    """The inverse of `read`."""
    out = bytearray()
    for number, wire, value in fields:
        out += _varint(number << 3 | wire)
        if isinstance(value, int):
            out += _varint(value)
            continue
        if wire == BYTES:
            out += _varint(len(value))
        out += value
    return bytes(out)


def first(fields: list[Field], number: int) -> bytes:
    """The first field of that number as bytes; empty where there is none."""
    for at, _, value in fields:
        if at == number and isinstance(value, bytes):
            return value
    return b""


def first_int(fields: list[Field], number: int) -> int:
    """The first varint of that number; 0 where there is none (the format leaves zeros out)."""
    for at, _, value in fields:
        if at == number and isinstance(value, int):
            return value
    return 0


def read_varints(data: bytes) -> list[int]:
    """Packed varints."""
    values: list[int] = []
    at = 0
    while at < len(data):
        value, at = _read_varint(data, at)
        values.append(value)
    return values


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a varint does not end")
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
