"""The Avro schema of every record, derived from its type and its words. `python -m schemas.avro_form` writes
them to `schemas/avro/`: the contract with everybody else who reads the topics.

The bytes themselves are made in `schemas.codec`. Old versions, in `schemas/avro/old/`, are never rewritten.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_never

from schemas.exported import ExportedRecord
from schemas.fields import Record
from schemas.json import canonical
from schemas.shapes import (
    REQUIRED,
    Choice,
    Field,
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
from schemas.topics import TOPICS

NAMESPACE = "pulsebook"
FOLDER = Path(__file__).parent / "avro"
OLD_FOLDER = FOLDER / "old"


def top_level() -> tuple[type[Record], ...]:
    """Every record that stands by itself on a topic, in the order of the topics, each once."""
    return tuple(dict.fromkeys(record for topic in TOPICS for record in topic.records))


def schema_of(record: type[Record]) -> dict[str, Any]:
    """The Avro schema of a record as JSON. A record within it is written out where it first occurs."""
    return _record(record, set())


def text_of(record: type[Record]) -> str:
    """The schema as it stands in its file: `FOLDER / f"{record.__name__}.avsc"`."""
    return json.dumps(schema_of(record), indent=2, ensure_ascii=False) + "\n"


def _record(record: type[Record], known: set[str]) -> dict[str, Any]:
    known.add(record.__name__)
    return {
        "type": "record",
        "name": record.__name__,
        "namespace": NAMESPACE,
        "doc": inspect.cleandoc(record.__doc__ or ""),
        "fields": [_field(field, known) for field in fields_of(record)],
    }


def _field(field: Field, known: set[str]) -> dict[str, Any]:
    written: dict[str, Any] = {"name": field.name, "type": _type(field.shape, known), "doc": field.doc}
    if isinstance(field.shape, JsonText):
        # Readers other than ours: the string is JSON text.
        written["pulsebook.format"] = "json"
    shape = field.shape.of if isinstance(field.shape, Maybe) else field.shape
    if isinstance(shape, Choice):
        # A hint, not an Avro enum: an enum could never get another value without breaking its readers.
        written["pulsebook.values"] = list(shape.values)
    if field.default is not REQUIRED:
        written["default"] = _default(field.shape, field.default)
        if isinstance(field.shape, Maybe) and field.default is not None:
            raise TypeError(
                f"{field.name}: the default of an optional field is null (Avro: its first branch)"
            )
    return written


def _type(shape: Shape, known: set[str]) -> Any:
    match shape:
        case Scalar(primitive):
            return primitive
        case Choice() | JsonText():
            return "string"
        case Maybe(of):
            return ["null", _type(of, known)]
        case Many(of):
            return {"type": "array", "items": _type(of, known)}
        case Named(of):
            return {"type": "map", "values": _type(of, known)}
        case Nested(record):
            return f"{NAMESPACE}.{record.__name__}" if record.__name__ in known else _record(record, known)
        case OneOf(records):
            return [_type(Nested(record), known) for record in records]
        case _:
            assert_never(shape)


def _default(shape: Shape, value: Any) -> Any:
    """A default as Avro writes it in a schema: bytes as text of their code points, records as objects."""
    match shape:
        case Scalar("bytes"):
            return value.decode("latin-1")
        case Scalar() | Choice() | OneOf():
            return value
        case JsonText():
            return canonical(value).decode()
        case Maybe(of):
            return None if value is None else _default(of, value)
        case Many(of):
            return [_default(of, one) for one in value]
        case Named(of):
            return {key: _default(of, one) for key, one in value.items()}
        case Nested(record):
            return {
                field.name: _default(field.shape, getattr(value, field.name)) for field in fields_of(record)
            }
        case _:
            assert_never(shape)


def files() -> Iterator[tuple[Path, str]]:
    """Every schema file and what must stand in it."""
    records: tuple[type[Record], ...] = (*top_level(), ExportedRecord)
    for record in records:
        yield FOLDER / f"{record.__name__}.avsc", text_of(record)


def main() -> None:
    """Rewrite `schemas/avro/`."""
    FOLDER.mkdir(exist_ok=True)
    wanted = dict(files())
    for path in FOLDER.glob("*.avsc"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
