"""Hundreds of runs of one key or one cycle: found all, and no row grows with them."""

import pytest

from engine.admission.listing import LISTED_MAX
from engine.admission.rows import KeyRow, PartRow, PlaybookRow, decode_row, encode_row
from tests.engine.admission.world import BOOK, World, a_book, refolded

ROW_BYTES_MAX = 524_288
MANY = 5 * LISTED_MAX + 3


def many(world: World, count: int, **fields: str) -> None:
    """Alerts of one cycle, which differ in their host only."""
    for at in range(count):
        assert world.alert(f"a-{at}", cycle_key="c1", host=f"h{at}", **fields).decision == "started"


def largest(world: World) -> int:
    """Bytes of the largest row but the playbook's own, which every start writes."""
    return max(len(row) for key, row in world.rows.items() if key != BOOK)


@pytest.mark.parametrize(
    "rules",
    [
        {"key": "alert.host", "max_running": 10_000},
        {"key": "alert.monitor_id", "while_running": "parallel", "max_running": 10_000},
        {"while_running": "parallel", "max_running": 10_000},
    ],
    ids=["runs of a cycle under keys of their own", "of one key and one cycle", "of the default key"],
)
def test_what_one_more_run_writes_does_not_grow_and_a_recovery_finds_every_one(
    rules: dict[str, object],
) -> None:
    world = World(a_book(**rules, on_recovered_running="cancel"))
    many(world, MANY)

    assert largest(world) < 32 * LISTED_MAX
    world.recovery(cycle_key="c1", host="h0")
    told = world.sent[-MANY:]
    assert len({run for topic, run, _ in told if topic == "run-inbox"}) == MANY


def test_a_start_writes_the_part_it_stands_in_and_not_the_row_and_all_others() -> None:
    world = World(a_book(key="alert.host", max_running=10_000))
    many(world, LISTED_MAX + 1)

    made = world.feed(world.inputs[0][0])
    assert made.rows == {}
    world.alert("a-next", cycle_key="c1", host="next")
    parts = [row for row in map(decode_row, world.rows.values()) if isinstance(row, PartRow)]

    assert [len(part.runs) for part in parts] == [2]


def test_when_all_have_ended_nothing_of_them_is_listed_any_more() -> None:
    world = World(a_book(key="alert.monitor_id", while_running="parallel", max_running=10_000))
    many(world, MANY)
    assert any("#1|" in key for key in world.rows) and any("#1~" in key for key in world.rows)

    for at in [*range(0, MANY, 2), *range(1, MANY, 2)]:
        world.end(f"a-{at}")

    assert [key for key in world.rows if "|" in key or "~" in key] == []
    assert world.slots().running == 0
    again = refolded(world.inputs, world.book, world.situation)
    assert again.rows == world.rows


def test_a_key_whose_listed_runs_have_ended_is_still_taken_by_those_of_its_parts() -> None:
    world = World(a_book(while_running="parallel", max_running=10_000))
    many(world, LISTED_MAX + 1)
    for at in range(LISTED_MAX):
        world.end(f"a-{at}")
    world.book = a_book(while_running="skip", max_running=10_000)

    decided = world.alert("a-late", cycle_key="c1", host="late")

    assert (decided.decision, decided.rule) == ("held_back", "while_running")
    assert decided.reason.endswith("with this key is active")
    world.end(f"a-{LISTED_MAX}")
    assert world.alert("a-last", cycle_key="c1", host="last").decision == "started"


def test_the_largest_rows_that_can_be_are_far_below_their_bound() -> None:
    """5000 may wait and 10000 run (`queue.max`, `max_running`), and each part holds one of them at least."""
    queue = tuple((10**9 + at, f"r-{at:024}") for at in range(5_000))
    recent = tuple(f"@r-{at:024}" for at in range(64))
    book = PlaybookRow(running=10_000, queued=5_000, arrivals=2 * 10**9, ready=queue, recent=recent)
    runs = tuple(f"r-{at:024}" for at in range(LISTED_MAX))
    key = KeyRow(active=runs, waiting=queue, parts=tuple(range(10**6, 10**6 + 15_000)))

    assert len(encode_row(book)) < ROW_BYTES_MAX / 2
    assert len(encode_row(key)) < ROW_BYTES_MAX / 2
