import json
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest

from schemas.alerts import AlertReceived
from schemas.avro_form import FOLDER, files, schema_of, top_level
from schemas.catalog import SwitchSet
from schemas.dead_letters import DeadLetter
from schemas.events import EVENT_TYPES, JournalRecord
from schemas.fields import Record
from schemas.inbox import RunRequested, StepFinished


def parts_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Every record schema within a schema, itself included."""
    if isinstance(schema, list):
        for branch in schema:
            yield from parts_of(branch)
    elif isinstance(schema, dict) and schema["type"] == "record":
        yield schema
        for field in schema["fields"]:
            yield from parts_of(field["type"])
    elif isinstance(schema, dict):
        yield from parts_of(schema.get("items", schema.get("values", schema["type"])))


def field(record: type[Record], name: str) -> dict[str, Any]:
    (found,) = [one for one in schema_of(record)["fields"] if one["name"] == name]
    return dict(found)


def test_the_published_schemas_are_those_of_the_code() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.avsc")}
    assert written == {path.name: text for path, text in files()}, "stale: run python -m schemas.avro_form"


@pytest.mark.parametrize("record", top_level())
def test_another_avro_library_accepts_the_schema(record: type[Record]) -> None:
    assert fastavro.parse_schema(json.loads((FOLDER / f"{record.__name__}.avsc").read_text(encoding="utf-8")))


@pytest.mark.parametrize("record", top_level())
def test_every_record_and_every_field_is_documented(record: type[Record]) -> None:
    for part in parts_of(schema_of(record)):
        assert part["doc"] and not part["doc"].startswith(f"{part['name']}("), part["name"]
        assert [one["name"] for one in part["fields"] if not one["doc"]] == []


@pytest.mark.parametrize("record", top_level())
def test_no_name_means_two_things_in_one_schema(record: type[Record]) -> None:
    names = [part["name"] for part in parts_of(schema_of(record))]
    assert len(names) == len(set(names))


def test_the_journal_holds_every_run_event() -> None:
    branches = field(JournalRecord, "events")["type"]["items"]
    assert [branch["name"] for branch in branches] == [event.__name__ for event in EVENT_TYPES]


def test_a_default_of_the_type_is_one_of_the_schema() -> None:
    assert field(StepFinished, "message")["default"] == ""
    assert field(StepFinished, "kind") == {
        "name": "kind",
        "type": ["null", "string"],
        "doc": "Failure kind; null when succeeded.",
        "pulsebook.values": field(StepFinished, "kind")["pulsebook.values"],
        "default": None,
    }
    assert field(DeadLetter, "headers")["default"] == {}
    assert field(RunRequested, "actions")["default"] == []
    assert field(RunRequested, "limits")["default"]["loop_items_max"] == 1_000
    assert "default" not in field(RunRequested, "run_id")


def test_json_fields_are_strings_that_say_so() -> None:
    assert field(StepFinished, "output")["type"] == "string"
    assert field(StepFinished, "output")["pulsebook.format"] == "json"
    assert field(StepFinished, "output")["default"] == "null"
    assert field(RunRequested, "inputs")["default"] == "{}"
    assert "default" not in field(SwitchSet, "value")


def test_a_record_within_a_record_is_written_out_once_and_then_named() -> None:
    (alert,) = [part for part in parts_of(schema_of(AlertReceived)) if part["name"] == "Alert"]
    assert alert["namespace"] == "pulsebook"
    started, *_ = field(JournalRecord, "events")["type"]["items"]
    assert next(one for one in started["fields"] if one["name"] == "actions")["default"] == []
