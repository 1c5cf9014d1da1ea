"""L1, L2, L5, L7 and lost fetches: each is shown to lose records upstream, and not to lose them with ours."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import pytest

from tests.streams.hardened.bench import INPUT, Bench, Ended

MakeBench = Callable[..., Awaitable[Bench]]

BOTH = pytest.mark.parametrize("ours", [False, True], ids=["upstream", "ours"])


@pytest.fixture
async def bench() -> AsyncIterator[MakeBench]:
    made: list[Bench] = []

    async def make(ours: bool, committed: int | None, offsets: Iterable[int]) -> Bench:
        made.append(Bench(ours, committed, offsets))
        await made[-1].start()
        return made[-1]

    yield make
    for one in made:
        await one.stop()


@BOTH
async def test_l1_a_commit_never_passes_a_message_that_is_under_way(bench: MakeBench, ours: bool) -> None:
    one = await bench(ours, 2585, range(2585, 2590))
    messages = await one.take(5)
    one.ack(messages[1:])
    assert one.committable() == (None if ours else 2590)
    if ours:
        one.ack(messages[:1])
        assert one.committable() == 2590


@BOTH
async def test_l2_a_gap_in_the_topic_does_not_swallow_the_message_behind_it(
    bench: MakeBench, ours: bool
) -> None:
    one = await bench(ours, 10, [10, 11, 15, 16])
    messages = await one.take(4)
    one.ack([messages[0], messages[1], messages[3]])
    assert one.committable() == (15 if ours else 17)


@BOTH
async def test_l5_a_commit_that_failed_is_tried_again(bench: MakeBench, ours: bool) -> None:
    one = await bench(ours, 10, [10, 11])
    one.ack(await one.take(2))
    one.thread.commit_works = False
    assert not await one.consumer.commit()
    one.thread.commit_works = True
    await one.consumer.commit()
    assert one.thread.commits == ([{INPUT: 12}, {INPUT: 12}] if ours else [{INPUT: 12}])


@BOTH
async def test_l7_an_ack_from_before_a_rebalance_counts_for_nothing(bench: MakeBench, ours: bool) -> None:
    one = await bench(ours, 10, [10, 11, 12])
    stale = await one.take(3)
    one.app.consumer_generation_id = 2
    one.consumer.stop_flow()
    await one.consumer.perform_seek()
    one.consumer.resume_flow()
    again = await one.take(3)
    one.ack(again[:2])
    one.ack(stale[2:])
    assert one.committable() == (12 if ours else 13)


@BOTH
async def test_a_fetch_that_is_lost_on_the_way_is_fetched_again(bench: MakeBench, ours: bool) -> None:
    one = await bench(ours, 10, [10, 11])
    one.ack(await one.take(2))
    one.thread.lose_next_fetch = True
    one.thread.log += [12, 13]
    assert await one.take_all() == []
    one.thread.log += [14]
    seen = await one.take_all()
    assert seen == ([12, 13, 14] if ours else [14])


async def test_offsets_that_do_not_exist_cost_one_more_fetch_and_nothing_else(bench: MakeBench) -> None:
    one = await bench(True, 10, [10])
    one.ack(await one.take(1))
    one.thread.log += [20, 21]
    messages = await one.take(2)
    assert [message.offset for message in messages] == [20, 21]
    assert one.thread.seeks == [10, 11]
    one.ack(messages)
    assert one.committable() == 22


async def test_what_was_fetched_before_the_flow_stopped_is_not_handed_over_after_it(bench: MakeBench) -> None:
    one = await bench(True, 10, [10])
    one.ack(await one.take(1))
    one.thread.on_fetch = one.consumer.stop_flow
    one.thread.log += [11, 12]
    assert await one.take_all() == []
    one.thread.on_fetch = lambda: None
    one.thread.committed_offset = 11
    await one.consumer.perform_seek()
    one.consumer.resume_flow()
    assert await one.take_all() == [11, 12]


async def test_without_a_commit_reading_starts_from_the_watermark(bench: MakeBench) -> None:
    one = Bench(True, None, range(5, 10))
    one.app.covered = lambda tp: 7
    await one.start()
    assert await one.take_all() == [8, 9]
    await one.stop()


async def test_without_a_commit_or_watermark_reading_starts_at_the_oldest_record(bench: MakeBench) -> None:
    one = await bench(True, None, range(5, 8))
    assert await one.take_all() == [5, 6, 7]


async def test_a_watermark_beyond_the_commit_is_where_reading_goes_on(bench: MakeBench) -> None:
    one = Bench(True, 6, range(5, 10))
    one.app.covered = lambda tp: 8
    await one.start()
    assert await one.take_all() == [9]
    await one.stop()


async def test_a_topic_that_ends_before_what_was_read_is_refused() -> None:
    one = Bench(True, 600, range(5, 10))
    with pytest.raises(Ended, match="ends at offset 10, but it had been read up to 600"):
        await one.start()


async def test_a_full_queue_holds_the_drain_loop_back_until_there_is_room(bench: MakeBench) -> None:
    one = await bench(True, 10, [10])
    one.ack(await one.take(1))

    class Full:
        queue = one.app.FlowControlQueue(maxsize=1)

    Full.queue.force_put_nowait(object())
    one.app.topics._tp_index[INPUT] = {Full}
    one.thread.log += [11]
    assert await one.take_all() == []
    Full.queue.get_nowait()
    assert await one.take_all() == [11]


async def test_revoked_partitions_are_committed_first_and_forgotten_then(bench: MakeBench) -> None:
    one = await bench(True, 10, [10, 11])
    one.ack(await one.take(2))

    async def revoked(tps: object) -> None:
        await one.consumer.commit()

    one.consumer._on_partitions_revoked = revoked
    await one.consumer.on_partitions_revoked({INPUT})
    assert one.thread.commits == [{INPUT: 12}]
    assert INPUT not in one.consumer.progress()


async def test_messages_that_concern_no_agent_are_passed_over_and_committed(bench: MakeBench) -> None:
    one = await bench(True, 10, [10])
    one.ack(await one.take(1))
    one.app.ignores = lambda record: record.offset != 12
    one.thread.log += [11, 12, 13]
    messages = await one.take(1)
    assert [message.offset for message in messages] == [12]
    assert one.committable() == 12
    one.ack(messages)
    assert one.committable() == 14
