"""A lease that has lapsed lets nothing be written: until the coordinator says that it knows us still, or for
good.
"""

import asyncio

import pytest

from streams.ending import EXIT_BROKEN
from streams.lease import LOOK_EVERY_S, WORD_WITHIN_S, Lease, clock_s


class Ended(Exception):
    """The process would have ended."""


def end(reason: str, code: int) -> None:
    assert code == EXIT_BROKEN
    raise Ended(reason)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(clock: Clock) -> Lease:
    lease = Lease(10.0, clock=clock, end=end)  # type: ignore[arg-type]  # raises instead of ending
    lease.assigned()
    return lease


def test_a_fresh_lease_lets_write(lease: Lease, clock: Clock) -> None:
    clock.now_s += 9.9
    lease.check()


def test_a_process_that_was_stopped_for_a_session_timeout_ends_when_it_wants_to_write(
    lease: Lease, clock: Clock
) -> None:
    clock.now_s += 10.0
    with pytest.raises(Ended, match=r"the last heartbeat is 10\.0 s old"):
        lease.check()


def test_a_heartbeat_counts_from_when_it_was_asked(lease: Lease, clock: Clock) -> None:
    asked_s = lease.now_s()
    clock.now_s += 8
    lease.renewed(asked_s)
    clock.now_s += 2
    with pytest.raises(Ended):
        lease.check()


def test_a_late_answer_does_not_turn_the_lease_back(lease: Lease, clock: Clock) -> None:
    clock.now_s += 5
    lease.renewed(lease.now_s())
    lease.renewed(100.0)
    assert lease.age_s() == 0


def test_without_partitions_nothing_lapses(lease: Lease, clock: Clock) -> None:
    lease.revoked()
    clock.now_s += 1_000
    lease.check()
    assert not lease.lapsed()
    lease.lost("unknown member")


def test_being_unknown_to_the_coordinator_ends_a_process_that_holds_partitions(lease: Lease) -> None:
    with pytest.raises(Ended, match="unknown member"):
        lease.lost("unknown member")


async def test_a_write_waits_while_nobody_says_whether_we_are_members_and_goes_on_when_we_are(
    lease: Lease, clock: Clock
) -> None:
    """A broker was away, and with it the coordinator: nobody else can have been given our partitions."""
    clock.now_s += 10.0
    writing = asyncio.create_task(lease.ready())
    await asyncio.sleep(3 * LOOK_EVERY_S)
    assert not writing.done()
    lease.renewed(lease.now_s())
    await asyncio.wait_for(writing, 1)


async def test_a_good_heartbeat_of_before_the_lapse_lets_no_write_go_on(lease: Lease, clock: Clock) -> None:
    asked_s = lease.now_s()
    clock.now_s += 10.0
    writing = asyncio.create_task(lease.ready())
    lease.renewed(asked_s)
    await asyncio.sleep(3 * LOOK_EVERY_S)
    assert not writing.done()
    writing.cancel()


@pytest.mark.parametrize("again", [False, True])
async def test_a_write_that_waited_ends_the_process_when_the_partitions_moved_meanwhile(
    lease: Lease, clock: Clock, again: bool
) -> None:
    clock.now_s += 10.0
    writing = asyncio.create_task(lease.ready())
    await asyncio.sleep(LOOK_EVERY_S)
    lease.revoked()
    if again:
        lease.assigned()
    with pytest.raises(Ended, match="the partitions moved"):
        await asyncio.wait_for(writing, 1)


async def test_a_write_does_not_wait_for_ever(lease: Lease, clock: Clock) -> None:
    clock.now_s += 10.0
    writing = asyncio.create_task(lease.ready())
    await asyncio.sleep(LOOK_EVERY_S)
    clock.now_s += WORD_WITHIN_S
    with pytest.raises(Ended, match="lapsed"):
        await asyncio.wait_for(writing, 1)


async def test_nothing_is_waited_for_while_the_lease_holds(lease: Lease) -> None:
    writing = lease.ready()
    with pytest.raises(StopIteration):
        writing.send(None)


def test_the_clock_goes_on() -> None:
    assert clock_s() <= clock_s()
