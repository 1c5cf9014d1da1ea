"""Confluent's framing (00, a registry's schema id in 4 bytes, the payload) and what lies behind it.

Avro and JSON payloads are read; Protobuf is not. Where a schema comes from is `connectors.schema_registry`.
"""

import base64
import datetime
from dataclasses import dataclass
from typing import Any

from schemas import avro_plain
from schemas.alerts import AlertReceived
from schemas.avro_form import NAMESPACE
from schemas.errors import MalformedMessage
from schemas.json import parsed
from schemas.upcast import built

MAGIC = b"\x00"
_HEADER_BYTES = 5
_OURS = f"{NAMESPACE}.{AlertReceived.__name__}"


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A schema of a registry. `avro` is None for a JSON Schema: the payload is JSON text then."""

    avro: avro_plain.Schema | None


def writer_schema(kind: str, text: str, references: tuple[str, ...] = ()) -> WriterSchema:
    """From a registry's answer: its `schemaType`, its text, and the texts it refers to, inner first.

    Raises MalformedMessage for a kind that cannot be read and for a text that is no schema.
    """
    if kind == "JSON":
        return WriterSchema(None)
    if kind != "AVRO":
        raise MalformedMessage(f"a schema of the kind {kind}: only AVRO and JSON are read")
    return WriterSchema(avro_plain.parse(text, references))


def unframed(value: bytes) -> tuple[int, bytes]:
    """Schema id and payload. Raises MalformedMessage."""
    if not value.startswith(MAGIC) or len(value) < _HEADER_BYTES:
        raise MalformedMessage("not in Confluent framing (00 and a schema id of 4 bytes)")
    return int.from_bytes(value[1:_HEADER_BYTES], "big"), value[_HEADER_BYTES:]


def read(payload: bytes, schema: WriterSchema) -> AlertReceived | dict[str, Any]:
    """The payload: our own record where the schema is ours (in any version), else a JSON object.

    Raises MalformedMessage.
    """
    if schema.avro is None:
        found = parsed(payload)
    else:
        fields = avro_plain.read(schema.avro, payload)
        if avro_plain.name_of(schema.avro) == _OURS:
            record = built(AlertReceived, fields)
            assert isinstance(record, AlertReceived)  # noqa: S101 - built makes what it is asked for
            return record
        found = _as_json(fields)
    if not isinstance(found, dict):
        raise MalformedMessage(f"a {type(found).__name__}, not an object")
    return found


def _as_json(value: Any) -> Any:
    """Avro's values as JSON: times in ISO 8601, decimals and UUIDs as text, bytes as text or else base64."""
    match value:
        case dict():
            return {key: _as_json(item) for key, item in value.items()}
        case list():
            return [_as_json(item) for item in value]
        case (str(), inner):
            return _as_json(inner)
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return base64.b64encode(value).decode()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)
