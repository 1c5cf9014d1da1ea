import io
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Alert, AlertReceived
from schemas.avro_form import schema_of, top_level
from schemas.avro_plain import fingerprint
from schemas.codec import HEADER_BYTES, decode, encode, fingerprint_of
from schemas.dead_letters import DeadLetter
from schemas.decisions import Looked
from schemas.errors import MalformedMessage, UnknownSchema
from schemas.events import JournalRecord, StepSkipped
from schemas.fields import Record
from schemas.inbox import StepFinished, TimerFired
from schemas.json import canonical
from tests.schemas.strategies import any_record

FINISHED = StepFinished(run_id="r-1", step="latency", attempt=1, answers_seq=3, status="succeeded")


@given(any_record())
def test_what_was_encoded_is_decoded(record: Record) -> None:
    assert decode(encode(record)) == record


@given(any_record())
def test_another_avro_library_reads_our_bytes_and_writes_the_same(record: Record) -> None:
    body = encode(record)[HEADER_BYTES:]
    schema = fastavro.parse_schema(schema_of(type(record)))
    plain: Any = fastavro.schemaless_reader(
        io.BytesIO(body), schema, None, return_record_name=True, return_record_name_override=True
    )
    written = io.BytesIO()
    fastavro.schemaless_writer(written, schema, plain)
    assert written.getvalue() == body
    assert set(plain) == set(type(record).__struct_fields__)


@given(any_record(), st.data())
def test_a_truncated_message_is_malformed(record: Record, data: st.DataObject) -> None:
    whole = encode(record)
    with pytest.raises(MalformedMessage, match=r"cut off or damaged|single-object encoding"):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(any_record(), st.binary(min_size=1))
def test_bytes_after_the_record_are_malformed(record: Record, more: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(encode(record) + more)


@given(any_record(), st.data())
def test_damaged_bytes_are_a_record_or_malformed_and_nothing_else(
    record: Record, data: st.DataObject
) -> None:
    damaged = bytearray(encode(record))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    _decodes_or_is_malformed(bytes(damaged))


@given(st.sampled_from(top_level()), st.binary(max_size=200))
def test_garbage_under_a_known_fingerprint_is_a_record_or_malformed(
    record: type[Record], body: bytes
) -> None:
    _decodes_or_is_malformed(b"\xc3\x01" + bytes.fromhex(fingerprint_of(record))[::-1] + body)


@given(st.binary(max_size=200))
def test_garbage_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(data)


def _decodes_or_is_malformed(data: bytes) -> None:
    try:
        record = decode(data)
    except MalformedMessage:
        return
    assert isinstance(record, Record)


def test_a_message_names_its_schema_by_the_published_fingerprint() -> None:
    # The Rabin fingerprint of the specification, little-endian, behind C3 01.
    form = fastavro.schema.to_parsing_canonical_form(schema_of(TimerFired))
    expected = fastavro.schema.fingerprint(form, "CRC-64-AVRO")
    message = encode(TimerFired(row="r-1", timer="run", due_ms=5))
    assert message[:HEADER_BYTES].hex() == "c301" + expected
    assert fingerprint_of(TimerFired) == bytes.fromhex(expected)[::-1].hex()


def test_the_fingerprint_is_that_of_the_specification() -> None:
    # Avro 1.11 specification, "Schema Fingerprints": CRC-64-AVRO of "int".
    assert fingerprint("int")[::-1].hex() == "7275d51a3f395c8f"


def test_an_unknown_fingerprint_is_an_unknown_schema_with_its_name() -> None:
    with pytest.raises(UnknownSchema) as caught:
        decode(b"\xc3\x01\x01\x02\x03\x04\x05\x06\x07\x08body")
    assert caught.value.fingerprint == "0807060504030201"


def test_no_value_at_all_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="no value"):
        decode(None)


def test_equal_records_have_equal_bytes_whatever_the_order_of_their_keys() -> None:
    letter = DeadLetter(topic="alerts", partition=0, offset=1, at_ms=2, stage="match", reason="?")
    first = msgspec.structs.replace(letter, headers={"a": b"1", "b": b"2"})
    other = msgspec.structs.replace(letter, headers={"b": b"2", "a": b"1"})
    assert encode(first) == encode(other)
    one = msgspec.structs.replace(FINISHED, output={"a": 1, "b": {"c": 2, "d": 3}})
    two = msgspec.structs.replace(FINISHED, output={"b": {"d": 3, "c": 2}, "a": 1})
    assert encode(one) == encode(two)


def test_json_is_kept_as_canonical_text() -> None:
    output = {"b": [1, None], "a": 1.5}
    assert canonical(output) in encode(msgspec.structs.replace(FINISHED, output=output))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"output": float("nan")}, "StepFinished.output: not JSON: a number that is not finite"),
        ({"output": {"a": {1: 2}}}, "StepFinished.output: not JSON: a key of type int"),
        ({"output": ["\ud800"]}, "StepFinished.output: not JSON: text that is not Unicode"),
        ({"message": "\ud800"}, "StepFinished.message: text that is not Unicode"),
        ({"message": None}, "StepFinished.message: a NoneType in the place of a string"),
        ({"message": b"x"}, "StepFinished.message: a bytes in the place of a string"),
        ({"attempt": "1"}, "StepFinished.attempt: a str in the place of a long"),
        ({"attempt": 1.0}, "StepFinished.attempt: a float in the place of a long"),
        ({"attempt": 2**63}, "StepFinished.attempt: a whole number of more than 64 bits"),
        (
            {"retry_after_ms": -(2**63) - 1},
            "StepFinished.retry_after_ms: a whole number of more than 64 bits",
        ),
        ({"status": "done"}, "StepFinished.status: none of succeeded, failed, unknown, cancelled"),
        ({"kind": "odd"}, "StepFinished.kind: none of timeout"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_place(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedMessage, match=said):
        encode(msgspec.structs.replace(FINISHED, **wrong))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([StepSkipped(step="a")], "JournalRecord.events: a list in the place of a tuple"),
        ((FINISHED,), "JournalRecord.events: a StepFinished in the place of RunStarted or"),
        ((StepSkipped(step="\ud800"),), "JournalRecord.events: StepSkipped.step: text that is not Unicode"),
    ],
)
def test_what_is_wrong_within_is_named_from_the_outside_in(events: Any, said: str) -> None:
    journal = JournalRecord(
        run_id="r-1",
        playbook="p",
        seq=1,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=7,
        at_ms=1,
        events=events,
    )
    with pytest.raises(MalformedMessage, match=said):
        encode(journal)


def test_raw_bytes_must_be_bytes_and_a_nested_record_its_own_type() -> None:
    received = AlertReceived(alert_id="a-1", endpoint="prod", received_at_ms=1, raw=b"")
    with pytest.raises(MalformedMessage, match=r"AlertReceived.raw: a str in the place of a bytes"):
        encode(msgspec.structs.replace(received, raw="text"))
    with pytest.raises(MalformedMessage, match=r"AlertReceived.alert: a StepFinished in the place of Alert"):
        encode(msgspec.structs.replace(received, alert=FINISHED))


def test_a_refusal_never_repeats_the_value_that_it_refuses() -> None:
    with pytest.raises(MalformedMessage) as caught:
        encode(msgspec.structs.replace(FINISHED, message=["s3cret"], kind="s3cret"))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("record", [Alert(id="a-1"), Looked(playbook="p", revision="d", matched=True)])
def test_a_part_of_a_record_does_not_stand_alone(record: Record) -> None:
    with pytest.raises(MalformedMessage, match="not a record of any topic"):
        encode(record)


@pytest.mark.parametrize(
    "body", [b"\x02" * 10, b"\xff" * 40, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" * 4]
)
def test_impossible_lengths_are_refused_without_making_room_for_them(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(encode(TimerFired(row="", timer="", due_ms=0))[:HEADER_BYTES] + body)
