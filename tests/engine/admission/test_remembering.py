"""Rows are forgotten in chunks: timers do not grow with alerts."""

from engine.admission.rows import ChunkRow
from tests.engine.admission.world import BOOK, DAY_MS, HOUR_MS, World, a_book


def test_a_thousand_alerts_leave_a_handful_of_timers_and_after_a_day_no_rows() -> None:
    world = World(a_book())
    for at in range(1_000):
        world.alert(f"a-{at}", scope=f"{at}")
        world.end(f"a-{at}")

    assert len(world.pending()) == 1_000 // 64
    assert len(world.rows) == 1 + 1_000 + 1_000 // 64

    world.wait(DAY_MS)

    left = 1_000 % 64
    assert set(world.slots().recent) == {key.removeprefix(BOOK) for key in world.rows} - {""}
    assert len(world.rows) == 1 + left


def test_a_chunk_is_closed_an_hour_after_its_first_row_when_the_next_arrives() -> None:
    world = World(a_book())
    world.alert("a-1")
    world.wait(HOUR_MS)
    world.alert("a-2", scope="2")

    chunk = world.row(f"{BOOK}#0")

    assert isinstance(chunk, ChunkRow)
    assert (len(chunk.rows), chunk.due_ms) == (1, world.at_ms + DAY_MS)
    assert len(world.slots().recent) == 1


def test_recoveries_are_forgotten_with_the_rest() -> None:
    world = World(a_book())
    for at in range(200):
        world.recovery(f"a-{at}", cycle_key=f"cycle-{at}")

    assert len(world.pending()) == 3
    world.wait(DAY_MS)
    assert len(world.rows) == 1 + 200 % 64


def test_a_recovery_renewed_since_is_not_forgotten_with_the_old_chunk() -> None:
    world = World(a_book())
    world.recovery("a-1")
    world.wait(HOUR_MS)
    world.recovery("a-2", cycle_key="other")  # closes the first chunk, due in a day
    world.wait(DAY_MS - 1_000)
    world.recovery("a-3", last_updated_ms=1_795_316_972_001)
    world.wait(2_000)

    assert world.row(f"{BOOK}#0") is None
    assert world.alert("a-4").rule == "recovered"


def test_a_run_that_is_still_active_keeps_its_row_when_its_chunk_is_forgotten() -> None:
    world = World(a_book(max_running=1, queue_expires_ms=7 * DAY_MS))
    assert world.book is not None
    world.alert("a-1")
    world.alert("a-2", scope="2")
    world.wait(HOUR_MS)
    world.alert("a-3")
    world.wait(70 * 60_000)
    assert world.decided("a-2") == ["queued", "started"]

    world.wait(2 * DAY_MS)

    assert (world.slots().running, world.slots().queued) == (0, 0)
    assert all("@" not in key for key in world.rows if key.removeprefix(BOOK) not in world.slots().recent)
