"""One of three brokers is killed under load: the other two go on, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.chaos.bench import Bench, bench
from tests.chaos.three_brokers import COPIES, ThreeBrokers
from tests.chaos.world import World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 6
ALERTS, OVER_S = 30, 7.0
DOWN_S = 8.0
"""So long that the others have noticed (3 s) and go on before it is back."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(
    tmp_path_factory: pytest.TempPathFactory, kafka_cache_dir: Path
) -> AsyncIterator[ThreeBrokers]:
    brokers = ThreeBrokers(Path(tmp_path_factory.mktemp("three-kafka")), kafka_cache_dir)
    try:
        await brokers.start()
        yield brokers
    finally:
        brokers.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(three: ThreeBrokers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("three"))
    world = World(folder, three.servers, f"b{uuid4().hex[:8]}.", replication=COPIES)
    async with bench(world, SEED) as made:
        yield made


async def test_a_kill_of_one_of_three_brokers_loses_and_doubles_nothing(
    one_of_each: Bench, three: ThreeBrokers
) -> None:
    """That one which keeps the consumer groups, so that they have to move as well."""
    ended_meanwhile: list[int] = []

    async def kill_it() -> None:
        number = await three.coordinator(f"{one_of_each.world.prefix}processor")
        await asyncio.sleep(0.5)
        before = len(one_of_each.following.ended)
        async with one_of_each.disturbing("broker"):
            killed = asyncio.create_task(three.kill(number, DOWN_S))
            await asyncio.sleep(DOWN_S)
            ended_meanwhile.append(len(one_of_each.following.ended) - before)
            await killed

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=kill_it)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert ended_meanwhile[0] >= 1, "two of three brokers must do"
