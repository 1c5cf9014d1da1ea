"""A lease that has lapsed ends the process; one that is given back, or renewed in time, does not."""

import pytest

from streams.ending import EXIT_BROKEN
from streams.lease import Lease, clock_s


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


def test_the_clock_goes_on() -> None:
    assert clock_s() <= clock_s()
