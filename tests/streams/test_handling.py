"""L6 and the last line of defence: what an agent raises acks nothing and ends the process."""

import asyncio
from typing import Any

import pytest

from streams.handling import register
from tests.streams.hardened.bench import Bench, Ended


class Failing:
    """A handler that meets something nobody thought of."""

    name = "failing"

    async def handle(self, message: Any) -> None:
        raise RuntimeError("secret content")


async def with_message(ours: bool) -> tuple[Bench, Any, Any]:
    """A worker that has read one message, and the stream on which its agent gets it."""
    bench = Bench(ours, 10, [10, 11])
    await bench.start()
    message = await bench.queue.get()
    message.incref()
    channel = bench.app.channel(value_type=bytes)
    stream = bench.app.stream(channel)
    await stream.channel.put(bench.app.create_event(message.key, message.value, {}, message))
    return bench, stream, message


async def test_l6_upstream_commits_past_a_message_whose_agent_failed() -> None:
    bench, stream, message = await with_message(ours=False)
    events = stream.events()
    with pytest.raises(RuntimeError):
        async for event in events:
            await Failing().handle(event.message)
    await events.aclose()
    del events
    await asyncio.sleep(0.05)
    assert message.acked
    assert bench.committable() == 11
    await bench.stop()


async def test_l6_ours_acks_nothing_and_ends_the_process_without_telling_what_was_in_the_message() -> None:
    bench, stream, message = await with_message(ours=True)
    in_hand: list[object] = []
    register(bench.app, "p.in", Failing(), in_hand.append)
    [agent] = bench.app.agents.values()
    with pytest.raises(Ended, match=r"the agent failing failed: RuntimeError at test_handling\.py") as ended:
        await agent.fun(stream)
    await stream.stop()
    assert "secret content" not in str(ended.value)
    assert not message.acked
    assert bench.committable() is None
    assert [getattr(one, "offset", None) for one in in_hand] == [message.offset]
    await bench.stop()
