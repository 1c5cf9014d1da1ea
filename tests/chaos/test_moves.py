"""Partitions that move: workers are killed and stay away, sleep, join, leave, or are restarted in turn."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from streams.ending import EXIT_BROKEN
from tests.chaos.bench import Bench, Outcome, bench
from tests.chaos.broker import Broker
from tests.chaos.checking_rows import rows_of
from tests.chaos.disks import rows_on_disk
from tests.chaos.reading import Reading
from tests.chaos.schedule import Moment
from tests.chaos.world import TWO_OF_EACH, World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 2
ALERTS, OVER_S = 30, 5.0
SESSION_TIMEOUT_S = 4
SECOND_TURN_S = 9.0
LONG_S = 8.0
"""How long the steps take during which workers join and leave; 30 s in the soak."""
COMERS = ("processor-c", "executor-c", "sink-c", "processor-d", "executor-d", "sink-d")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("moves"))
    world = World(
        folder,
        chaos_broker.servers,
        f"m{uuid4().hex[:8]}.",
        TWO_OF_EACH,
        session_timeout_s=SESSION_TIMEOUT_S,
        idle=COMERS,
        extra={"PULSEBOOK_STOP_GRACE_S": "20"},
    )
    async with bench(world, SEED) as made:
        yield made


async def test_a_rolling_restart_under_load_leaves_no_step_unknown(two_of_each: Bench) -> None:
    two_of_each.target.answer_after_s = 0.5
    moments = [Moment(0.5 + number, "term", (name,)) for number, name in enumerate(TWO_OF_EACH)]
    outcome = await two_of_each.trial(ALERTS, 8.0, moments)
    two_of_each.target.answer_after_s = 0.1
    assert outcome.violations == []
    assert outcome.unknown == []
    assert outcome.unplanned == []
    assert {end.code for end in two_of_each.world.ends} == {0}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moved(two_of_each: Bench) -> Outcome:
    """Of each kind, in turn, one is killed and stays away, and the other sleeps or leaves: while one is away
    the other has its partitions.
    """
    moments = [
        Moment(0.5, "move", ("processor-a", "sink-b")),
        Moment(0.5, "freeze", ("executor-b",)),
        Moment(SECOND_TURN_S, "freeze", ("processor-b", "sink-a")),
        Moment(SECOND_TURN_S, "leave", ("sink-b",)),
        Moment(SECOND_TURN_S, "move", ("executor-a",)),
    ]
    return await two_of_each.trial(ALERTS * 2, SECOND_TURN_S + 2.0, moments)


async def test_a_killed_worker_whose_partitions_moved_comes_back_on_its_old_disk(
    two_of_each: Bench, moved: Outcome
) -> None:
    assert moved.violations == []
    assert moved.unplanned == []
    killed = [one.name for one in two_of_each.world.ends if one.code == -signal.SIGKILL]
    assert sorted(killed) == ["executor-a", "processor-a", "sink-b"]


async def test_workers_that_sleep_or_leave_longer_than_the_session_timeout_do_no_harm(
    two_of_each: Bench, moved: Outcome
) -> None:
    """Who wakes finds that its partitions are somebody else's, and ends."""
    assert moved.violations == []
    assert moved.unplanned == []
    zombies = [one.name for one in two_of_each.world.ends if one.code == EXIT_BROKEN]
    assert {"processor-b", "sink-a"} <= set(zombies)


async def test_what_a_worker_did_in_a_short_life_after_a_kill_is_known_to_who_takes_over(
    two_of_each: Bench,
) -> None:
    """Killed, on again on the same disk, where it finds what it had; then its partitions move: whoever takes
    over has the changelog only. That is where one that lags behind the disk would show.
    """
    moments = [Moment(1.0, "handover", ("processor-a", "sink-a"))]
    outcome = await two_of_each.trial(ALERTS, 8.0, moments)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert outcome.unknown == []


async def test_workers_that_leave_and_join_in_turn_leave_no_step_unknown(two_of_each: Bench) -> None:
    """While steps take longer than any rebalance; whoever leaves ends the steps that it began."""
    two_of_each.target.long_s = LONG_S
    moments = [
        Moment(0.5, "join", COMERS[:3]),
        Moment(4.5, "quit", COMERS[:3]),
        Moment(4.5, "join", COMERS[3:]),
        Moment(8.5, "quit", COMERS[3:]),
    ]
    long_before = len(two_of_each.target.calls)
    outcome = await two_of_each.trial(ALERTS, 7.0, moments, only="long")
    assert outcome.violations == []
    assert outcome.unknown == []
    assert outcome.unplanned == []
    calls = [call for call in two_of_each.target.calls[long_before:] if call.path.startswith("/long")]
    assert len(calls) == len({call.key for call in calls}) > ALERTS / 2


@pytest.mark.parametrize(("stays", "leaves"), [("a", "b"), ("b", "a")])
async def test_afterwards_each_worker_s_disk_holds_what_the_changelogs_say(
    two_of_each: Bench, stays: str, leaves: str
) -> None:
    """One takes over everything, from its old disk and the changelogs, works on, and stops."""
    world = two_of_each.world
    await world.stop(f"processor-{leaves}", f"sink-{leaves}")
    await world.join(f"processor-{stays}", f"sink-{stays}")
    two_of_each.world.names = [name for name in TWO_OF_EACH if world.workers[name].wanted]
    outcome = await two_of_each.trial(ALERTS, 2.0)
    assert outcome.violations == []
    await world.stop(f"processor-{stays}", f"sink-{stays}")
    reading = Reading(await two_of_each.history())
    for kind, table in (("processor", "runs"), ("processor", "admissions"), ("sink", "notified")):
        held = rows_on_disk(world.workers[f"{kind}-{stays}"].folder, table)
        assert held == rows_of(reading, f"{kind}-{table}-changelog")
        assert held
