"""Partitions that move between a claim and its grant: the step is carried out all the same."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from executor.config import Identity
from tests.executor.bench import GatedAction
from tests.executor.live import Live, live, until
from tests.executor.records import granted, requested

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

RUNS = [f"r-{number}" for number in range(6)]
GRANT_AFTER_S = 0.3


@pytest.fixture
async def topics(kafka_servers: str, topic_prefix: str) -> AsyncIterator[Live]:
    async with live(kafka_servers, topic_prefix) as made:
        yield made


async def test_a_step_whose_grant_comes_while_its_partition_moves_is_carried_out_once(topics: Live) -> None:
    """Nobody else may use the grant: without this the step would be unknown, though it never began."""
    action = GatedAction()
    action.gate.set()
    async with topics.executor({"log": action}) as one:
        for run_id in RUNS:
            await topics.write(run_id, requested(repeatable=False))
        claims = {claim.run_id: claim for claim in await topics.claims(len(RUNS))}
        assert claims.keys() == set(RUNS)
        joining = asyncio.create_task(_join_for_a_while(topics, action))
        await until(lambda: any("consumer group" in said for said in one.problems()), "partitions move")
        await asyncio.sleep(GRANT_AFTER_S)
        for run_id, claim in claims.items():
            boot = Identity(claim.instance, claim.boot, claim.booted_at_ms)
            await topics.write(run_id, granted(to=boot))
        answers = await topics.answers(2 * len(RUNS), wait_s=10)
        await joining
    assert sorted(answer.run_id for answer in answers) == RUNS
    assert {(answer.instance, answer.status) for answer in answers} == {("executor-1", "succeeded")}
    assert sorted(run_id for run_id, _ in action.begun) == RUNS


async def _join_for_a_while(topics: Live, action: GatedAction) -> None:
    async with topics.executor({"log": action}, "executor-2") as other:
        assert not other.problems()
        await asyncio.sleep(1)
