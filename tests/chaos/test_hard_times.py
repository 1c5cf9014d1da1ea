"""Poison on every topic, a storm on one key, disks that are full, clocks that are wrong."""

import asyncio
import os
import resource
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import pytest
import pytest_asyncio

from schemas.dead_letters import DeadLetter
from schemas.events import RunFinished
from schemas.ids import run_id
from streams.ending import EXIT_BROKEN
from tests.chaos.bench import Bench, Outcome, bench
from tests.chaos.broker import Broker
from tests.chaos.damage import read_only
from tests.chaos.fault.faulty import faulty_engine
from tests.chaos.poison import POISONED_ALERTS, Poison, records
from tests.chaos.reading import Reading
from tests.chaos.world import World

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SEED = 5
ALERTS, OVER_S = 24, 2.5
STORM = 400
READ_ONLY_MAX_S = 30.0
SETTLED_WITHIN_S = 15.0
CLOCK, FAULT = (str(Path(__file__).parent / name) for name in ("clock", "fault"))
HOUR_S = 3_600
UNREADABLE = "topic='run-journal', what='unreadable'"
UNEXPLAINED = "topic='admissions', what='unexplained'"
NOT_RECORDED = "not checked: 1 decisions by what was installed"
MADE_UP = (UNREADABLE, UNEXPLAINED, NOT_RECORDED)
"""What the audit has to say of poison that nobody but us can have written."""
WITH_CLOCKS = ("processor-a", "executor-a", "sink-a", "web-a")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_of_each(chaos_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = Path(tmp_path_factory.mktemp("hard"))
    world = World(folder, chaos_broker.servers, f"h{uuid4().hex[:8]}.", extra={"PYTHONPATH": FAULT})
    with faulty_engine():
        async with bench(world, SEED) as made:
            yield made


@dataclass(frozen=True, slots=True)
class Poured:
    """A trial with every poison in it at once."""

    bench: Bench
    poison: Poison
    outcome: Outcome
    reading: Reading

    def looked(self, alert_id: str) -> dict[str, tuple[bool, str, str]]:
        """What was looked at for this alert, by playbook: matched, clause, detail."""
        looked = self.reading.matched[alert_id].looked
        return {one.playbook: (one.matched, one.clause, one.detail) for one in looked}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def poured(one_of_each: Bench) -> Poured:
    poison = Poison(one_of_each.world, one_of_each.load)
    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=lambda: poison.pour(OVER_S + 1.0))
    history = await one_of_each.history()
    return Poured(one_of_each, poison, outcome, Reading(history))


async def test_poison_on_every_topic_stops_nothing_and_is_buried_with_a_reason(poured: Poured) -> None:
    violations = poured.outcome.violations
    assert [one for one in violations if not one.startswith("audit: ")] == []
    assert poured.outcome.unplanned == []
    assert poured.outcome.unknown == []
    assert poured.outcome.settled_s < SETTLED_WITHIN_S
    journal = [topic for topic, _, _ in records() if topic == "run-journal"]
    told = Counter(next((what for what in MADE_UP if what in one), one) for one in violations)
    assert told == {UNREADABLE: len(journal), UNEXPLAINED: 1, NOT_RECORDED: 1}


async def test_a_record_at_which_the_engine_raises_fails_its_run_and_the_partition_goes_on(
    poured: Poured,
) -> None:
    """A fault of ours, put into the processor: `fault/`. The checker knows it too."""
    runs = [run_id("mixed", alert_id) for alert_id in poured.poison.poisoned]
    ends = {
        record.run_id: (event.status, event.kind)
        for record, event, _ in poured.reading.events()
        if isinstance(event, RunFinished) and record.run_id in runs
    }
    assert ends == dict.fromkeys(runs, ("failed", "internal"))
    history = poured.reading.history
    letters = [one.record for one in history.of("dead-letters") if isinstance(one.record, DeadLetter)]
    ours = [one for one in letters if "ZeroDivisionError at faulty.py" in one.reason]
    assert [(one.topic, one.stage) for one in ours] == [("run-inbox", "advance")] * POISONED_ALERTS
    later = {one.partition for one in ours if _goes_on(poured, one)}
    assert later == {one.partition for one in ours}


def _goes_on(poured: Poured, letter: DeadLetter) -> bool:
    """Whether the processor journalled what lies behind this letter on its partition."""
    causes = (record for log in poured.reading.journal.values() for record, _ in log)
    return any(one.cause_partition == letter.partition and one.cause_offset > letter.offset for one in causes)


async def test_an_expression_without_measure_is_refused_or_bounded_and_stalls_nothing(poured: Poured) -> None:
    answers = poured.poison.answers
    assert {name: status for name, (status, _) in answers.items()} == {
        "toolong": 422,
        "toodeep": 422,
        "endless": 200,
    }
    assert "characters, more than 8192" in answers["toolong"][1]
    assert "nested too deeply" in answers["toodeep"][1]
    for alert_id in poured.poison.endless:
        matched, clause, detail = poured.looked(alert_id)["endless"]
        assert (matched, clause) == (False, "when")
        assert "failed" in detail


async def test_a_playbook_that_would_start_itself_through_its_own_events_does_not(poured: Poured) -> None:
    """Every event that Datadog got comes back as an alert that would fit."""
    assert len(poured.poison.echoes) >= 3
    for alert_id in poured.poison.echoes:
        matched, clause, _ = poured.looked(alert_id)["mixed"]
        assert (matched, clause) == (False, "own_event")


async def test_a_storm_on_one_key_starts_one_run_at_a_time_and_decides_about_every_alert(
    one_of_each: Bench,
) -> None:
    before = len(one_of_each.following.ended)
    outcome = await one_of_each.trial(STORM, 2.0, only="skips")
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert 1 <= len(one_of_each.following.ended) - before < STORM / 4


async def test_a_full_disk_ends_a_worker_before_it_loses_anything(one_of_each: Bench) -> None:
    """No file may grow any more, as on a full disk; whoever starts it again has made room."""
    world = one_of_each.world

    async def fill() -> None:
        await asyncio.sleep(0.5)
        for name in ("processor-a", "sink-a"):
            process = world.workers[name].process
            assert process is not None
            psutil.Process(process.pid).rlimit(resource.RLIMIT_FSIZE, (1, 1))

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=fill)
    assert outcome.violations == []
    assert sorted(outcome.unplanned) == [
        f"{name} ended by itself with {EXIT_BROKEN}" for name in ("processor-a", "sink-a")
    ]


async def test_a_full_disk_under_web_costs_no_alert_and_is_made_up_for_once_there_is_room(
    one_of_each: Bench,
) -> None:
    """It goes on taking alerts, says what is the matter, and shows everything afterwards."""
    world, said = one_of_each.world, list[str]()

    async def fill() -> None:
        process = world.workers["web-a"].process
        assert process is not None
        web = psutil.Process(process.pid)
        web.rlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        before = len(one_of_each.load.accepted)
        async with httpx.AsyncClient(base_url=world.url, trust_env=False) as client, asyncio.timeout(20):
            while "read model" not in (answer := (await client.get("/readyz")).text):
                await asyncio.sleep(0.1)
        said.append(answer)
        await asyncio.sleep(OVER_S)
        assert len(one_of_each.load.accepted) > before
        web.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    outcome = await one_of_each.trial(ALERTS, OVER_S * 2, meanwhile=fill)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert "does not follow the log" in said[0]
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as client:
        for run_id in list(one_of_each.following.ended)[-5:]:
            shown = (await client.get(f"/api/v1/runs/{run_id}")).json()
            assert shown["status"] == one_of_each.following.ended[run_id]


async def test_a_data_folder_that_is_read_only_ends_a_worker_before_it_loses_anything(
    one_of_each: Bench, immutable: None
) -> None:
    """It ends again and again while nothing can be written, says why, and goes on afterwards."""
    world = one_of_each.world

    async def forbid() -> None:
        await asyncio.sleep(0.5)
        before = len(world.ends)
        with read_only(world.workers["processor-a"].folder), read_only(world.workers["sink-a"].folder):
            async with asyncio.timeout(READ_ONLY_MAX_S):
                while {one.name for one in world.ends[before:]} < {"processor-a", "sink-a"}:
                    await asyncio.sleep(0.1)

    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=forbid)
    assert outcome.violations == []
    for name in ("processor-a", "sink-a"):
        assert "Operation not permitted" in world.said(name, 100_000)
    assert {one.rpartition(" ")[2] for one in outcome.unplanned} == {str(EXIT_BROKEN)}


@pytest.fixture
def immutable(tmp_path: Path) -> None:
    try:
        with read_only(tmp_path):
            assert not os.access(tmp_path, os.W_OK) or os.geteuid() == 0
    except OSError as impossible:
        pytest.skip(f"nothing here is read-only for root: {impossible}")


@pytest.mark.parametrize("shift_s", [HOUR_S, -HOUR_S])
async def test_clocks_that_are_an_hour_off_change_nothing(one_of_each: Bench, shift_s: int) -> None:
    """Times are the broker's: steps start, retries come, reports arrive as ever."""
    world = one_of_each.world
    await world.stop(*WITH_CLOCKS)
    for name in WITH_CLOCKS:
        world.workers[name].environment |= {"CHAOS_CLOCK_SHIFT_S": str(shift_s), "PYTHONPATH": CLOCK}
    world.allow(*WITH_CLOCKS)
    await world.ready()

    async def fail_for_a_while() -> None:
        one_of_each.target.moody_only = ("PUT",)
        one_of_each.target.take_on("failing")
        await asyncio.sleep(1.2)
        one_of_each.target.take_on("well")

    failures = len(one_of_each.following.failures)
    outcome = await one_of_each.trial(ALERTS, OVER_S, meanwhile=fail_for_a_while, within_s=30)
    assert outcome.violations == []
    assert outcome.unplanned == []
    assert set(one_of_each.following.failures[failures:]) == {"bad_input"}
    assert outcome.settled_s < 15
