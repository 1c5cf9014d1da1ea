"""A value as JSON for a person: whole, by the schema that wrote it, and never an exception."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode, fingerprint_of
from schemas.dead_letters import DeadLetter
from schemas.events import EVENT_TYPES
from schemas.fields import Record
from schemas.inbox import StepFinished
from schemas.readable import NOTHING, readable
from tests.schemas.sample_events import EVENTS, journal
from tests.schemas.samples import SAMPLES

GOLDEN_OLD = Path(__file__).parents[1] / "golden" / "schemas" / "old"


@pytest.mark.parametrize("record", SAMPLES, ids=lambda record: type(record).__name__)
def test_every_record_is_shown_with_all_its_fields(record: Record) -> None:
    said = readable(encode(record))
    assert (said.type, said.fingerprint) == (type(record).__name__, fingerprint_of(type(record)))
    assert said.text is not None
    assert list(json.loads(said.text)) == list(record.__struct_fields__)


def test_the_events_of_a_run_say_which_they_are() -> None:
    said = readable(encode(journal(*EVENTS)))
    events = json.loads(said.text or "")["events"]
    assert [event["type"] for event in events] == [type(event).__name__ for event in EVENTS]
    assert {event["type"] for event in events} == {event.__name__ for event in EVENT_TYPES}


def test_json_within_a_record_is_json_and_not_text() -> None:
    (finished,) = [one for one in SAMPLES if isinstance(one, StepFinished)]
    assert json.loads(readable(encode(finished)).text or "")["output"] == finished.output


def test_bytes_are_text_or_else_base64() -> None:
    letter = DeadLetter(
        topic="alerts",
        partition=0,
        offset=1,
        at_ms=2,
        value=b"\xff\x00",
        key=b"k\xc3\xa9y",
        stage="match",
        reason="",
    )
    said = json.loads(readable(encode(letter)).text or "")
    assert (said["value"], said["key"]) == ("base64:/wA=", "k\xe9y")


@pytest.mark.parametrize("path", sorted(GOLDEN_OLD.glob("*.bin")), ids=lambda path: path.stem)
def test_what_an_earlier_version_wrote_is_shown_by_its_own_schema(path: Path) -> None:
    said = readable(path.read_bytes())
    assert said.text is not None
    assert said.type == path.stem.partition(".")[0].partition("-")[0]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x00\x00\x00\x00\x07abc",
        b"\xff",
        b"[1]",
        b'"x"',
        b"{",
        b"\xc3\x01",
        b"\xc3\x01abcdefghij",
    ],
)
def test_what_is_nothing_of_ours_has_no_text(value: bytes | None) -> None:
    assert readable(value) == NOTHING


def test_a_producer_s_json_stands_as_it_came() -> None:
    assert readable(b'\xef\xbb\xbf {"b":1, "a":"\xc3\xa9"}').text == ' {"b":1, "a":"\xe9"}'


@given(st.sampled_from([encode(record) for record in SAMPLES]), st.data())
def test_a_damaged_record_has_a_type_and_at_worst_no_text(value: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(10, len(value) - 1))
    flipped = value[:at] + bytes([value[at] ^ data.draw(st.integers(1, 255))]) + value[at + 1 :]
    said = readable(flipped)
    assert said.type
    assert said.text is None or json.loads(said.text) is not None
