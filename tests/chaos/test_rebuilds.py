"""`state rebuild` beside running processes and under load: rows come out equal, nothing is lost or doubled,
also with a kill in the middle; and with changelogs and disks lost, everything comes back.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.chaos.bench import Bench, bench
from tests.chaos.broker import Broker
from tests.chaos.damage import empty_topic
from tests.chaos.rebuilding import EVERYWHERE, Rebuilt, count, logged, read_model, rebuild
from tests.chaos.world import PARTITIONS, World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 6
ALERTS, OVER_S = 24, 3.0
BEGUN = "is made again:"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("rebuilds"))
    async with bench(World(folder, chaos_broker.servers, f"r{uuid4().hex[:8]}."), SEED) as made:
        yield made


async def test_under_load_every_row_comes_out_equal_and_nothing_is_lost_or_doubled(
    one_of_each: Bench,
) -> None:
    found: list[Rebuilt] = []

    async def rebuild_it() -> None:
        await asyncio.sleep(0.8)
        found.append(await rebuild(one_of_each.world))

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=rebuild_it)
    (rebuilt,) = found
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert (rebuilt.code, rebuilt.complaint) == (0, "")
    assert rebuilt.places == EVERYWHERE
    assert rebuilt.verdict["done"] and rebuilt.verdict["rows"] > 0
    assert [one for one in rebuilt.said if one.get("differing") or one.get("kept")] == []
    assert rebuilt.verdict["read_models"] == ["web-a"]


async def test_a_kill_in_the_middle_of_a_rebuild_loses_nothing_and_it_is_begun_again(
    one_of_each: Bench,
) -> None:
    world = one_of_each.world
    found: list[Rebuilt] = []
    before = {name: count(world, name, BEGUN) for name in ("processor-a", "sink-a")}

    async def kill_soon(name: str, turns: int) -> None:
        await logged(world, name, BEGUN, before[name] + turns)
        world.kill(name)

    async def rebuild_it() -> None:
        await asyncio.sleep(0.8)
        rebuilding = asyncio.create_task(rebuild(world, "--only", "tables"))
        await asyncio.gather(kill_soon("processor-a", 3), kill_soon("sink-a", 2))
        found.append(await rebuilding)

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=rebuild_it)
    (rebuilt,) = found
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert (rebuilt.code, rebuilt.complaint) == (0, "")
    assert rebuilt.places == EVERYWHERE
    assert rebuilt.verdict["differing"] == 0


async def test_changelogs_emptied_and_disks_lost_everything_comes_back(one_of_each: Bench) -> None:
    """In the middle of runs: some wait for an answer, some for a timer, some in the queue."""
    world = one_of_each.world
    await one_of_each.load.send(ALERTS, OVER_S)
    await world.stop("processor-a", "sink-a")
    for table in ("processor-matched", "processor-admissions", "processor-runs", "sink-notified"):
        await empty_topic(world.kafka, f"{world.prefix}{table}-changelog", PARTITIONS)
    world.wipe("processor-a")
    world.wipe("sink-a")
    world.allow("processor-a", "sink-a")
    outcome = await one_of_each.trial(ALERTS, OVER_S)
    assert outcome.violations == []
    assert outcome.unplanned == []
    rebuilt = await rebuild(world, "--only", "tables")
    assert (rebuilt.code, rebuilt.verdict["differing"], rebuilt.verdict["kept"]) == (0, 0, 0)
    assert rebuilt.verdict["rows"] > 0
    assert await one_of_each.violations() == []


async def test_a_read_model_that_is_made_again_holds_what_it_held(one_of_each: Bench) -> None:
    world = one_of_each.world
    before = read_model(world)
    rebuilt = await rebuild(world, "--only", "read-models")
    assert (rebuilt.code, rebuilt.complaint) == (0, "")
    assert rebuilt.verdict["read_models"] == ["web-a"]
    after = read_model(world)
    assert {name: len(rows) for name, rows in after.items()} == {
        name: len(rows) for name, rows in before.items()
    }
    assert after == before
    assert all(before[name] for name in ("runs", "run_records", "alerts", "decided", "publications"))
