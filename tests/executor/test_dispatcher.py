"""Slots, answers, cancels, bounds of waiting, revokes and the drain."""

import asyncio

import pytest

from executor.partition_work import PartitionWork
from schemas.events import BlockEntered, RunEvent, RunFinished, StepCancelled, StepSucceeded
from tests.executor.bench import NOW_MS, Bench
from tests.executor.records import requested

SUCCEEDED = StepSucceeded(step="restart", attempt=1)


async def test_a_step_runs_is_answered_and_lets_the_commit_go_on() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested())
    await bench.read()
    assert bench.committed == 0
    await bench.finish()
    [answer] = bench.inbox.answers
    assert (answer.run_id, answer.step, answer.attempt, answer.answers_seq) == ("r-1", "restart", 1, 1)
    assert (answer.status, answer.output, answer.instance, answer.boot) == (
        "succeeded",
        "done",
        "executor-1",
        "boot-2",
    )
    assert answer.started_at_ms == NOW_MS
    assert bench.committed == 1


async def test_a_step_is_not_finished_before_the_broker_has_its_answer() -> None:
    bench = Bench()
    bench.inbox.holds = True
    bench.assign()
    bench.write(requested())
    await bench.read()
    await bench.finish()
    assert (len(bench.inbox.answers), bench.committed) == (1, 0)
    bench.inbox.acknowledge()
    await bench.settle()
    assert bench.committed == 1


async def test_no_more_steps_run_at_once_than_there_are_slots() -> None:
    bench = Bench(concurrency=2)
    bench.assign()
    bench.write(requested("a"), requested("b"), requested("c"))
    await bench.read()
    assert [step for _, step in bench.action.begun] == ["a", "b"]
    assert bench.dispatcher.in_flight == 2
    await bench.finish()
    assert [step for _, step in bench.action.begun] == ["a", "b", "c"]
    assert bench.committed == 1


async def test_a_slot_is_free_while_an_answer_travels() -> None:
    bench = Bench(concurrency=1)
    bench.inbox.holds = True
    bench.assign()
    bench.write(requested("a"), requested("b"))
    await bench.read()
    await bench.finish()
    assert len(bench.inbox.answers) == 2


async def test_nothing_starts_before_the_journal_was_read_to_its_end() -> None:
    bench = Bench()
    bench.write(requested("a"), run_id="r-1")
    bench.write(requested("b"), run_id="r-2")
    bench.write(RunFinished(status="failed", forget_ms=1), run_id="r-1")
    bench.assign()
    bench.dispatcher.go_live()
    assert (bench.action.begun, bench.dispatcher.behind) == ([], 3)
    await bench.read()
    assert (bench.action.begun, bench.dispatcher.behind) == ([("r-2", "b")], 0)


@pytest.mark.parametrize(
    "event",
    [
        StepCancelled(step="restart", attempt=1, reason="cancel"),
        BlockEntered(block="finally", due_ms=1, status="cancelled"),
        RunFinished(status="failed", forget_ms=1),
    ],
)
async def test_a_step_that_is_no_longer_wanted_is_stopped_and_says_so(event: RunEvent) -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested())
    await bench.read()
    bench.write(event)
    await bench.read()
    assert bench.answer() == ("cancelled", "cancelled")
    assert (bench.dispatcher.in_flight, bench.committed) == (0, 2)


async def test_a_step_cancelled_before_it_began_leaves_its_slot() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested())
    bench.dispatcher.go_live()
    bench.write(StepCancelled(step="restart", attempt=1, reason="cancel"))
    bench.write(requested("next"))
    await bench.read()
    assert [step for _, step in bench.action.begun] == ["next"]


async def test_a_waiting_step_that_is_cancelled_never_starts_and_says_nothing() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested("a"), requested("b"))
    await bench.read()
    bench.write(StepCancelled(step="b", attempt=1, reason="cancel"))
    await bench.read()
    await bench.finish()
    assert [answer.step for answer in bench.inbox.answers] == ["a"]
    assert bench.committed == 2


async def test_a_step_that_another_executor_ended_is_stopped_in_silence() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested())
    await bench.read()
    bench.write(SUCCEEDED)
    await bench.read()
    assert (bench.inbox.answers, bench.dispatcher.in_flight, bench.committed) == ([], 0, 2)


async def test_the_journal_may_show_our_own_answer_before_the_broker_acknowledges_it() -> None:
    bench = Bench()
    bench.inbox.holds = True
    bench.assign()
    bench.write(requested())
    await bench.read()
    await bench.finish()
    bench.write(SUCCEEDED)
    await bench.read()
    bench.inbox.acknowledge()
    await bench.settle()
    assert bench.answer() == ("succeeded", None)
    assert bench.committed == 2


async def test_a_step_that_waited_too_long_for_a_slot_fails_and_never_starts() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested("a"), requested("b", start_by_ms=NOW_MS + 10))
    await bench.read()
    bench.now_ms += 10
    bench.dispatcher.tick()
    assert bench.answer() == ("failed", "timeout")
    await bench.finish()
    assert [step for _, step in bench.action.begun] == ["a"]
    assert bench.committed == 1


@pytest.mark.parametrize("bound", ["start_by_ms", "deadline_ms"])
async def test_a_step_that_is_read_too_late_fails_and_never_starts(bound: str) -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested("restart", 1, **{bound: NOW_MS}))
    await bench.read()
    assert bench.answer() == ("failed", "timeout")
    assert bench.action.begun == []


async def test_an_attempt_ends_with_the_deadline_of_its_step() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested(timeout_ms=60_000, deadline_ms=NOW_MS + 2_500))
    await bench.read()
    assert bench.action.timeouts_s == [2.5]
    await bench.finish()


async def test_a_restart_runs_again_what_was_not_answered_and_nothing_else() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested(), run_id="r-1")
    bench.write(requested(), run_id="r-2")
    await bench.read()
    again = bench.restarted()
    await again.read()
    assert again.action.begun == [("r-1", "restart"), ("r-2", "restart")]
    await bench.finish()
    third = bench.restarted()
    await third.read()
    assert third.action.begun == []


async def test_a_lost_partition_forgets_what_waits_and_lets_finish_what_runs() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested("a"), requested("b"))
    await bench.read()
    bench.dispatcher.revoke(0)
    await bench.finish()
    assert [step for _, step in bench.action.begun] == ["a"]
    assert bench.answer() == ("succeeded", None)
    assert bench.dispatcher.positions() == {}


async def test_a_partition_that_comes_back_does_not_start_again_what_still_runs() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested())
    await bench.read()
    bench.dispatcher.revoke(0)
    bench.assign()
    await bench.read()
    assert len(bench.action.begun) == 1
    await bench.finish()
    assert len(bench.inbox.answers) == 1
    assert bench.committed == 1


async def test_a_partition_that_comes_back_does_not_start_again_what_was_answered_meanwhile() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested())
    await bench.read()
    bench.dispatcher.revoke(0)
    await bench.finish()
    bench.assign()
    await bench.read()
    assert (len(bench.action.begun), bench.committed) == (1, 1)


async def test_reading_pauses_only_while_slots_are_busy_and_much_is_open() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested("a"), run_id="r-1")
    bench.write(requested("b", repeatable=False), run_id="r-2")
    await bench.read()
    assert bench.dispatcher.is_full(steps_max=2, bytes_max=10**9)
    assert bench.dispatcher.is_full(steps_max=9, bytes_max=200)
    assert not bench.dispatcher.is_full(steps_max=3, bytes_max=10**9)
    await bench.finish()
    assert not bench.dispatcher.is_full(steps_max=1, bytes_max=10**9)


async def test_reading_goes_on_while_a_partition_has_not_been_read_to_its_end() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested("a"))
    await bench.read()
    assert bench.dispatcher.is_full(steps_max=1, bytes_max=1)
    bench.dispatcher.assign(PartitionWork(1, 0, "", 5))
    assert not bench.dispatcher.is_full(steps_max=1, bytes_max=1)


async def test_a_drain_lets_running_steps_finish_and_starts_no_others() -> None:
    bench = Bench(concurrency=1)
    bench.assign()
    bench.write(requested("a"), requested("b"))
    await bench.read()
    draining = asyncio.create_task(bench.dispatcher.drain(5))
    await bench.settle()
    await bench.finish()
    await draining
    assert [answer.step for answer in bench.inbox.answers] == ["a"]
    assert [step for _, step in bench.action.begun] == ["a"]


async def test_a_drain_stops_repeatable_steps_in_silence_after_the_grace() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested())
    await bench.read()
    await bench.dispatcher.drain(0.01)
    assert (bench.inbox.answers, bench.dispatcher.in_flight, bench.committed) == ([], 0, 0)


async def test_an_unreadable_record_is_passed_over() -> None:
    bench = Bench()
    bench.assign()
    bench.dispatcher.skip(0, 0)
    assert bench.committed == 1
