"""Parts are lost while everything is stopped: commits, a changelog, the read model, databases, a topic."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from streams.ending import EXIT_REFUSED
from tests.chaos.bench import Bench, bench
from tests.chaos.broker import Broker
from tests.chaos.damage import (
    delete_logs,
    delete_manifests,
    empty_topic,
    forget_commits,
    make_again,
    truncate_database,
)
from tests.chaos.world import ONE_OF_EACH, PARTITIONS, World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 4
ALERTS, OVER_S = 16, 1.5
SESSION_TIMEOUT_S = 3
"""Short: a group can be deleted only when the last of its members is forgotten."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("lost"))
    world = World(folder, chaos_broker.servers, f"l{uuid4().hex[:8]}.", session_timeout_s=SESSION_TIMEOUT_S)
    async with bench(world, SEED) as made:
        yield made


async def test_without_commits_changelog_and_read_model_everything_goes_on(one_of_each: Bench) -> None:
    """All that Pulsebook can do without, lost at once, in the middle of runs; disks are there."""
    world = one_of_each.world
    await one_of_each.load.send(ALERTS, OVER_S)
    await world.stop(*ONE_OF_EACH)
    for group in ("processor", "executor", "sink"):
        await forget_commits(world.kafka, f"{world.prefix}{group}")
    await empty_topic(world.kafka, f"{world.prefix}processor-runs-changelog", PARTITIONS)
    (read_model,) = world.workers["web-a"].folder.glob("read-model.sqlite")
    read_model.unlink()
    world.allow(*ONE_OF_EACH)
    outcome = await one_of_each.trial(ALERTS, OVER_S)
    assert [one for one in outcome.violations if not one.startswith("run row")] == []
    assert outcome.unplanned == []
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as client:
        shown = (await client.get("/api/v1/runs", params={"limit": 1})).json()
    assert shown["items"]


async def test_databases_that_are_cut_or_gone_are_made_again(one_of_each: Bench) -> None:
    """In the middle of runs. Without its log a database goes back to what it was before, and catches up."""
    world = one_of_each.world
    for damages in ((truncate_database, delete_manifests), (delete_logs, delete_logs)):
        await one_of_each.load.send(ALERTS, OVER_S)
        world.keep_down("processor-a", "sink-a")
        world.kill("processor-a", "sink-a")  # who stops in good order leaves no log
        await world.gone("processor-a", "sink-a")
        for name, damage in zip(("processor-a", "sink-a"), damages, strict=True):
            assert damage(world.workers[name].folder)
        world.allow("processor-a", "sink-a")
        outcome = await one_of_each.trial(ALERTS, OVER_S)
        assert outcome.violations == []
        assert outcome.unplanned == []
    assert list(world.workers["processor-a"].folder.rglob("*.db.damaged"))
    assert list(world.workers["sink-a"].folder.rglob("*.db.damaged"))


async def test_a_changelog_that_was_made_again_is_refused_until_the_folder_is_set_aside(
    one_of_each: Bench,
) -> None:
    """What the log says to do is done: the rows come back from the topics, and everything goes on."""
    world = one_of_each.world
    await world.stop("processor-a", "sink-a")
    for name, table in (("processor-a", "processor-runs"), ("sink-a", "sink-notified")):
        await make_again(world.kafka, f"{world.prefix}{table}-changelog", PARTITIONS)
        world.allow(name)
        await refused(world, name)
        assert f"belongs to another {world.prefix}{table}-changelog" in world.said(name)
        assert "set the folder aside" in world.said(name)
        world.wipe(name)
    world.allow("processor-a", "sink-a")
    outcome = await one_of_each.trial(ALERTS, OVER_S)
    assert outcome.violations == []


async def refused(world: World, name: str) -> None:
    async with asyncio.timeout(60):
        while not world.workers[name].refused:
            await asyncio.sleep(0.1)


async def test_a_topic_that_was_made_again_is_refused_and_the_log_says_why(one_of_each: Bench) -> None:
    """The last one: afterwards this world is of no use."""
    world = one_of_each.world
    await world.stop("processor-a", "executor-a", "sink-a")
    await make_again(world.kafka, f"{world.prefix}run-inbox", PARTITIONS)
    world.allow("processor-a")
    await refused(world, "processor-a")
    assert world.ends[-1].code == EXIT_REFUSED
    assert "deleted and made again" in world.said("processor-a")
