import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import avro_plain
from schemas.avro_form import OLD_FOLDER, schema_of
from schemas.codec import decode, encode
from schemas.errors import MalformedMessage
from schemas.events import JournalRecord
from schemas.fields import Record
from schemas.inbox import StepFinished
from schemas.publications import Published
from schemas.upcast import UPCASTS, OldVersions, Plain, built
from tests.schemas.golden import FOLDER, in_words
from tests.schemas.sample_events import EVENTS, journal

OLD_GOLDEN = FOLDER / "old"
FINISHED = StepFinished(run_id="r-1", step="a", attempt=1, answers_seq=2, status="failed", kind="timeout")


def plain_of(record: Record) -> Plain:
    """The record's fields as Avro has them."""
    fields: Plain = avro_plain.read(fastavro.parse_schema(schema_of(type(record))), encode(record)[10:])
    return fields


def written(schema: dict[str, Any], fields: Plain) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), fields)
    return stream.getvalue()


def without(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**schema, "fields": [field for field in schema["fields"] if field["name"] not in names]}


@pytest.mark.parametrize("path", sorted(OLD_FOLDER.glob("*.avsc")), ids=lambda path: path.stem)
def test_what_an_old_version_wrote_is_read_as_todays_record(path: Path) -> None:
    golden = (OLD_GOLDEN / f"{path.stem}.bin").read_bytes()
    words = json.loads((OLD_GOLDEN / f"{path.stem}.json").read_text(encoding="utf-8"))
    assert golden[2:10] == avro_plain.fingerprint(avro_plain.parse(path.read_text(encoding="utf-8")))
    record = decode(golden)
    assert in_words(record) == words
    assert decode(encode(record)) == record


def test_the_first_published_record_had_gone_through_at_once() -> None:
    record = decode((OLD_GOLDEN / "Published.v1.bin").read_bytes())
    assert isinstance(record, Published)
    assert (record.attempts, record.may_repeat) == (1, False)


def test_every_upcast_belongs_to_a_kept_schema() -> None:
    assert {f"{name}.v{version}" for name, version in UPCASTS} <= {path.stem for path in OLD_FOLDER.glob("*")}


@given(st.data())
def test_damaged_old_messages_are_a_record_or_malformed(data: st.DataObject) -> None:
    damaged = bytearray((OLD_GOLDEN / "Published.v1.bin").read_bytes())
    damaged[data.draw(st.integers(10, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(10, len(damaged)))
    try:
        record = decode(bytes(damaged[:cut]))
    except MalformedMessage:
        return
    assert isinstance(record, Published)


def test_versions_are_brought_up_one_by_one(tmp_path: Path) -> None:
    today = schema_of(StepFinished)
    first = without(today, "instance", "boot", "duration_ms")
    first["fields"].append({"name": "duration_s", "type": "long"})
    second = without(today, "instance", "boot")
    (tmp_path / "StepFinished.v1.avsc").write_text(json.dumps(first), encoding="utf-8")
    (tmp_path / "StepFinished.v2.avsc").write_text(json.dumps(second), encoding="utf-8")
    old = OldVersions(
        tmp_path,
        {
            ("StepFinished", 1): lambda fields: {**fields, "duration_ms": fields["duration_s"] * 1_000},
            ("StepFinished", 2): lambda fields: {**fields, "instance": "unknown"},
        },
    )
    by_first = written(first, {**plain_of(FINISHED), "duration_s": 7})
    by_second = written(second, {**plain_of(FINISHED), "duration_ms": 8})
    read_first = old.read(avro_plain.fingerprint(first), by_first)
    read_second = old.read(avro_plain.fingerprint(second), by_second)
    assert isinstance(read_first, StepFinished) and isinstance(read_second, StepFinished)
    assert (read_first.duration_ms, read_first.instance, read_first.kind) == (7_000, "unknown", "timeout")
    assert (read_second.duration_ms, read_second.instance, read_second.kind) == (8, "unknown", "timeout")


def test_a_field_that_was_added_with_a_default_needs_no_function(tmp_path: Path) -> None:
    first = without(schema_of(StepFinished), "message", "output")
    (tmp_path / "StepFinished.v1.avsc").write_text(json.dumps(first), encoding="utf-8")
    old = OldVersions(tmp_path, {})
    assert old.read(avro_plain.fingerprint(first), written(first, plain_of(FINISHED))) == FINISHED


def test_every_event_within_a_record_is_built_from_its_plain_fields() -> None:
    record = journal(*EVENTS)
    assert built(JournalRecord, plain_of(record)) == record


@pytest.mark.parametrize(
    "change", [{"status": "done"}, {"output": "{"}, {"attempt": None, "status": None}, {"message": 3}]
)
def test_plain_fields_that_do_not_fit_are_malformed(change: Plain) -> None:
    with pytest.raises(MalformedMessage):
        built(StepFinished, {**plain_of(FINISHED), **change})


def test_a_field_that_must_be_given_and_is_not_is_malformed() -> None:
    fields = plain_of(FINISHED)
    del fields["run_id"]
    with pytest.raises(MalformedMessage, match="run_id"):
        built(StepFinished, fields)


@pytest.mark.parametrize("name", ["StepFinished.avsc", "StepFinished.v0.avsc", "Nobody.v1.avsc"])
def test_a_file_that_is_no_old_version_stops_the_start(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"not named RECORD\.vNUMBER\.avsc"):
        OldVersions(tmp_path)
