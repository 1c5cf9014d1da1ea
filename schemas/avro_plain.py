"""What we take from fastavro: fingerprints, and reading a body by any schema into plain dicts.

The only file of this room that imports it. Used for old versions and for what other writers send; today's own
records take the faster way of `schemas.avro_code`.
"""

import io
import json
from collections.abc import Iterable
from typing import Any

import fastavro
import fastavro.schema

from schemas.errors import MalformedMessage

Schema = Any
"""A schema as fastavro parsed it."""


def fingerprint(schema: Any) -> bytes:
    """CRC-64-AVRO of the schema's parsing canonical form: 8 bytes as in a message (little-endian)."""
    canonical_form = fastavro.schema.to_parsing_canonical_form(schema)
    return bytes.fromhex(fastavro.schema.fingerprint(canonical_form, "CRC-64-AVRO"))


def parse(text: str | bytes, references: Iterable[str | bytes] = ()) -> Schema:
    """A schema from its text and the texts of those that it names, inner first. Raises MalformedMessage."""
    named: dict[str, Any] = {}
    try:
        for reference in references:
            fastavro.parse_schema(json.loads(reference), named_schemas=named)
        return fastavro.parse_schema(json.loads(text), named_schemas=named)
    except Exception as error:  # fastavro's errors have no base, and garbage can raise any of Python's
        raise MalformedMessage(f"not an Avro schema: {error}") from error


def name_of(schema: Schema) -> str | None:
    """The full name of a parsed record schema; None for anything else."""
    return schema.get("name") if isinstance(schema, dict) and schema.get("type") == "record" else None


def read(schema: Schema, body: bytes) -> Any:
    """The body as plain values; a record out of a union of several is (its full name, its fields).

    Raises MalformedMessage when the bytes do not fit the schema, or some are left over.
    """
    stream = io.BytesIO(body)
    try:
        value = fastavro.schemaless_reader(
            stream, schema, None, return_record_name=True, return_record_name_override=True
        )
    except Exception as error:  # as above
        raise MalformedMessage(f"the body does not fit its schema: {type(error).__name__}") from error
    if stream.tell() != len(body):
        raise MalformedMessage(f"{len(body) - stream.tell()} bytes are left over after the record")
    return value
