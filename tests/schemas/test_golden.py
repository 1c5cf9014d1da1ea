"""What was written once stays readable for ever: golden bytes of every record and every event."""

import json

import pytest

from schemas.avro_form import top_level
from schemas.codec import decode, encode
from schemas.events import EVENT_TYPES
from tests.schemas.golden import FOLDER, golden_records, in_words
from tests.schemas.sample_events import EVENTS
from tests.schemas.samples import SAMPLES

REWRITE = "the schema changed: keep the old one in schemas/avro/old, then python -m tests.schemas.golden"
GOLDEN = dict(golden_records())


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_are_read_and_written_the_same(name: str) -> None:
    golden = (FOLDER / f"{name}.bin").read_bytes()
    words = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    record = decode(golden)
    assert in_words(record) == words, REWRITE
    assert record == GOLDEN[name]
    assert encode(record) == golden, REWRITE


def test_every_record_of_every_topic_has_a_golden_file() -> None:
    assert {type(record) for record in SAMPLES} == set(top_level())
    assert len(SAMPLES) == len(top_level())


def test_every_run_event_has_a_golden_file() -> None:
    assert {type(event) for event in EVENTS} == set(EVENT_TYPES)


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.*")} == set(GOLDEN)
