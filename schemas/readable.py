"""A message's value as JSON text for a person, by the schema that wrote it.

Not by today's type: so the text of a message stays the same, whichever version of Pulsebook makes it.
"""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import msgspec

from schemas import avro_plain
from schemas.avro_form import FOLDER, OLD_FOLDER, top_level
from schemas.codec import HEADER_BYTES, MARKER
from schemas.errors import MalformedMessage
from schemas.json import parsed

BASE64 = "base64:"
"""Stands before bytes that are no text."""

_BOM = b"\xef\xbb\xbf"
_encoder = msgspec.json.Encoder()
_Shown = Callable[[Any], Any]


class Readable(NamedTuple):
    """`type`: the record's name, `fingerprint`: of its schema, 16 hex digits; both empty for what is none of
    ours. `text`: JSON, or None where the value cannot be read.
    """

    type: str
    fingerprint: str
    text: str | None


NOTHING = Readable("", "", None)


class _Known(NamedTuple):
    name: str
    fingerprint: str
    schema: avro_plain.Schema
    show: _Shown | None


def readable(value: bytes | None) -> Readable:
    """What the value says. Total: what cannot be read has no text."""
    if not value:
        return NOTHING
    if not value.startswith(MARKER):
        return _json_text(value)
    known = _known().get(value[:HEADER_BYTES])
    if known is None:
        return NOTHING
    try:
        fields = avro_plain.read(known.schema, value[HEADER_BYTES:])
        text = _encoder.encode(fields if known.show is None else known.show(fields)).decode()
    except (MalformedMessage, ValueError, RecursionError):
        text = None
    return Readable(known.name, known.fingerprint, text)


def _json_text(value: bytes) -> Readable:
    text = value.removeprefix(_BOM)
    try:
        return Readable("", "", text.decode()) if isinstance(parsed(text), dict) else NOTHING
    except (MalformedMessage, UnicodeDecodeError):
        return NOTHING


@cache
def _known() -> dict[bytes, _Known]:
    """Every schema that ever was in force, by what stands before its records."""
    names = {record.__name__ for record in top_level()}
    found = {}
    for path in sorted([*FOLDER.glob("*.avsc"), *OLD_FOLDER.glob("*.avsc")]):
        name = path.name.partition(".")[0]
        if name in names:
            schema = avro_plain.parse(path.read_bytes())
            fingerprint = avro_plain.fingerprint(schema)
            show = _shown(schema, {})
            found[MARKER + fingerprint] = _Known(name, fingerprint[::-1].hex(), schema, show)
    return found


def _shown(schema: Any, named: dict[str, _Shown | None]) -> _Shown | None:
    """What makes a plain value of this schema fit for JSON, in place; None where it is so already."""
    match schema:
        case "bytes":
            return _bytes_shown
        case str():
            return named.get(schema)
        case list():
            return _union_shown(schema, named)
        case {"type": "array", "items": items}:
            return _many_shown(_shown(items, named))
        case {"type": "map", "values": values}:
            return _named_shown(_shown(values, named))
        case {"type": "record", "name": name, "fields": fields}:
            named[name] = show = _record_shown([(one["name"], _field_shown(one, named)) for one in fields])
            return show
        case _:
            return None


def _field_shown(field: dict[str, Any], named: dict[str, _Shown | None]) -> _Shown | None:
    if field.get("pulsebook.format") == "json":
        return _json_shown
    return _shown(field["type"], named)


def _record_shown(fields: list[tuple[str, _Shown | None]]) -> _Shown | None:
    shown = [(name, show) for name, show in fields if show is not None]

    def show_record(value: dict[str, Any]) -> dict[str, Any]:
        for name, show in shown:
            value[name] = show(value[name])
        return value

    return show_record if shown else None


def _union_shown(branches: list[Any], named: dict[str, _Shown | None]) -> _Shown | None:
    records = [branch for branch in branches if branch != "null"]
    if len(records) == 1:
        show = _shown(records[0], named)
        return None if show is None else lambda value: None if value is None else show(value)
    shows = {}
    for branch in records:
        name = branch if isinstance(branch, str) else branch["name"]
        shows[name] = name.rpartition(".")[2], _shown(branch, named)

    def show_one_of(value: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        short, show = shows[value[0]]
        return {"type": short, **(value[1] if show is None else show(value[1]))}

    return show_one_of


def _many_shown(show: _Shown | None) -> _Shown | None:
    return None if show is None else lambda value: [show(one) for one in value]


def _named_shown(show: _Shown | None) -> _Shown | None:
    return None if show is None else lambda value: {key: show(one) for key, one in value.items()}


def _json_shown(text: str) -> Any:
    parsed(text)
    return msgspec.Raw(text.encode())


def _bytes_shown(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return BASE64 + base64.b64encode(value).decode()
