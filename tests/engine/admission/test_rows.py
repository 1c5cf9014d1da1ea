"""Rows as bytes, their keys and timers."""

import msgspec
import pytest

from engine.admission.rows import (
    ChunkRow,
    CycleRow,
    Decided,
    KeyRow,
    PartRow,
    PlaybookRow,
    Row,
    RunRow,
    chunk_row,
    cycle_row,
    decode_row,
    encode_row,
    key_row,
    part_row,
    playbook_of,
    run_row,
    short,
    timers,
)

FIRST = Decided("queued", "max_running", "2 of 2", 5, 1, 2, 3)
QUEUED = RunRow("queued", "a-1", "a-1", "digest", FIRST, 9, key="k", due_ms=5)
ACTIVE = msgspec.structs.replace(QUEUED, state="active", due_ms=7)
ENDED = msgspec.structs.replace(QUEUED, state="ended", due_ms=0)


@pytest.mark.parametrize(
    ("row", "due"),
    [
        (PlaybookRow(running=2, ready=((1, "r-a"), (2, "r-b")), recent=("@r-a",)), {}),
        (KeyRow(active=("r-a",), holder="r-b", waiting=((3, "r-c"),)), {}),
        (QUEUED, {"expires": 5}),
        (ACTIVE, {"slot": 7}),
        (ENDED, {}),
        (CycleRow("a-2", 1, 2, ("r-a",)), {}),
        (ChunkRow(("@r-a", "~c"), 11), {"forget": 11}),
        (PartRow(("r-a", "r-b")), {}),
    ],
)
def test_a_row_survives_its_bytes_and_names_its_timers(row: Row, due: dict[str, int]) -> None:
    assert decode_row(encode_row(row)) == row
    assert encode_row(decode_row(encode_row(row))) == encode_row(row)
    assert timers(row) == due


def test_bytes_that_are_no_row_are_refused() -> None:
    for data in (b"", b"\x00", msgspec.msgpack.encode(["stranger", 1])):
        with pytest.raises(msgspec.DecodeError):
            decode_row(data)


def test_every_row_key_names_its_playbook_whatever_the_key_holds() -> None:
    for key in (
        "check-2",
        key_row("check-2", "a|b@c~d#e"),
        key_row("check-2", ""),
        run_row("check-2", "r-1"),
        part_row("check-2", "|a~b", 3),
        part_row("check-2", "~a|b", 3),
        cycle_row("check-2", "1|2"),
        chunk_row("check-2", 7),
    ):
        assert playbook_of(key) == "check-2"


def test_a_short_key_is_kept_and_long_ones_stay_different() -> None:
    assert short("12345/host:a") == "12345/host:a"
    assert len(short("x" * 1_000)) == 300
    assert short("x" * 1_000) != short("x" * 1_001)
