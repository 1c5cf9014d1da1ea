"""A table is made again while its agent goes on: what is due, what waits meanwhile, and what is cut short."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from engine.rebuilds import Request
from streams.rows import REBUILT, rebuild_mark
from tests.streams.agents.bench import advance_bench
from tests.streams.bench import Bench, message, settled
from tests.streams.books import Followed
from tests.streams.rebuild.bench import HERE, Consumer, Rebuilt
from tests.streams.rebuild.test_runs import Runs


@pytest.fixture
async def rebuilt(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rebuilt:
    monkeypatch.setattr("streams.rebuild.rebuilding.LOOK_EVERY_S", 0.01)
    monkeypatch.setattr("streams.rebuild.rebuilding.AGAIN_S", 0.01)
    consumer = Consumer()
    bench.consumer = consumer
    bench.app.consumer = cast(Any, consumer)
    followed = Followed()
    runs = Runs(await advance_bench(bench, followed), followed, tmp_path)
    return Rebuilt(runs, bench, consumer, tmp_path)


async def three_runs(rebuilt: Rebuilt) -> None:
    for number in range(3):
        await rebuilt.runs.begin(f"r-{number}")
    await rebuilt.runs.answer("r-1", "one")
    await rebuilt.runs.one.ledger.cover(0, rebuilt.runs.one.offset)
    await settled()
    rebuilt.position(rebuilt.runs.one.offset + 1, committed=1)
    rebuilt.kept.clear()


ASKED = Request(41, "mira", 7, "why")


async def test_nothing_is_made_again_unless_somebody_asks(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    rebuilt.rebuilding.assigned([0])
    await asyncio.sleep(0.05)
    assert rebuilt.reports == [] and not rebuilt.gate.is_closed(0)


async def test_on_request_wrong_rows_are_put_right_once_and_it_is_reported(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    right = rebuilt.runs.table()
    stale = rebuilt.runs.there(b"r-0")
    rebuilt.store("r-1", stale)
    rebuilt.store("r-2", None)
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED

    report = await rebuilt.done()

    assert rebuilt.runs.table() == right
    assert [one.state for one in rebuilt.reports] == ["begun", "done"]
    assert (report.requested_at, report.table, report.partition, report.actor) == (
        41,
        "runs",
        0,
        "processor-a",
    )
    assert (report.rows, report.equal, report.differing, report.kept) == (3, 1, 2, 0)
    assert report.examples == ("r-1", "r-2")
    assert {one.key for one in rebuilt.kept} == {"r-1", "r-2"}
    assert rebuilt.bench.table().rebuilt(0) == rebuild_mark(42, done=True)
    await asyncio.sleep(0.05)
    assert len(rebuilt.reports) == 2
    assert rebuilt.runs.row("r-2") == right["r-2"]
    assert not rebuilt.folder.joinpath("runs-0").exists()


async def test_inputs_wait_meanwhile_and_are_handled_afterwards(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    rebuilt.bench.broker.hold = True
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED
    await rebuilt.until(lambda: rebuilt.gate.is_closed(0))
    await rebuilt.gate.handle(message(99, b"garbage"))
    assert rebuilt.gate.count() == 1
    assert rebuilt.rebuilding.missing() == ["partition 0 of runs is made again"]
    await asyncio.sleep(0.05)
    rebuilt.bench.broker.acknowledge()

    await rebuilt.done()
    await rebuilt.until(lambda: 99 in rebuilt.consumer.acked)
    assert rebuilt.rebuilding.missing() == []


async def test_what_is_under_way_is_settled_first(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    rebuilt.bench.broker.hold = True
    rebuilt.runs.one.offset += 1
    await rebuilt.gate.handle(rebuilt.runs.one.message(b"garbage", "r-0"))
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED
    await asyncio.sleep(0.1)
    assert rebuilt.bench.table().rebuilt(0) is None
    rebuilt.bench.broker.acknowledge()

    await rebuilt.done()


async def test_a_rebuild_that_was_cut_short_is_begun_again_before_any_input(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    rebuilt.bench.table().store.write(0, {REBUILT: rebuild_mark(42, done=False)}, None)
    rebuilt.request = ASKED
    assert rebuilt.rebuilding.must_wait(0)
    rebuilt.rebuilding.assigned([0])
    assert rebuilt.gate.is_closed(0)

    assert (await rebuilt.done()).equal == 3


async def test_rows_that_are_ahead_of_the_commit_are_right_and_their_inputs_come_again(
    rebuilt: Rebuilt,
) -> None:
    """As after a restart: rows were written, and the commit did not come to it."""
    for number in range(3):
        await rebuilt.runs.begin(f"r-{number}")
    await rebuilt.runs.one.ledger.cover(0, 0)
    await settled()
    rebuilt.position(1, committed=1)
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED

    report = await rebuilt.done()

    assert (report.equal, report.differing) == (3, 0)
    assert rebuilt.bench.table().watermark(0) == (2, "topic-id")


async def test_a_newer_request_makes_them_again_once_more(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED
    await rebuilt.done()
    rebuilt.request = Request(50, "ann", 8, "")

    await rebuilt.until(lambda: rebuilt.bench.table().rebuilt(0) == rebuild_mark(51, done=True))


async def test_rows_that_were_lost_come_back_though_nobody_asked(rebuilt: Rebuilt) -> None:
    """No row and no watermark, though inputs are committed."""
    await three_runs(rebuilt)
    right = rebuilt.runs.table()
    for key in (*right, "\x00watermark"):
        rebuilt.store(key, None)
    await rebuilt.runs.one.ledger.assigned([0])
    rebuilt.rebuilding.assigned([0])
    assert rebuilt.gate.is_closed(0)

    report = await rebuilt.done()

    assert rebuilt.runs.table() == right
    assert (report.requested_at, report.reason, report.differing) == (-1, "its rows were lost", 3)
    assert rebuilt.bench.table().watermark(0) == (3, "topic-id")


async def test_a_new_partition_waits_only_until_it_is_known_to_be_new(rebuilt: Rebuilt) -> None:
    rebuilt.rebuilding.assigned([0])
    assert rebuilt.gate.is_closed(0)
    await asyncio.sleep(0.05)
    assert rebuilt.gate.is_closed(0)
    rebuilt.position(0)

    await rebuilt.until(lambda: not rebuilt.gate.is_closed(0))
    assert rebuilt.reports == []


async def test_a_partition_that_goes_is_left_to_its_next_owner(rebuilt: Rebuilt) -> None:
    await three_runs(rebuilt)
    rebuilt.bench.broker.hold = True
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED
    await rebuilt.until(lambda: bool(rebuilt.reports))
    await asyncio.sleep(0.05)
    rebuilt.runs.one.ledger.revoke([0])
    rebuilt.gate.revoke({HERE})
    rebuilt.rebuilding.revoke([0])
    rebuilt.bench.broker.acknowledge()
    await asyncio.sleep(0.05)

    assert [one.state for one in rebuilt.reports] == ["begun"]
    assert rebuilt.bench.table().rebuilt(0) is None
    assert rebuilt.rebuilding.missing() == []


async def test_a_topic_that_cannot_be_read_is_said_and_tried_again(
    rebuilt: Rebuilt, monkeypatch: pytest.MonkeyPatch
) -> None:
    await three_runs(rebuilt)
    bounds, fails = rebuilt.runs.journal.bounds, True

    async def away(partition: int) -> tuple[int, int]:
        if fails:
            raise OSError("Kafka is away")
        return await bounds(partition)

    monkeypatch.setattr(rebuilt.runs.journal, "bounds", away)
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED
    await rebuilt.until(lambda: "Kafka is away; it is tried again" in "".join(rebuilt.rebuilding.missing()))
    assert rebuilt.gate.is_closed(0)
    fails = False

    assert (await rebuilt.done()).equal == 3


async def test_a_request_is_answered_also_by_a_partition_without_rows(rebuilt: Rebuilt) -> None:
    """The command waits for every partition."""
    rebuilt.position(0)
    rebuilt.rebuilding.assigned([0])
    rebuilt.request = ASKED
    report = await rebuilt.done()
    assert (report.requested_at, report.rows, report.reason) == (41, 0, "")


async def test_what_nobody_asked_for_and_came_to_nothing_is_not_told(rebuilt: Rebuilt) -> None:
    """A partition whose inputs concerned nobody so far has no watermark either."""
    rebuilt.position(7, committed=7)
    rebuilt.rebuilding.assigned([0])
    await rebuilt.until(lambda: not rebuilt.gate.is_closed(0))
    assert rebuilt.reports == []
    assert rebuilt.bench.table().watermark(0) == (6, "topic-id")
