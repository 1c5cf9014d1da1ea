"""Golden journals: what engine number N once wrote for some inputs, it writes for them for ever.

A file holds the playbook, the inputs, the journal and the last row. Files are never changed. A new story is
written by `python -m tests.engine.run.test_golden`, which leaves those that are there alone.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.playbook.canonical import canonical_json, from_canonical
from engine.playbook.compiled import Compiled
from engine.run.advancing import advance, refold
from engine.run.number import ENGINE_NUMBER, KNOWN_NUMBERS
from engine.run.state import Run, decode_row, encode_row
from schemas.events import EVENT_TYPES, JournalRecord
from schemas.inbox import InboxRecord
from schemas.outgoing import Cause
from tests.engine.run.given import Life
from tests.engine.run.stories import STORIES

FOLDER = Path(__file__).parents[2] / "golden" / "journals"
FILES = sorted(FOLDER.glob("*/*.json"))
TYPES = {kind.__name__: kind for kind in (*InboxRecord.__args__, *EVENT_TYPES)}


def test_every_engine_number_has_golden_journals() -> None:
    assert {path.parent.name for path in FILES} == {str(number) for number in KNOWN_NUMBERS}
    assert {path.stem for path in FILES if path.parent.name == str(ENGINE_NUMBER)} == set(STORIES)


def test_the_golden_journals_tell_of_every_kind_of_event() -> None:
    events = [event for path in FILES for record in load(path)["journal"] for event in record["events"]]
    assert {event["type"] for event in events} == {kind.__name__ for kind in EVENT_TYPES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_same_inputs_give_the_same_journal_and_row(path: Path) -> None:
    kept = load(path)
    book = Compiled(from_canonical(kept["playbook"]), kept["revision"])
    expected = [record_of(record) for record in kept["journal"]]
    row: Run | None = None
    journal: list[JournalRecord] = []
    for given in kept["inputs"]:
        cause = Cause("run-inbox", 4, given["offset"], given["at_ms"])
        advanced = advance(row, typed(given["record"]), cause, book)
        if advanced.journal is not None:
            journal.append(advanced.journal)
        row = advanced.row
    assert journal == expected
    assert row == refold(expected) == (decode_row(kept["row"].encode()) if kept["row"] else None)


def load(path: Path) -> dict[str, Any]:
    kept: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return kept


def typed(plain: dict[str, Any]) -> Any:
    return msgspec.convert(plain["fields"], TYPES[plain["type"]])


def record_of(plain: dict[str, Any]) -> JournalRecord:
    return JournalRecord(**{**plain, "events": tuple(typed(event) for event in plain["events"])})


def plain_of(record: msgspec.Struct) -> dict[str, Any]:
    return {"type": type(record).__name__, "fields": msgspec.to_builtins(record)}


def told(life: Life) -> bytes:
    """A story as a file."""
    journal = [
        {**msgspec.to_builtins(record), "events": [plain_of(event) for event in record.events]}
        for record in life.journal
    ]
    inputs = [
        {"offset": cause.offset, "at_ms": cause.at_ms, "record": plain_of(record)}
        for record, cause in life.inputs
    ]
    kept = {
        "playbook": canonical_json(life.book.playbook),
        "revision": life.book.digest,
        "inputs": inputs,
        "journal": journal,
        "row": "" if life.row is None else encode_row(life.row).decode(),
    }
    return msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n"


if __name__ == "__main__":
    for name, story in STORIES.items():
        target = FOLDER / str(ENGINE_NUMBER) / f"{name}.json"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(told(story()))
