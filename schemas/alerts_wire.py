"""What may stand on `alerts`, told apart by the first bytes: our own records, Confluent framing, JSON.

What a JSON value means as an alert is `engine.alert`; fetching a schema from a registry is a connector's.
"""

from dataclasses import dataclass
from typing import Any

from schemas import confluent
from schemas.alerts import AlertReceived
from schemas.codec import MARKER, decode
from schemas.errors import MalformedMessage
from schemas.json import parsed

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class JsonAlert:
    """A producer's JSON object, and the bytes of the message as they came."""

    value: dict[str, Any]
    raw: bytes


@dataclass(frozen=True, slots=True)
class ConfluentAlert:
    """A message that names its schema by a registry's id; `resolved` reads it once that schema is at hand."""

    schema_id: int
    payload: bytes
    raw: bytes


def sniff(value: bytes | None) -> AlertReceived | JsonAlert | ConfluentAlert:
    """What a message of `alerts` is. Raises MalformedMessage (UnknownSchema for an unknown fingerprint)."""
    if not value:
        raise MalformedMessage("no value")
    if value.startswith(MARKER):
        record = decode(value)
        if not isinstance(record, AlertReceived):
            raise MalformedMessage(f"a {type(record).__name__} on the topic of alerts")
        return record
    if value.startswith(confluent.MAGIC):
        schema_id, payload = confluent.unframed(value)
        return ConfluentAlert(schema_id, payload, value)
    return JsonAlert(_json_object(value), value)


def resolved(alert: ConfluentAlert, schema: confluent.WriterSchema) -> AlertReceived | JsonAlert:
    """The message by its writer's schema: our own record, or any other as JSON. Raises MalformedMessage."""
    found = confluent.read(alert.payload, schema)
    return found if isinstance(found, AlertReceived) else JsonAlert(found, alert.raw)


def _json_object(value: bytes) -> dict[str, Any]:
    found = parsed(value.removeprefix(_BOM))
    if not isinstance(found, dict):
        raise MalformedMessage(f"a JSON {type(found).__name__}, not an object")
    return found
