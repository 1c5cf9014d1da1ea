"""What is outside misbehaves: targets in every mood, Datadog away. Runs end, reports arrive, nothing else is
slower.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.chaos.bench import Bench, bench
from tests.chaos.broker import Broker
from tests.chaos.following import longest_gap_s
from tests.chaos.target import Mood
from tests.chaos.world import World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 3
MOOD_S = 0.6
SESSION_TIMEOUT_S = 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("outside"))
    world = World(folder, chaos_broker.servers, f"o{uuid4().hex[:8]}.", session_timeout_s=SESSION_TIMEOUT_S)
    async with bench(world, SEED) as made:
        yield made


async def test_targets_in_every_mood_are_never_called_twice_for_one_unrepeatable_attempt(
    one_of_each: Bench,
) -> None:
    moods: tuple[Mood, ...] = get_args(Mood)

    async def change() -> None:
        """Twice: first the steps that may be done once only feel it, then all."""
        async with one_of_each.disturbing("target"):
            for only in (("POST",), ()):
                one_of_each.target.moody_only = only
                for mood in (*moods[1:], "well"):
                    one_of_each.target.take_on(mood)
                    await asyncio.sleep(MOOD_S)

    outcome = await one_of_each.trial(56, MOOD_S * len(moods) * 2, meanwhile=change)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert outcome.unknown, "some of those must have left their caller in doubt"
    seen = (one_of_each.world.folder / "calls.jsonl").read_text()
    assert [mood for mood in moods if mood != "refusing" and f'"{mood}"]' not in seen] == []


async def test_while_datadog_is_away_runs_go_on_and_afterwards_every_report_arrives(
    one_of_each: Bench,
) -> None:
    world, following = one_of_each.world, one_of_each.following
    done_meanwhile: list[int] = []
    began_ms = max(following.progress["processor"])

    async def away() -> None:
        async with one_of_each.disturbing("sandbox"):
            world.keep_down("sandbox")
            world.kill("sandbox")
            before = len(following.ended)
            await asyncio.sleep(world.session_timeout_s + 2.0)
            done_meanwhile.append(len(following.ended) - before)
            world.allow("sandbox")

    outcome = await one_of_each.trial(40, world.session_timeout_s + 1.0, meanwhile=away)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert done_meanwhile[0] > 20
    times = [at for at in following.progress["executor"] if at > began_ms]
    assert longest_gap_s(times, min(times), max(times) - min(times)) < 3.0
