"""kill -9 of any process, alone and together, on the same disk and on an empty one: nothing is lost, stuck or
doubled.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.chaos.bench import Bench, bench
from tests.chaos.broker import Broker
from tests.chaos.checking_rows import rows_of
from tests.chaos.disks import rows_on_disk
from tests.chaos.reading import Reading
from tests.chaos.schedule import Moment
from tests.chaos.world import ONE_OF_EACH, World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 1
ALERTS, OVER_S = 20, 2.0
TURNS = (("processor-a",), ("executor-a",), ("sink-a", "web-a"))
TURN_S = 1.2
WORST_GAP_S = 15.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("kills"))
    async with bench(World(folder, chaos_broker.servers, f"k{uuid4().hex[:8]}."), SEED) as made:
        yield made


async def test_without_any_kill_everything_happens_once(one_of_each: Bench) -> None:
    outcome = await one_of_each.trial(ALERTS, OVER_S)
    assert outcome.violations == []
    assert outcome.unknown == []
    assert outcome.unplanned == []
    assert len(one_of_each.following.ended) >= ALERTS * 0.8
    assert set(one_of_each.following.ended.values()) == {"succeeded", "failed"}
    assert one_of_each.responding.answered
    assert one_of_each.responding.recovered


async def test_a_kill_of_one_process_and_of_several_loses_and_doubles_nothing(one_of_each: Bench) -> None:
    """Each twice, one after the other; who comes next has its turn while the last one is still starting."""
    moments = [Moment(0.5 + TURN_S * number, "kill", names) for number, names in enumerate(TURNS * 2)]
    outcome = await one_of_each.trial(ALERTS * 2, TURN_S * len(moments), moments)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert outcome.worst_gap_s < WORST_GAP_S


async def test_a_kill_of_all_processes_at_once_loses_and_doubles_nothing(one_of_each: Bench) -> None:
    outcome = await one_of_each.trial(ALERTS, OVER_S, [Moment(0.8, "kill", ONE_OF_EACH)])
    assert outcome.violations == []
    assert outcome.unplanned == []


async def test_a_kill_and_an_empty_disk_afterwards_lose_and_double_nothing(one_of_each: Bench) -> None:
    outcome = await one_of_each.trial(ALERTS, OVER_S, [Moment(0.8, "wipe", ("processor-a", "sink-a"))])
    assert outcome.violations == []
    assert outcome.unplanned == []


async def test_a_kill_of_the_broker_loses_and_doubles_nothing(
    one_of_each: Bench, chaos_broker: Broker
) -> None:
    async def kill_it() -> None:
        await asyncio.sleep(0.8)
        async with one_of_each.disturbing("broker"):
            await chaos_broker.kill()

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=kill_it)
    assert outcome.violations == []
    assert outcome.unplanned == []


async def test_afterwards_the_disks_hold_what_the_changelogs_say(one_of_each: Bench) -> None:
    """After all that was done to them above."""
    world = one_of_each.world
    await world.stop("processor-a", "sink-a")
    reading = Reading(await one_of_each.history())
    for name, table in (("processor", "runs"), ("processor", "admissions"), ("sink", "notified")):
        held = rows_on_disk(world.workers[f"{name}-a"].folder, table)
        assert held == rows_of(reading, f"{name}-{table}-changelog")
        assert held
