"""A closed partition's messages wait in order; others go through; what waits belongs to its owner."""

import asyncio

import pytest
from faust.types import TP, Message

from streams.gate import Gate
from tests.streams.bench import Bench, Ended, message, settled

HERE = TP("p.in", 0)


class Agent:
    """Notes what it handles; `hold` keeps it at it."""

    name = "agent"

    def __init__(self) -> None:
        self.handled: list[tuple[int, int]] = []
        self.hold: asyncio.Event | None = None

    async def handle(self, message: Message) -> None:
        if self.hold is not None:
            await self.hold.wait()
        if message.value == b"fault":
            raise ZeroDivisionError
        self.handled.append((message.partition, message.offset))


@pytest.fixture
def agent() -> Agent:
    return Agent()


@pytest.fixture
def gate(bench: Bench, agent: Agent) -> Gate:
    return Gate(bench.app, "p.in").before(agent)


async def take(gate: Gate, *offsets: int, partition: int = 0, value: bytes = b"") -> None:
    for offset in offsets:
        await gate.handle(message(offset, value, partition=partition))


async def test_messages_of_a_closed_partition_wait_and_are_handled_in_order_when_it_opens(
    bench: Bench, gate: Gate, agent: Agent
) -> None:
    await take(gate, 1)
    gate.close(0)
    await take(gate, 2, 3)
    await take(gate, 9, partition=1)
    assert agent.handled == [(0, 1), (1, 9)]
    assert gate.count() == 2 and gate.is_closed(0) and not gate.is_closed(1)
    assert bench.consumer.aside == [2, 3]
    assert bench.consumer.paused == {HERE}

    await gate.open(0)
    await take(gate, 4)

    assert agent.handled == [(0, 1), (1, 9), (0, 2), (0, 3), (0, 4)]
    assert gate.count() == 0 and not gate.is_closed(0)
    assert bench.consumer.paused == set()


async def test_what_comes_while_it_opens_waits_behind_what_waited(gate: Gate, agent: Agent) -> None:
    gate.close(0)
    await take(gate, 1, 2)
    agent.hold = asyncio.Event()
    opening = asyncio.create_task(gate.open(0))
    await settled()
    await take(gate, 3)
    agent.hold.set()
    await opening

    assert agent.handled == [(0, 1), (0, 2), (0, 3)]


async def test_it_tells_which_partition_the_agent_is_at(gate: Gate, agent: Agent) -> None:
    agent.hold = asyncio.Event()
    handling = asyncio.create_task(take(gate, 1))
    await settled()
    assert gate.is_handling(0) and not gate.is_handling(1)
    agent.hold.set()
    await handling
    assert not gate.is_handling(0)


async def test_what_waits_is_forgotten_with_its_partition(gate: Gate, agent: Agent) -> None:
    gate.close(0)
    await take(gate, 1)
    gate.revoke({TP("p.other", 0)})
    assert gate.count() == 1
    gate.revoke({HERE})
    await take(gate, 2)
    await gate.open(0)

    assert agent.handled == [(0, 2)]


async def test_a_fault_in_what_waited_ends_the_process(gate: Gate) -> None:
    gate.close(0)
    await take(gate, 1, value=b"fault")

    with pytest.raises(Ended, match=r"what waited of p\.in failed: ZeroDivisionError"):
        await gate.open(0)
