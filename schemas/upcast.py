"""Old versions of records: from the bytes of an earlier schema to today's type, version by version.

`schemas/avro/old/NAME.vN.avsc` keeps every schema that was ever in force (N from 1; today's is one more than
the last). A field added with a default needs nothing but that file. Whatever else changed gets a pure
function here, from the plain fields of version N to those of N + 1; `tests/golden/schemas/old/` proves it.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, assert_never

from schemas import avro_plain
from schemas.avro_form import OLD_FOLDER, top_level
from schemas.errors import MalformedMessage
from schemas.fields import Record
from schemas.json import parsed
from schemas.shapes import (
    PYTHON_TYPES,
    Choice,
    JsonText,
    Many,
    Maybe,
    Named,
    Nested,
    OneOf,
    Scalar,
    Shape,
    fields_of,
)

Plain = dict[str, Any]
"""Fields as Avro has them: JSON as text, records as dicts, one out of a union as (full name, dict)."""
Upcast = Callable[[Plain], Plain]


def published_1(fields: Plain) -> Plain:
    """Version 1 counted no tries: what it recorded had gone through once, and nobody knows of another."""
    return {**fields, "attempts": 1, "may_repeat": False}


UPCASTS: Mapping[tuple[str, int], Upcast] = {
    ("Published", 1): published_1,
}


class OldVersions:
    """All earlier schemas by fingerprint, and how what they wrote becomes today's records."""

    def __init__(
        self,
        folder: Path = OLD_FOLDER,
        upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS,
    ) -> None:
        """Reads the folder. Raises ValueError for a file that is no old version of a record of ours."""
        self._upcasts = upcasts
        self._records = {record.__name__: record for record in top_level()}
        self._schemas: dict[bytes, tuple[str, int, avro_plain.Schema]] = {}
        self._last: dict[str, int] = {}
        for path in sorted(folder.glob("*.avsc")):
            name, version = _named(path, self._records)
            schema = avro_plain.parse(path.read_text(encoding="utf-8"))
            self._schemas[avro_plain.fingerprint(schema)] = (name, version, schema)
            self._last[name] = max(version, self._last.get(name, 0))

    def __contains__(self, fingerprint: bytes) -> bool:
        return fingerprint in self._schemas

    def read(self, fingerprint: bytes, body: bytes) -> Record:
        """Today's record of an old message. Raises KeyError for an unknown fingerprint, MalformedMessage."""
        name, version, schema = self._schemas[fingerprint]
        fields = avro_plain.read(schema, body)
        for step in range(version, self._last[name] + 1):
            upcast = self._upcasts.get((name, step))
            fields = upcast(fields) if upcast else fields
        return built(self._records[name], fields)


def built(record: type[Record], fields: Plain) -> Record:
    """The record of these plain fields; absent ones take their defaults, unknown ones are left out.

    Raises MalformedMessage for what does not fit.
    """
    known = fields_of(record)
    values = {field.name: _value(field.shape, fields[field.name]) for field in known if field.name in fields}
    try:
        return record(**values)
    except TypeError as error:
        raise MalformedMessage(f"{record.__name__}: {error}") from error


def _value(shape: Shape, plain: Any) -> Any:
    match shape:
        case Scalar(primitive):
            if not isinstance(plain, PYTHON_TYPES[primitive]):
                raise MalformedMessage(f"a {type(plain).__name__} in the place of a {primitive}")
            return plain
        case Choice(values):
            if plain not in values:
                raise MalformedMessage(f"a text that is none of {', '.join(values)}")
            return plain
        case JsonText():
            return parsed(plain)
        case Maybe(of):
            return None if plain is None else _value(of, plain)
        case Many(of):
            return tuple(_value(of, one) for one in plain)
        case Named(of):
            return {key: _value(of, one) for key, one in plain.items()}
        case Nested(record):
            return built(record, plain)
        case OneOf(records):
            name, fields = plain
            return built(next(one for one in records if one.__name__ == name.rpartition(".")[2]), fields)
        case _:
            assert_never(shape)


def _named(path: Path, records: Mapping[str, type[Record]]) -> tuple[str, int]:
    match = re.fullmatch(r"(\w+)\.v([1-9]\d*)\.avsc", path.name)
    if match is None or match[1] not in records:
        raise ValueError(f"{path}: not named RECORD.vNUMBER.avsc")
    return match[1], int(match[2])
