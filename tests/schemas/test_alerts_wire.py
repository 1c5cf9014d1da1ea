import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import AlertReceived
from schemas.alerts_wire import ConfluentAlert, JsonAlert, resolved, sniff
from schemas.avro_form import text_of
from schemas.codec import HEADER_BYTES, encode
from schemas.confluent import WriterSchema, writer_schema
from schemas.errors import MalformedMessage, UnknownSchema
from schemas.inbox import TimerFired
from tests.schemas.sample_events import ALERT, ALERT_ID, AT_MS

RECEIVED = AlertReceived(alert_id=ALERT_ID, endpoint="prod", received_at_ms=AT_MS, raw=b"{}", alert=ALERT)


def confluent_message(schema: dict[str, Any], value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return b"\x00\x00\x00\x01\x02" + stream.getvalue()


def read_by(text: Any, message: bytes) -> AlertReceived | JsonAlert:
    alert = sniff(message)
    assert isinstance(alert, ConfluentAlert)
    return resolved(alert, writer_schema("AVRO", json.dumps(text)))


def test_our_own_record_is_known_by_its_marker() -> None:
    assert sniff(encode(RECEIVED)) == RECEIVED


def test_another_record_of_ours_is_no_alert() -> None:
    with pytest.raises(MalformedMessage, match="a TimerFired on the topic of alerts"):
        sniff(encode(TimerFired(row="r", timer="t", due_ms=1)))


def test_a_schema_that_nobody_knows_is_told_apart_from_garbage() -> None:
    with pytest.raises(UnknownSchema):
        sniff(b"\xc3\x01" + b"\x07" * 20)


@pytest.mark.parametrize(
    "text", [b'{"title": "disk"}', b' \r\n\t{"title":"disk"}', b'\xef\xbb\xbf{"title":"disk"}']
)
def test_json_text_is_an_alert_of_a_producer(text: bytes) -> None:
    assert sniff(text) == JsonAlert({"title": "disk"}, text)


@pytest.mark.parametrize(
    "value", [None, b"", b"[]", b'"title"', b"12", b"{", b"title=disk", b"\xc3", b"\x00\x00\x01"]
)
def test_anything_else_is_malformed(value: bytes | None) -> None:
    with pytest.raises(MalformedMessage):
        sniff(value)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda rest: b"\xc3\x01" + rest))
def test_any_bytes_are_something_or_malformed(value: bytes) -> None:
    try:
        found = sniff(value)
    except MalformedMessage:
        return
    assert isinstance(found, AlertReceived | JsonAlert | ConfluentAlert)


def test_confluent_framing_names_its_schema() -> None:
    assert sniff(b"\x00\x00\x00\x01\x02payload") == ConfluentAlert(
        258, b"payload", b"\x00\x00\x00\x01\x02payload"
    )


def test_our_own_record_in_confluent_framing_is_our_own_record() -> None:
    message = b"\x00\x00\x00\x00\x07" + encode(RECEIVED)[HEADER_BYTES:]
    assert read_by(json.loads(text_of(AlertReceived)), message) == RECEIVED


def test_our_own_record_of_a_producer_that_left_out_optional_fields_takes_the_defaults() -> None:
    schema = json.loads(text_of(AlertReceived))
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in ("alert", "problem")]
    fields = {"alert_id": "a-1", "endpoint": "", "received_at_ms": 1, "content_type": "", "raw": b"x"}
    expected = AlertReceived(alert_id="a-1", endpoint="", received_at_ms=1, raw=b"x")
    assert read_by(schema, confluent_message(schema, fields)) == expected


def test_a_foreign_record_becomes_a_json_object() -> None:
    tag = {"type": "record", "name": "Tag", "fields": [{"name": "key", "type": "string"}]}
    note = {"type": "record", "name": "Note", "fields": [{"name": "text", "type": "string"}]}
    money = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
    kinds: dict[str, Any] = {
        "title": "string",
        "at": {"type": "long", "logicalType": "timestamp-millis"},
        "tags": {"type": "array", "items": [tag, note]},
        "text": "bytes",
        "binary": "bytes",
        "cost": money,
        "extra": {"type": "map", "values": ["null", "double"]},
    }
    schema = {
        "type": "record",
        "name": "Theirs",
        "fields": [{"name": name, "type": kind} for name, kind in kinds.items()],
    }
    value = {
        "title": "disk",
        "at": datetime(2026, 11, 22, 2, 0, tzinfo=UTC),
        "tags": [("Tag", {"key": "env"}), ("Note", {"text": "x"})],
        "text": b"caf\xc3\xa9",
        "binary": b"\xff\x00",
        "cost": Decimal("1.25"),
        "extra": {"a": None, "b": 1.5},
    }
    message = confluent_message(schema, value)
    assert read_by(schema, message) == JsonAlert(
        {
            "title": "disk",
            "at": "2026-11-22T02:00:00+00:00",
            "tags": [{"key": "env"}, {"text": "x"}],
            "text": "café",
            "binary": "/wA=",
            "cost": "1.25",
            "extra": {"a": None, "b": 1.5},
        },
        message,
    )


def test_a_schema_may_name_others_that_it_refers_to() -> None:
    inner = {"type": "record", "name": "x.Inner", "fields": [{"name": "key", "type": "string"}]}
    outer = {"type": "record", "name": "x.Outer", "fields": [{"name": "inner", "type": "x.Inner"}]}
    alert = sniff(b"\x00\x00\x00\x00\x01\x06env")
    assert isinstance(alert, ConfluentAlert)
    schema = writer_schema("AVRO", json.dumps(outer), (json.dumps(inner),))
    assert resolved(alert, schema) == JsonAlert({"inner": {"key": "env"}}, alert.raw)


def test_a_json_schema_has_json_text_behind_the_frame() -> None:
    alert = sniff(b'\x00\x00\x00\x00\x01{"title": "disk"}')
    assert isinstance(alert, ConfluentAlert)
    assert resolved(alert, writer_schema("JSON", "{}")) == JsonAlert({"title": "disk"}, alert.raw)


@pytest.mark.parametrize(
    ("schema", "payload"), [('"string"', b"\x02a"), ('"string"', b"\x02"), ('"long"', b"\x02\x02")]
)
def test_a_payload_that_is_no_object_or_does_not_fit_is_malformed(schema: str, payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        resolved(ConfluentAlert(1, payload, payload), writer_schema("AVRO", schema))
    with pytest.raises(MalformedMessage):
        resolved(ConfluentAlert(1, b"[]", b"[]"), WriterSchema(None))


EMPTY: dict[str, Any] = {"type": "record", "name": "Empty", "fields": [{"name": "none", "type": "null"}]}
LOOP: dict[str, Any] = {
    "type": "record",
    "name": "Loop",
    "fields": [{"name": "loops", "type": {"type": "array", "items": "Loop"}}],
}


@pytest.mark.parametrize("items", ["null", EMPTY, {"type": "fixed", "name": "Nothing", "size": 0}])
def test_a_list_of_what_takes_no_bytes_is_not_read(items: Any) -> None:
    # Else a message of ten bytes fills the memory.
    kinds = [{"type": "array", "items": items}, {"type": "map", "values": {"type": "array", "items": items}}]
    for kind in kinds:
        schema = {"type": "record", "name": "Bomb", "fields": [{"name": "list", "type": ["null", kind]}]}
        with pytest.raises(MalformedMessage, match="a list of what takes no bytes"):
            writer_schema("AVRO", json.dumps(schema))


def test_a_schema_that_holds_itself_is_not_read() -> None:
    # Else a deeply nested message overflows the stack of fastavro's C code and ends the process.
    with pytest.raises(MalformedMessage, match="Loop holds itself"):
        writer_schema("AVRO", json.dumps(LOOP))
    outer = {"type": "record", "name": "Outer", "fields": [{"name": "a", "type": ["null", LOOP]}]}
    with pytest.raises(MalformedMessage, match="Loop holds itself"):
        writer_schema("AVRO", json.dumps(outer))


def test_a_schema_that_is_used_twice_holds_itself_not() -> None:
    leaf = {"type": "record", "name": "Leaf", "fields": [{"name": "key", "type": "string"}]}
    fields = [{"name": "a", "type": leaf}, {"name": "b", "type": {"type": "array", "items": "Leaf"}}]
    schema = writer_schema("AVRO", json.dumps({"type": "record", "name": "Tree", "fields": fields}))
    found = resolved(ConfluentAlert(1, b"\x02x\x02\x02y\x00", b"whole"), schema)
    assert found == JsonAlert({"a": {"key": "x"}, "b": [{"key": "y"}]}, b"whole")


@pytest.mark.parametrize(
    ("kind", "text"), [("PROTOBUF", "message A {}"), ("AVRO", "{"), ("AVRO", '{"type": "odd"}')]
)
def test_a_schema_that_cannot_be_read_is_malformed(kind: str, text: str) -> None:
    with pytest.raises(MalformedMessage):
        writer_schema(kind, text)
