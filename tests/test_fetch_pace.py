"""How long a fetch waits: by what came in the last window, and back again when little comes."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from fetch_pace import BUSY_RECORDS_S, WINDOW_S, Fetching, FetchPace

CALM, BUSY = Fetching(min_bytes=1, wait_ms=50), Fetching(min_bytes=16_384, wait_ms=20)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def consumer_of_a_test() -> Any:
    return SimpleNamespace(_fetcher=SimpleNamespace(_fetch_min_bytes=1, _fetch_max_wait_ms=50))


def asked(consumer: Any) -> Fetching:
    return Fetching(consumer._fetcher._fetch_min_bytes, consumer._fetcher._fetch_max_wait_ms)


def drain(pace: FetchPace, clock: Clock, consumer: Any, records_s: float, seconds: float = 1.0) -> None:
    for _ in range(round(seconds / 0.05)):
        clock.now_s += 0.05
        pace.drained(consumer, round(records_s * 0.05))


def test_it_waits_for_more_while_many_come_and_no_longer_once_few_do(clock: Clock) -> None:
    pace, consumer = FetchPace(CALM, BUSY, now_s=clock), consumer_of_a_test()
    drain(pace, clock, consumer, BUSY_RECORDS_S / 2)
    assert asked(consumer) == CALM
    drain(pace, clock, consumer, BUSY_RECORDS_S * 2)
    assert asked(consumer) == BUSY
    drain(pace, clock, consumer, 0)
    assert asked(consumer) == CALM


def test_a_burst_shorter_than_the_window_changes_nothing(clock: Clock) -> None:
    pace, consumer = FetchPace(CALM, BUSY, now_s=clock), consumer_of_a_test()
    clock.now_s += WINDOW_S / 2
    pace.drained(consumer, 10_000)
    assert asked(consumer) == CALM


def test_a_consumer_that_replaces_another_is_told_too(clock: Clock) -> None:
    pace = FetchPace(CALM, BUSY, now_s=clock)
    drain(pace, clock, consumer_of_a_test(), BUSY_RECORDS_S * 2)
    other = consumer_of_a_test()
    drain(pace, clock, other, BUSY_RECORDS_S * 2, seconds=WINDOW_S + 0.1)
    assert asked(other) == BUSY


@pytest.mark.kafka
async def test_aiokafka_asks_as_it_is_told(kafka_servers: str, clock: Clock) -> None:
    """The two names are aiokafka's own: a fetcher that had others would go on as before."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka_servers)
    await consumer.start()
    await asyncio.sleep(0)  # aiokafka 0.14: stopped before its own task ran, it raises CancelledError
    try:
        assert asked(consumer) == Fetching(1, 500)
        drain(FetchPace(CALM, BUSY, now_s=clock), clock, consumer, BUSY_RECORDS_S * 2)
        assert asked(consumer) == BUSY
    finally:
        await consumer.stop()
