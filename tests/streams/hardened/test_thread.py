"""The consumer's thread: short fetch waits, and a lease that heartbeats renew."""

import asyncio
from typing import Any, NamedTuple

import faust
import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    CoordinatorNotAvailableError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    NoError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from streams.hardened.thread import LeasedCoordinator, sibling_loop
from streams.lease import Lease
from streams.options import AT_ONCE
from tests.streams.hardened.bench import Ended, ended, hardened_app


def made_consumer(app: Any) -> Any:
    thread = app.consumer._thread
    consumer = thread._create_worker_consumer(app.consumer.transport)
    consumer._closed = True
    thread.thread_loop.close()
    return consumer


async def test_upstream_waits_a_second_and_a_half_for_an_idle_partition_ours_does_not() -> None:
    assert made_consumer(faust.App("app", broker="kafka://127.0.0.1:1"))._fetch_max_wait_ms == 1_500
    assert made_consumer(hardened_app())._fetch_max_wait_ms == AT_ONCE.wait_ms


class Answer(NamedTuple):
    """A heartbeat's answer."""

    error_code: int


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def coordinator(clock: Clock) -> Any:
    """aiokafka's coordinator without its consumer, made ours as the thread does it."""
    coordinator: Any = GroupCoordinator.__new__(GroupCoordinator)
    coordinator.__class__ = LeasedCoordinator
    coordinator.lease = Lease(10.0, clock=clock, end=ended)
    coordinator.lease.assigned()
    coordinator.group_id, coordinator.generation, coordinator.member_id = "g", 3, "m-1"
    coordinator._rejoin_needed_fut = asyncio.Future()
    coordinator.coordinator_id = 1
    coordinator._coordinator_dead_fut = asyncio.Future()
    coordinator._client = None
    return coordinator


def answers(coordinator: Any, clock: Clock, error: type[KafkaError], after_s: float = 0.0) -> None:
    async def send(request: object) -> Answer:
        clock.now_s += after_s
        return Answer(error.errno)

    coordinator._send_req = send


@pytest.mark.parametrize("error", [NoError, RebalanceInProgressError])
async def test_a_heartbeat_that_was_answered_well_renews_the_lease_from_when_it_was_asked(
    coordinator: Any, clock: Clock, error: type[KafkaError]
) -> None:
    clock.now_s = 9
    answers(coordinator, clock, error, after_s=2)
    assert await coordinator._do_heartbeat()
    assert coordinator.lease.age_s() == 2


async def test_a_heartbeat_that_failed_renews_nothing(coordinator: Any, clock: Clock) -> None:
    clock.now_s = 9
    answers(coordinator, clock, GroupCoordinatorNotAvailableError)
    assert not await coordinator._do_heartbeat()
    assert coordinator.lease.age_s() == 9


async def test_a_heartbeat_without_an_answer_renews_nothing(coordinator: Any, clock: Clock) -> None:
    async def send(request: object) -> Answer:
        raise CoordinatorNotAvailableError

    coordinator._send_req = send
    clock.now_s = 9
    assert not await coordinator._do_heartbeat()
    assert coordinator.lease.age_s() == 9


async def test_a_member_that_the_coordinator_does_not_know_ends_at_once(
    coordinator: Any, clock: Clock
) -> None:
    answers(coordinator, clock, UnknownMemberIdError)
    with pytest.raises(Ended, match="does not know this member"):
        await coordinator._do_heartbeat()


async def test_the_thread_gets_a_loop_of_the_kind_that_runs() -> None:
    loop = sibling_loop(asyncio.get_running_loop())
    assert type(loop) is type(asyncio.get_running_loop())
    loop.close()
