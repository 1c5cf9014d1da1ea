"""What we take from fastavro: fingerprints, and reading a body by any schema into plain dicts.

The only file of this room that imports it. Used for old versions and for what other writers send; today's own
records take the faster way of `schemas.avro_code`.
"""

import io
import json
from collections.abc import Iterable, Mapping
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
        schema = fastavro.parse_schema(json.loads(text), named_schemas=named)
    except Exception as error:  # fastavro's errors have no base, and garbage can raise any of Python's
        raise MalformedMessage(f"not an Avro schema: {error}") from error
    _refuse_endless(schema, named, frozenset(), set())
    return schema


def _refuse_endless(schema: Any, named: Mapping[str, Any], within: frozenset[str], done: set[str]) -> None:
    """Refuse what lets a short message take all memory (a list of a thousand million nothings) or all of the
    C stack (records within themselves: fastavro 1.13 then kills the process).
    """
    match schema:
        case list():
            for branch in schema:
                _refuse_endless(branch, named, within, done)
        case str() if schema in within:
            raise MalformedMessage(f"not an Avro schema that is read: {schema} holds itself")
        case str() if schema in named and schema not in done:
            _refuse_endless(named[schema], named, within, done)
        case {"type": "array", "items": items}:
            if _takes_nothing(items, named):
                raise MalformedMessage("not an Avro schema that is read: a list of what takes no bytes")
            _refuse_endless(items, named, within, done)
        case {"type": "map", "values": values}:
            _refuse_endless(values, named, within, done)
        case {"type": "record" | "error", "name": name, "fields": fields}:
            for field in fields:
                _refuse_endless(field["type"], named, within | {name}, done)
            done.add(name)


def _takes_nothing(schema: Any, named: Mapping[str, Any], within: frozenset[str] = frozenset()) -> bool:
    match schema:
        case str() if schema in named:
            return schema not in within and _takes_nothing(named[schema], named, within)
        case "null" | {"type": "null"} | {"type": "fixed", "size": 0}:
            return True
        case {"type": "record" | "error", "name": name, "fields": fields}:
            return all(_takes_nothing(field["type"], named, within | {name}) for field in fields)
        case _:
            return False


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
