"""The executor process against a real broker."""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from connectors.actions.log import Log
from executor.journal import NameTaken
from executor.process import Executor
from schemas.codec import encode
from schemas.dead_letters import DeadLetter
from schemas.events import StepSucceeded
from tests.executor.bench import GatedAction
from tests.executor.live import Live, live, quick_config, until
from tests.executor.records import EARLIER_ME, ME, granted, journal, requested

pytestmark = pytest.mark.kafka
ACTIONS = {"log": Log()}


@pytest.fixture
async def topics(kafka_servers: str, topic_prefix: str) -> AsyncIterator[Live]:
    async with live(kafka_servers, topic_prefix) as made:
        yield made


async def test_a_requested_step_is_carried_out_and_answered_under_its_run(topics: Live) -> None:
    async with topics.executor(ACTIONS):
        await topics.write("r-1", requested())
        [answer] = await topics.answers(1)
    assert (answer.run_id, answer.status, answer.output) == ("r-1", "succeeded", {"message": "hello"})


async def test_a_restart_repeats_nothing_that_was_answered(topics: Live) -> None:
    async with topics.executor(ACTIONS):
        for i in range(20):
            await topics.write(f"r-{i}", requested())
        assert len(await topics.answers(20)) == 20
    async with topics.executor(ACTIONS):
        await topics.write("r-last", requested())
        answers = await topics.answers(22, wait_s=3)
    assert sorted(answer.run_id for answer in answers) == sorted([f"r-{i}" for i in range(20)] + ["r-last"])


async def test_a_restart_repeats_only_what_was_open_when_steps_ended_out_of_order(topics: Live) -> None:
    slow = GatedAction()
    async with topics.executor(ACTIONS | {"slow": slow}, stop_grace_s=0.1):
        await topics.write("r-slow", requested(action="slow"))
        for i in range(10):
            await topics.write(f"r-{i}", requested())
        assert len(await topics.answers(10)) == 10
    again = GatedAction()
    again.gate.set()
    async with topics.executor(ACTIONS | {"slow": again}):
        answers = await topics.answers(12, wait_s=3)
    assert sorted(answer.run_id for answer in answers) == sorted([f"r-{i}" for i in range(10)] + ["r-slow"])
    assert again.begun == [("r-slow", "restart")]


async def test_without_a_committed_offset_only_what_is_still_open_starts(topics: Live) -> None:
    for i in range(50):
        await topics.write(f"r-{i}", requested())
        await topics.write(f"r-{i}", StepSucceeded(step="restart", attempt=1))
    await topics.write("r-open", requested())
    async with topics.executor(ACTIONS):
        answers = await topics.answers(2, wait_s=3)
    assert [answer.run_id for answer in answers] == ["r-open"]


async def test_an_unrepeatable_step_is_claimed_granted_and_carried_out_once(topics: Live) -> None:
    async with topics.executor(ACTIONS):
        await topics.write("r-1", requested(repeatable=False))
        [claim] = await topics.claims(1)
        await topics.write("r-1", msgspec.structs.replace(granted(), boot=claim.boot))
        answers = await topics.answers(2)
    assert [(answer.status, answer.boot) for answer in answers] == [("succeeded", claim.boot)]


async def test_a_step_that_an_earlier_boot_may_have_started_is_claimed_and_not_started(topics: Live) -> None:
    await topics.write("r-1", requested(repeatable=False))
    await topics.write("r-1", granted(to=EARLIER_ME))
    async with topics.executor(ACTIONS, instance=ME.instance):
        [claim] = await topics.claims(2, wait_s=3)
    assert claim.boot != EARLIER_ME.boot


async def test_an_unreadable_record_goes_to_the_dead_letters_and_stops_nothing(topics: Live) -> None:
    async with topics.executor(ACTIONS):
        await topics.write_raw("r-1", b"\xc3\x01 garbage")
        await topics.write("r-1", requested())
        [answer] = await topics.answers(1)
        [letter] = await topics.read("dead-letters", 1)
    assert answer.run_id == "r-1"
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.key, letter.value, letter.stage) == (
        "run-journal",
        b"r-1",
        b"\xc3\x01 garbage",
        "executor",
    )


async def test_a_record_that_comes_again_with_other_content_is_an_alarm(
    topics: Live, caplog: pytest.LogCaptureFixture
) -> None:
    said = "run r-1 has another record 1 with other content"
    async with topics.executor(ACTIONS):
        for step in ("a", "a", "b"):
            await topics.write_raw("r-1", encode(journal(1, requested(step))))
        await until(lambda: said in caplog.text, "the alarm was raised")
        [answer] = await topics.answers(2, wait_s=3)
    assert (answer.step, caplog.text.count(said)) == ("a", 1)


async def test_a_second_executor_takes_its_share_and_gives_it_back(topics: Live) -> None:
    async with topics.executor(ACTIONS, "executor-1") as first:
        async with topics.executor(ACTIONS, "executor-2"):
            await until(lambda: not first.problems(), "the first is ready again")
            for i in range(20):
                await topics.write(f"r-{i}", requested())
            answers = await topics.answers(20)
        assert {answer.instance for answer in answers} == {"executor-1", "executor-2"}
        for i in range(20):
            await topics.write(f"s-{i}", requested())
        # A static member's partitions wait for it until its session times out; then they are the first one's.
        answers = await topics.answers(40, wait_s=20)
    assert len({(answer.run_id) for answer in answers}) == 40


async def test_a_second_process_of_the_same_name_takes_over_and_the_first_one_ends(topics: Live) -> None:
    first = Executor(
        quick_config(topics.servers, topics.prefix), ACTIONS, lambda name: None, CollectorRegistry()
    )
    task = asyncio.create_task(first.run())
    await until(lambda: not first.problems(), "the first is ready")
    async with topics.executor(ACTIONS):
        with pytest.raises(NameTaken, match="PULSEBOOK_INSTANCE"):
            async with asyncio.timeout(20):
                await task


async def test_a_stop_waits_for_what_runs_and_commits_it(topics: Live) -> None:
    slow = GatedAction()
    async with topics.executor({"log": slow}):
        await topics.write("r-1", requested())
        await until(lambda: bool(slow.begun), "the step runs")
        asyncio.get_running_loop().call_later(0.5, slow.gate.set)
    async with topics.executor(ACTIONS):
        assert len(await topics.answers(2, wait_s=2)) == 1


async def test_it_says_that_kafka_is_away_and_still_stops_at_once(topic_prefix: str) -> None:
    config = quick_config("127.0.0.1:1", topic_prefix)
    executor = Executor(config, ACTIONS, lambda name: None, CollectorRegistry())
    task = asyncio.create_task(executor.run())
    await until(lambda: "cannot reach Kafka" in executor.problems()[0], "it says so")
    began = time.monotonic()
    executor.request_stop()
    await task
    assert time.monotonic() - began < 5


async def test_it_names_a_topic_that_is_missing_and_the_way_out(
    kafka_servers: str, topic_prefix: str
) -> None:
    config = quick_config(kafka_servers, topic_prefix)
    executor = Executor(config, ACTIONS, lambda name: None, CollectorRegistry())
    task = asyncio.create_task(executor.run())
    await until(lambda: "pulsebook topics create" in executor.problems()[0], "it says so")
    executor.request_stop()
    await task
