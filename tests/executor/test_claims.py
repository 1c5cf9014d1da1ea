"""Unrepeatable steps: claimed, granted, started once; never started twice whatever happens in between."""

import asyncio

from schemas.events import StepCancelled, StepClaimRefused
from tests.executor.bench import NOW_MS, Bench
from tests.executor.records import EARLIER_ME, ME, OTHER, granted, requested

UNREPEATABLE = requested(repeatable=False)


def refused(instance: str = ME.instance, boot: str = ME.boot) -> StepClaimRefused:
    return StepClaimRefused(
        step="restart", attempt=1, instance=instance, boot=boot, reason="granted to another"
    )


async def claimed(concurrency: int = 2) -> Bench:
    """A bench with one claimed step."""
    bench = Bench(concurrency)
    bench.assign()
    bench.write(UNREPEATABLE)
    await bench.read()
    return bench


async def test_an_unrepeatable_step_is_claimed_and_waits() -> None:
    bench = await claimed()
    [claim] = bench.inbox.claims
    assert (claim.run_id, claim.step, claim.attempt, claim.answers_seq) == ("r-1", "restart", 1, 1)
    assert (claim.instance, claim.boot, claim.booted_at_ms) == (ME.instance, ME.boot, ME.booted_at_ms)
    assert (bench.action.begun, bench.committed) == ([], 0)


async def test_it_starts_when_the_journal_grants_it_to_us_and_starts_once() -> None:
    bench = await claimed()
    bench.write(granted())
    bench.write(granted())
    await bench.read()
    await bench.finish()
    assert bench.action.begun == [("r-1", "restart")]
    assert bench.answer() == ("succeeded", None)
    assert (len(bench.inbox.claims), bench.committed) == (1, 3)


async def test_a_waiting_claim_holds_no_slot() -> None:
    bench = await claimed(concurrency=1)
    bench.write(requested("other"), run_id="r-2")
    await bench.read()
    assert bench.action.begun == [("r-2", "other")]


async def test_a_step_granted_to_another_instance_is_over_for_us() -> None:
    bench = await claimed()
    bench.write(granted(to=OTHER))
    await bench.read()
    assert (bench.action.begun, bench.inbox.answers, bench.committed) == ([], [], 2)


async def test_a_refused_claim_is_over_for_us() -> None:
    bench = await claimed()
    bench.write(refused())
    await bench.read()
    assert (bench.action.begun, bench.inbox.answers, bench.committed) == ([], [], 2)


async def test_a_partition_that_comes_back_does_not_claim_again_what_was_refused() -> None:
    bench = await claimed()
    bench.dispatcher.revoke(0)
    bench.write(refused())
    bench.assign()
    await bench.read()
    assert (len(bench.inbox.claims), bench.committed) == (1, 2)


async def test_a_granted_step_that_finds_no_slot_in_time_fails_and_is_not_unknown() -> None:
    bench = await claimed(concurrency=1)
    bench.write(requested("busy"), run_id="r-2")
    await bench.read()
    bench.write(granted(until_ms=NOW_MS + 10_000))
    await bench.read()
    bench.now_ms += 9_000
    bench.dispatcher.tick()
    assert bench.answer() == ("failed", "timeout")
    assert bench.action.begun == [("r-2", "busy")]


async def test_the_refusal_of_another_executors_claim_changes_nothing() -> None:
    bench = await claimed()
    bench.write(refused(OTHER.instance, OTHER.boot))
    bench.write(granted())
    await bench.read()
    assert len(bench.action.begun) == 1


async def test_after_a_restart_a_step_granted_to_the_boot_before_is_claimed_again_and_not_started() -> None:
    bench = Bench()
    bench.write(UNREPEATABLE)
    bench.write(granted(to=EARLIER_ME))
    bench.assign()
    await bench.read()
    assert [claim.boot for claim in bench.inbox.claims] == [ME.boot]
    assert bench.action.begun == []


async def test_after_a_restart_a_step_granted_to_another_instance_is_left_to_it() -> None:
    bench = Bench()
    bench.write(UNREPEATABLE)
    bench.write(granted(to=OTHER))
    bench.assign()
    await bench.read()
    assert (bench.inbox.sent, bench.committed) == ([], 2)


async def test_a_partition_that_comes_back_starts_a_granted_step_that_had_not_started() -> None:
    bench = await claimed()
    bench.member = False
    bench.write(granted())
    await bench.read()
    bench.dispatcher.revoke(0)
    bench.member = True
    bench.assign()
    await bench.read()
    assert (len(bench.action.begun), len(bench.inbox.claims)) == (1, 1)


async def test_a_partition_that_comes_back_never_starts_a_granted_step_that_had_started() -> None:
    bench = await claimed()
    bench.write(granted())
    await bench.read()
    bench.dispatcher.revoke(0)
    bench.assign()
    await bench.read()
    await bench.finish()
    bench.dispatcher.revoke(0)
    bench.assign()
    await bench.read()
    assert (len(bench.action.begun), len(bench.inbox.answers)) == (1, 1)


async def test_a_zombie_does_not_start_what_it_was_granted() -> None:
    bench = await claimed()
    bench.member = False
    bench.write(granted())
    await bench.read()
    assert bench.action.begun == []
    bench.member = True
    bench.dispatcher.tick()
    await bench.settle()
    assert len(bench.action.begun) == 1


async def test_a_grant_that_ran_out_starts_nothing_and_says_nothing() -> None:
    bench = await claimed()
    bench.write(granted(until_ms=NOW_MS))
    await bench.read()
    assert (bench.action.begun, bench.inbox.answers, bench.committed) == ([], [], 2)


async def test_an_attempt_ends_with_its_grant() -> None:
    bench = await claimed()
    bench.write(granted(until_ms=NOW_MS + 1_500))
    await bench.read()
    assert bench.action.timeouts_s == [1.5]
    await bench.finish()


async def test_a_claim_that_nobody_answers_fails_the_step_in_time_and_a_late_grant_starts_nothing() -> None:
    bench = Bench()
    bench.assign()
    bench.write(requested(repeatable=False, start_by_ms=NOW_MS + 10))
    await bench.read()
    bench.inbox.holds = True
    bench.now_ms += 10
    bench.dispatcher.tick()
    bench.write(granted())
    await bench.read()
    bench.inbox.acknowledge()
    await bench.settle()
    assert bench.action.begun == []
    assert bench.answer() == ("failed", "timeout")
    assert bench.committed == 2


async def test_a_cancelled_claim_gives_its_permit_back() -> None:
    bench = await claimed(concurrency=1)
    bench.write(requested("other", repeatable=False), run_id="r-2")
    await bench.read()
    assert len(bench.inbox.claims) == 1
    bench.write(StepCancelled(step="restart", attempt=1, reason="cancel"))
    await bench.read()
    assert [claim.step for claim in bench.inbox.claims] == ["restart", "other"]


async def test_a_drain_says_that_the_outcome_of_a_stopped_step_is_unknown() -> None:
    bench = await claimed()
    bench.write(granted())
    await bench.read()
    await bench.dispatcher.drain(0.01)
    await asyncio.sleep(0)
    assert bench.answer() == ("unknown", "unknown")
    assert bench.committed == 2


async def test_once_closed_what_was_claimed_starts_with_its_grant_and_nothing_else_begins() -> None:
    """A stop between claim and grant would leave a step in doubt that was never begun."""
    bench = await claimed()
    bench.dispatcher.close()
    assert bench.dispatcher.claimed == 1
    bench.write(granted())
    bench.write(requested("reads"), run_id="r-2")
    bench.write(requested("writes", repeatable=False), run_id="r-3")
    await bench.read()
    assert bench.action.begun == [("r-1", "restart")]
    assert len(bench.inbox.claims) == 1
    assert bench.dispatcher.claimed == 0
    await bench.finish()
    assert bench.answer() == ("succeeded", None)


async def test_once_closed_and_forgotten_by_the_group_not_even_that_starts() -> None:
    bench = await claimed()
    bench.dispatcher.close()
    bench.member = False
    bench.write(granted())
    await bench.read()
    assert bench.action.begun == []


async def test_what_is_claimed_and_has_not_started_is_known_by_partition_until_it_starts() -> None:
    bench = await claimed()
    assert bench.dispatcher.claimed_in([0, 1]) == {0: 1}
    assert bench.dispatcher.claimed_in([1]) == {}
    assert bench.dispatcher.has_read(0, 0) and not bench.dispatcher.has_read(0, 1)
    bench.write(granted())
    await bench.read()
    assert bench.dispatcher.claimed_in([0]) == {}
    bench.dispatcher.revoke(0)
    assert bench.dispatcher.has_read(0, 99), "what is not ours is not read"


async def test_once_open_again_the_others_are_claimed_and_begun() -> None:
    bench = await claimed()
    bench.dispatcher.close()
    bench.write(requested("reads"), run_id="r-2")
    await bench.read()
    assert bench.action.begun == []
    bench.dispatcher.reopen()
    bench.dispatcher.go_live()
    await bench.settle()
    assert bench.action.begun == [("r-2", "reads")]
