"""An alert whose schema nobody can be asked for holds its own partition, in order, and nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from faust.types import TP

from schemas.confluent import WriterSchema
from schemas.decisions import AlertMatched
from schemas.errors import SchemaUnavailable
from tests.streams.agents.bench import AgentBench, match_bench
from tests.streams.bench import Bench, Ended, settled
from tests.streams.books import Followed, received

FRAMED = b'\x00\x00\x00\x00\x07{"title": "CPU is high"}'
HERE = TP("p.in", 0)


class Registry:
    """A registry that is away until it is told to come back."""

    def __init__(self) -> None:
        self.away = True
        self.hangs = False
        self.calls = 0

    async def schema(self, schema_id: int) -> WriterSchema:
        self.calls += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise SchemaUnavailable("the schema registry does not answer: ConnectError")
        return WriterSchema(None)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setattr("streams.holding.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("streams.agents.match.FIRST_WAIT_S", 0.01)
    return Registry()


@pytest.fixture
async def one(bench: Bench, registry: Registry) -> AgentBench:
    return await match_bench(bench, Followed(), registry.schema)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def matched(sent: list[tuple[str, Any]]) -> list[int]:
    """Offsets of the alerts that were decided on, in that order."""
    return [record.offset for _, record in sent if isinstance(record, AlertMatched)]


async def test_a_registry_that_is_away_makes_no_dead_letter_and_other_partitions_go_on(
    bench: Bench, one: AgentBench
) -> None:
    assert await one.take(FRAMED) == []
    assert await one.take(received(1)) == []
    assert len(await one.take(received(2), offset=0, partition=1)) == 2
    assert bench.consumer.acked == [0]
    assert bench.consumer.paused == {HERE}


async def test_when_it_is_back_everything_that_waits_is_handled_in_order(
    bench: Bench, one: AgentBench, registry: Registry
) -> None:
    await one.take(FRAMED)
    await one.take(received(1))
    await one.take(FRAMED)
    registry.away = False
    await until(lambda: one.agent.holding.count() == 0)
    await settled()
    assert matched(one.sent()) == [0, 1, 2]
    assert bench.consumer.acked == [0, 1, 2]
    assert bench.consumer.paused == set()
    assert matched(await one.take(received(2))) == [3]


async def test_a_registry_that_hangs_holds_up_the_others_for_a_moment_only_and_only_once(
    one: AgentBench, registry: Registry
) -> None:
    registry.hangs = True
    async with asyncio.timeout(1):
        await one.take(FRAMED)
        assert len(await one.take(received(1), offset=0, partition=1)) == 2
        await one.take(FRAMED, offset=1, partition=1)
    assert len(one.agent.holding) == 2


async def test_it_says_in_one_sentence_what_waits_for_what(
    bench: Bench, one: AgentBench, caplog: pytest.LogCaptureFixture
) -> None:
    await one.take(FRAMED)
    await one.take(received(1))
    [sentence] = one.agent.holding.missing()
    assert sentence == (
        "the schema registry does not answer: ConnectError: partition 0 of p.in is held at offset 0 for 0 s "
        "until that can be asked, 2 messages wait"
    )
    await asyncio.sleep(0.1)
    assert len([line for line in caplog.messages if "is held at offset 0" in line]) == 1
    assert bench.metrics.held_partitions._value.get() == 1
    assert bench.metrics.held_alerts._value.get() == 2


async def test_neither_a_rebalance_nor_a_stop_waits_for_what_is_held(
    bench: Bench, one: AgentBench, registry: Registry
) -> None:
    await one.take(FRAMED)
    assert bench.consumer.aside == [0]
    one.agent.holding.revoke({HERE})
    registry.away = False
    calls = registry.calls
    await asyncio.sleep(0.1)
    assert registry.calls == calls
    assert one.agent.holding.missing() == []
    await one.take(FRAMED)
    registry.away = True
    await one.agent.holding.stop()
    assert bench.broker.of("p.dead-letters") == []


async def test_a_fault_of_ours_behind_what_was_held_ends_the_process(
    one: AgentBench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.take(FRAMED)
    ends: list[str] = []

    def end(reason: str, code: int) -> None:
        ends.append(reason)
        raise Ended(reason)

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(one.bench.app, "end", end)
    monkeypatch.setattr(one.agent, "_handle", broken)
    registry.away = False
    await until(lambda: bool(ends))
    assert ends[0].startswith("what was held of p.in failed: ZeroDivisionError")
