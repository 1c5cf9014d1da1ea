"""What a worker tells about itself, and that it ends when messages are nowhere."""

import asyncio
from typing import Any, cast

import pytest
from faust.types import TP

from engine.run.state import Run
from schemas.events import JournalRecord, StepFailed, StepSucceeded
from streams.entries import Kept
from streams.hardened.progress import Progress
from streams.metrics import ProcessorMetrics
from streams.run_census import RunCensus, count_events
from streams.ticking import now_ms
from streams.watching import Watching
from tests.streams.hardened.bench import Ended, hardened_app

TOPIC = "p.run-inbox"
INPUT = TP(TOPIC, 0)


class FakeLedger:
    number = 0

    def pending(self) -> int:
        return self.number


class FakeStage:
    """A stage with nothing in hand."""

    topic = TOPIC
    busy = False
    nowhere_since_s: float | None = None

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.aside = 0

    def held(self) -> int:
        return self.aside


class Watched:
    """A worker that is looked at, once."""

    def __init__(self) -> None:
        self.app = cast(Any, hardened_app())
        self.consumer = cast(Any, self.app.consumer)
        self.consumer._thread.thread_loop.close()
        self.end = 10
        self.consumer.highwater = lambda tp: self.end
        self.metrics = ProcessorMetrics()
        self.stage = cast(Any, FakeStage())
        lags = {TOPIC: self.metrics.inbox_lag.set}
        self.watching = Watching(self.app, self.metrics, [self.stage], lags)
        self.progress = Progress(10)
        self.consumer._progress = {INPUT: self.progress}
        self.consumer._committed_offset[INPUT] = 10

    def look(self) -> dict[str, float]:
        self.watching._look()
        samples = [sample for family in self.metrics.registry.collect() for sample in family.samples]
        return {sample.name: sample.value for sample in samples if not sample.labels}


@pytest.fixture
async def watched() -> Watched:
    return Watched()


async def test_a_worker_with_nothing_to_do_has_no_lag(watched: Watched) -> None:
    told = watched.look()
    assert told["pulsebook_inbox_lag_seconds"] == 0
    assert told["pulsebook_seconds_since_commit"] < 1


async def test_the_lag_is_the_age_of_the_oldest_message_that_is_not_settled(watched: Watched) -> None:
    watched.progress.hand_over(10, now_ms() - 5_000)
    watched.progress.hand_over(11, now_ms())
    assert 4.9 < watched.look()["pulsebook_inbox_lag_seconds"] < 6
    watched.progress.settle(10)
    assert watched.look()["pulsebook_inbox_lag_seconds"] < 1


async def test_messages_that_were_not_fetched_yet_count_from_when_they_were_seen(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.end = 50
    assert watched.look()["pulsebook_inbox_lag_seconds"] < 1
    watched.watching._behind[INPUT] = (10, watched.watching._behind[INPUT][1] - 7)
    assert 6.9 < watched.look()["pulsebook_inbox_lag_seconds"] < 8


async def test_the_time_since_the_last_commit_grows_while_something_waits_for_one(watched: Watched) -> None:
    watched.progress.hand_over(10, now_ms())
    watched.progress.settle(10)
    watched.watching._committed_s -= 9
    assert watched.look()["pulsebook_seconds_since_commit"] >= 9
    watched.consumer._committed_offset[INPUT] = 11
    assert watched.look()["pulsebook_seconds_since_commit"] < 1


async def test_a_process_that_slept_for_a_session_timeout_looks_at_its_lease_at_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = watched.app.lease
    lease.assigned()
    clock, jump_s = lease._clock, 0.0
    lease._clock = lambda: clock() + jump_s
    monkeypatch.setattr("streams.watching.EVERY_S", 0.02)
    watching = asyncio.create_task(watched.watching._watch())
    await asyncio.sleep(0.05)
    assert not watching.done()
    jump_s = 11.0
    with pytest.raises(Ended, match="the lease has lapsed"):
        await asyncio.wait_for(watching, 1)


async def test_messages_that_are_nowhere_end_the_process_after_a_while(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.progress.hand_over(10, now_ms())
    watched.look()
    monkeypatch.setattr("streams.watching.LOST_AFTER_S", -1.0)
    with pytest.raises(Ended, match=r"1 messages of p\.run-inbox were handed over and are nowhere"):
        watched.look()


@pytest.mark.parametrize("where", ["ledger", "agent", "held"])
async def test_messages_that_are_with_an_agent_or_in_a_ledger_or_held_are_somewhere(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr("streams.watching.LOST_AFTER_S", -1.0)
    watched.progress.hand_over(10, now_ms())
    watched.stage.busy = where == "agent"
    watched.stage.ledger.number = int(where == "ledger")
    watched.stage.aside = int(where == "held")
    watched.look()


def test_runs_are_counted_by_their_status() -> None:
    metrics = ProcessorMetrics()
    census = RunCensus(metrics)
    running = Run(run_id="r-1", playbook="demo", status="running")
    done = Run(run_id="r-1", playbook="demo", status="succeeded")
    census.found("r-0", done)
    census.moved(Kept(0, "r-1", running, None))
    census.moved(Kept(0, "r-1", done, running))
    census.moved(Kept(0, "r-0", None, done))
    census.publish()
    assert _runs(metrics) == {"running": 0.0, "succeeded": 1.0}
    census.clear()
    census.publish()
    assert _runs(metrics) == {"running": 0.0, "succeeded": 0.0}


def _runs(metrics: ProcessorMetrics) -> dict[str, float]:
    [family] = metrics.runs.collect()
    return {sample.labels["status"]: sample.value for sample in family.samples}


def test_steps_that_may_have_had_their_effect_are_counted() -> None:
    metrics = ProcessorMetrics()
    journal = JournalRecord(
        run_id="r-1",
        playbook="demo",
        seq=2,
        cause_topic="run-inbox",
        cause_partition=0,
        cause_offset=1,
        at_ms=0,
        events=(
            StepSucceeded(step="one", attempt=1, duration_ms=40),
            StepFailed(step="two", attempt=1, kind="timeout", message="", status="unknown"),
        ),
    )
    count_events(metrics, journal)
    count_events(metrics, None)
    value = metrics.registry.get_sample_value
    assert value("pulsebook_unknown_steps_total") == 1
