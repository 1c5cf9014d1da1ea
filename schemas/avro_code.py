"""Makes two Python functions for each record type: one appends its Avro bytes, one reads them into a record.

They are generated as source text and compiled once, as dataclasses does with `__init__`: measured, two to
three times as fast as dicts and fastavro (`benchmarks/codec.py`), on a path that every message takes many
times. Tests hold them against fastavro, byte by byte. Fingerprints, framing, errors: `schemas.codec`.

    def write(record, add):          calls add(bytes) for each part
    def read(data, at) -> (record, at)
"""

from collections.abc import Callable
from typing import Any, assert_never

from schemas import avro_bytes
from schemas.fields import Record
from schemas.json import canonical, parsed
from schemas.shapes import Choice, JsonText, Many, Maybe, Named, Nested, OneOf, Scalar, Shape, fields_of

Write = Callable[[Record, Callable[[bytes], object]], None]
Read = Callable[[bytes, int], tuple[Any, int]]


class Functions:
    """The functions of all record types met so far. A record within a record is made first."""

    def __init__(self) -> None:
        self._made: dict[type[Record], tuple[Write, Read]] = {}

    def of(self, record: type[Record]) -> tuple[Write, Read]:
        """The two functions of a record type. Raises TypeError for a type without a written form."""
        if record not in self._made:
            source = _Source(self)
            text = source.write_function(record) + source.read_function(record)
            namespace = source.constants
            exec(compile(text, f"<avro {record.__name__}>", "exec"), namespace)  # noqa: S102 - our own text
            self._made[record] = namespace["write"], namespace["read"]
        return self._made[record]


class _Source:
    """The source of one record type's functions, and the constants that it uses by name."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._count = 0
        self.constants: dict[str, Any] = {
            "S": avro_bytes.SMALL,
            "long_bytes": avro_bytes.long_bytes,
            "read_long": avro_bytes.read_long,
            "read_length": avro_bytes.read_length,
            "read_count": avro_bytes.read_count,
            "double_bytes": avro_bytes.double_bytes,
            "read_double": avro_bytes.read_double,
            "BOOLEANS": avro_bytes.BOOLEANS,
            "read_boolean": avro_bytes.read_boolean,
            "canonical": canonical,
            "parsed": parsed,
        }

    def write_function(self, record: type[Record]) -> str:
        lines = ["def write(r, add):"]
        for field in fields_of(record):
            lines += _indented(self._write(field.shape, f"r.{field.name}"))
        return "\n".join([*lines, " return None\n"])

    def read_function(self, record: type[Record]) -> str:
        lines, arguments = ["def read(b, i):"], []
        for number, field in enumerate(fields_of(record)):
            lines += _indented(self._read(field.shape, f"f{number}"))
            arguments.append(f"{field.name}=f{number}")
        return "\n".join([*lines, f" return {self._constant(record)}({', '.join(arguments)}), i\n"])

    def _constant(self, value: Any) -> str:
        self._count += 1
        name = f"c{self._count}"
        self.constants[name] = value
        return name

    def _variable(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _write(self, shape: Shape, value: str) -> list[str]:
        match shape:
            case Scalar(primitive):
                return _write_scalar(primitive, value)
            case Choice(values):
                written = {one: avro_bytes.long_bytes(len(one.encode())) + one.encode() for one in values}
                return [f"add({self._constant(written)}[{value}])"]
            case JsonText():
                return _write_sized(f"canonical({value})")
            case Maybe(of):
                one = self._variable()
                inner = ["add(S[1])", *self._write(of, one)]
                return [f"{one} = {value}", f"if {one} is None: add(S[0])", "else:", *_indented(inner)]
            case Many(of):
                many, one = self._variable(), self._variable()
                loop = [f"add({_varint(f'len({many})')})", f"for {one} in {many}:"]
                loop += _indented(self._write(of, one))
                checked = [f"{many} = {value}", f"if {many}.__class__ is not tuple: raise TypeError"]
                return [*checked, f"if {many}:", *_indented(loop), "add(S[0])"]
            case Named(of):
                named, key = self._variable(), self._variable()
                loop = [f"add({_varint(f'len({named})')})", f"for {key} in sorted({named}):"]
                loop += _indented([*_write_sized(f"{key}.encode()"), *self._write(of, f"{named}[{key}]")])
                return [f"{named} = {value}", f"if {named}:", *_indented(loop), "add(S[0])"]
            case Nested(record):
                return [f"{self._writer_of(record)}({value}, add)"]
            case OneOf(records):
                pairs = {
                    one: (avro_bytes.long_bytes(place), self._functions.of(one)[0])
                    for place, one in enumerate(records)
                }
                one = self._variable()
                taken = f"n, w = {self._constant(pairs)}[{one}.__class__]"
                return [f"{one} = {value}", taken, "add(n)", f"w({one}, add)"]
            case _:
                assert_never(shape)

    def _writer_of(self, record: type[Record]) -> str:
        """A name for the writer of exactly this type: another type would be written under a wrong name."""
        return self._constant(_exactly(record, self._functions.of(record)[0]))

    def _read(self, shape: Shape, into: str) -> list[str]:
        match shape:
            case Scalar(primitive):
                return _read_scalar(primitive, into)
            case Choice(values):
                read = {one.encode(): one for one in values}
                return [*_READ_LENGTH, f"{into} = {self._constant(read)}[b[i:i+n]]", "i += n"]
            case JsonText():
                return [*_READ_LENGTH, f"{into} = parsed(b[i:i+n])", "i += n"]
            case Maybe(of):
                inner = _indented(self._read(of, into))
                return ["n = b[i]; i += 1", f"if n == 0: {into} = None", "elif n == 2:", *inner, *_NO_BRANCH]
            case Many(of):
                one, many = self._variable(), self._variable()
                item = [*self._read(of, one), f"{many}.append({one})"]
                return [f"{many} = []", *_read_blocks(item), f"{into} = tuple({many})"]
            case Named(of):
                key, one, named = self._variable(), self._variable(), self._variable()
                item = [*_read_scalar("string", key), *self._read(of, one), f"{named}[{key}] = {one}"]
                return [f"{named} = {{}}", *_read_blocks(item), f"{into} = {named}"]
            case Nested(record):
                return [f"{into}, i = {self._constant(self._functions.of(record)[1])}(b, i)"]
            case OneOf(records):
                reads = {2 * place: self._functions.of(one)[1] for place, one in enumerate(records)}
                return [f"{into}, i = {self._constant(reads)}[b[i]](b, i + 1)"]
            case _:
                assert_never(shape)


def _exactly(record: type[Record], write: Write) -> Write:
    def checked(value: Record, add: Callable[[bytes], object]) -> None:
        if value.__class__ is not record:
            raise TypeError(f"a {type(value).__name__} in the place of a {record.__name__}")
        write(value, add)

    return checked


def _indented(lines: list[str]) -> list[str]:
    return [" " + line for line in lines]


def _varint(number: str) -> str:
    return f"S[{number}] if {number} < {avro_bytes.SMALL_COUNT} else long_bytes({number})"


def _write_sized(encoded: str) -> list[str]:
    return [f"e = {encoded}; n = len(e)", f"add({_varint('n')}); add(e)"]


def _write_scalar(primitive: str, value: str) -> list[str]:
    match primitive:
        case "string":
            return _write_sized(f"{value}.encode()")
        case "bytes":
            return _write_sized(value)
        case "long":
            return [f"n = {value}", f"add(S[n] if 0 <= n < {avro_bytes.SMALL_COUNT} else long_bytes(n))"]
        case "boolean":
            return [f"add(BOOLEANS[{value}])"]
        case _:
            return [f"add(double_bytes({value}))"]


# A length below 64 is one even byte, below 8192 two; whatever else goes through the checked function.
_READ_LENGTH = [
    "n = b[i]; i += 1",
    "if n > 127 or n & 1:",
    " m = b[i]",
    " if n & 1 or m > 127: n, i = read_length(b, i - 1)",
    " else: n = (n & 127 | m << 7) >> 1; i += 1",
    "else: n >>= 1",
]
_NO_BRANCH = ["else: raise ValueError('a union branch that does not exist')"]


def _read_scalar(primitive: str, into: str) -> list[str]:
    match primitive:
        case "string":
            return [
                *_READ_LENGTH,
                "if n:",
                f" j = i + n; {into} = b[i:j].decode(); i = j",
                f"else: {into} = ''",
            ]
        case "bytes":
            return [*_READ_LENGTH, f"{into} = b[i:i+n]", "i += n"]
        case "long":
            return [
                "n = b[i]",
                f"if n > 127 or n & 1: {into}, i = read_long(b, i)",
                f"else: {into} = n >> 1; i += 1",
            ]
        case "boolean":
            return [f"{into} = read_boolean(b, i); i += 1"]
        case _:
            return [f"{into}, i = read_double(b, i)"]


def _read_blocks(item: list[str]) -> list[str]:
    count = [
        "n = b[i]",
        "if n > 127 or n & 1: n, i = read_count(b, i)",
        "else: n >>= 1; i += 1",
        "if not n: break",
    ]
    return ["while True:", *_indented([*count, "for _ in range(n):", *_indented(item)])]
