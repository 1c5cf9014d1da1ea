import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from connectors.errors import NotDurable, NotReachable, PermanentFailure, TooLarge
from connectors.event_log import EventLogReader
from connectors.event_log_writer import EventLogWriter
from connectors.topic_ids import topic_ids
from connectors.topics_admin import PlannedTopic, create_topics, planned_topics
from schemas.errors import MalformedMessage
from schemas.inbox import StepFinished, TimerFired
from schemas.outgoing import Cause, Outgoing
from schemas.topics import ADMISSIONS, ALERTS, CATALOG, RUN_INBOX, Topic

NOWHERE = {"bootstrap_servers": "127.0.0.1:1"}
USED = (RUN_INBOX, ADMISSIONS, CATALOG)


def fired(timer: str, row: str = "r-1", topic: Topic = RUN_INBOX) -> Outgoing:
    return Outgoing(topic, row, TimerFired(row=row, timer=timer, due_ms=1))


@pytest.fixture
async def kafka(kafka_servers: str, topic_prefix: str) -> dict[str, Any]:
    kafka = {"bootstrap_servers": kafka_servers}
    names = {topic_prefix + topic.name for topic in USED}
    await create_topics(kafka, [one for one in planned_topics(topic_prefix, 2, 1) if one.name in names])
    return kafka


def timers(entries: list[Any]) -> list[str]:
    return [entry.record.timer for entry in entries]


async def all_of(reader: EventLogReader, **where: Any) -> list[Any]:
    return [entry async for batch in reader.read(**where) for entry in batch]


@pytest.mark.kafka
async def test_what_was_written_is_read_where_the_writer_said(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    async with EventLogWriter(kafka, topic_prefix) as writer:
        written = await writer.send(fired("run"))
    (entry,) = await all_of(EventLogReader(kafka, USED, topic_prefix))
    assert entry.record == TimerFired(row="r-1", timer="run", due_ms=1)
    assert entry.key == b"r-1"
    assert entry.cause == Cause("run-inbox", written.partition, written.offset, written.at_ms)
    assert (written.topic, written.offset) == ("run-inbox", 0)


@pytest.mark.kafka
async def test_records_of_a_key_keep_the_order_of_the_calls(kafka: dict[str, Any], topic_prefix: str) -> None:
    wanted = [f"t{number}" for number in range(2_000)]
    async with EventLogWriter(kafka, topic_prefix) as writer:
        await asyncio.gather(*[writer.start(fired(timer)) for timer in wanted])
    assert timers(await all_of(EventLogReader(kafka, [RUN_INBOX], topic_prefix))) == wanted


# Positive murmur2 hashes of org.apache.kafka.common.utils.UtilsTest, modulo 2.
JAVA_PARTITIONS = {
    "21": 1_173_551_340 % 2,
    "foobar": 1_357_151_166 % 2,
    "a-little-bit-longer-string": 661_178_819 % 2,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": 2_088_585_677 % 2,
}


@pytest.mark.kafka
async def test_the_same_key_lies_in_the_partition_that_a_java_client_takes(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    async with EventLogWriter(kafka, topic_prefix) as writer:
        sent = {key: await writer.send(fired("t", key)) for key in JAVA_PARTITIONS}
    assert {key: written.partition for key, written in sent.items()} == JAVA_PARTITIONS


@pytest.mark.kafka
async def test_reading_ends_at_the_present_end_and_starts_where_told(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    reader = EventLogReader(kafka, USED, topic_prefix)
    assert await all_of(reader) == []
    assert await reader.ends() == {}
    async with EventLogWriter(kafka, topic_prefix) as writer:
        for timer in ("a", "b", "c", "d"):
            place = await writer.send(fired(timer, topic=CATALOG))
    assert await reader.ends() == {("catalog", 0): 4}
    assert timers(await all_of(reader, positions={("catalog", 0): 2})) == ["c", "d"]
    assert timers(await all_of(reader, until={("catalog", 0): 3})) == ["a", "b", "c"]
    assert timers(await all_of(reader, positions={("catalog", 0): 4})) == []
    assert timers(await all_of(reader, positions=await reader.offsets_at(place.at_ms + 60_000))) == []
    assert await all_of(reader, positions=await reader.offsets_at(0)) == await all_of(reader)


@pytest.mark.kafka
async def test_the_marker_of_a_transaction_does_not_hold_up_the_end(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    producer = AIOKafkaProducer(**kafka, transactional_id=f"{topic_prefix}tx")
    await producer.start()
    async with producer.transaction():
        await producer.send(f"{topic_prefix}catalog", b"in a transaction", key=b"k")
    await producer.stop()
    reader = EventLogReader(kafka, [CATALOG], topic_prefix)
    async with asyncio.timeout(10):
        # The marker is written after the commit was answered.
        while await reader.ends() != {("catalog", 0): 2}:
            await asyncio.sleep(0.05)
        assert [entry.value for entry in await all_of(reader)] == [b"in a transaction"]


@pytest.mark.kafka
async def test_a_message_that_is_no_record_is_read_as_malformed_and_the_next_one_as_it_is(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    producer = AIOKafkaProducer(**kafka)
    await producer.start()
    await producer.send_and_wait(f"{topic_prefix}catalog", b"garbage", headers=[("endpoint", b"prod")])
    await producer.send_and_wait(f"{topic_prefix}catalog", None, key=b"k")
    await producer.stop()
    async with EventLogWriter(kafka, topic_prefix) as writer:
        await writer.send(fired("t", topic=CATALOG))
    garbage, nothing, good = await all_of(EventLogReader(kafka, [CATALOG], topic_prefix))
    assert isinstance(garbage.record, MalformedMessage) and isinstance(nothing.record, MalformedMessage)
    assert (garbage.key, garbage.headers, nothing.value) == (None, (("endpoint", b"prod"),), None)
    assert isinstance(good.record, TimerFired)


@pytest.mark.kafka
async def test_following_goes_on_where_it_was_told_and_waits_for_more(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    reader = EventLogReader(kafka, [RUN_INBOX], topic_prefix)
    async with EventLogWriter(kafka, topic_prefix) as writer:
        first = await writer.send(fired("a"))
        await writer.send(fired("b"))
        async with (
            aclosing(reader.follow({("run-inbox", first.partition): 1})) as batches,
            asyncio.timeout(10),
        ):
            assert timers(await anext(batches)) == ["b"]
            await writer.send(fired("c"))
            assert timers(await anext(batches)) == ["c"]


@pytest.mark.kafka
async def test_one_place_is_looked_up_and_nothing_is_found_where_there_is_nothing(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    reader = EventLogReader(kafka, USED, topic_prefix)
    async with EventLogWriter(kafka, topic_prefix) as writer:
        for timer in ("a", "b"):
            await writer.send(fired(timer, topic=CATALOG))
    found = await reader.at("catalog", 0, 1)
    assert found is not None and timers([found]) == ["b"]
    assert await reader.at("catalog", 0, 2) is None
    assert await reader.at("catalog", 9, 0) is None
    assert await reader.at("run-inbox", 0, 0) is None


@pytest.mark.kafka
async def test_topics_are_told_apart_from_later_ones_of_their_name(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    found = await EventLogReader(kafka, USED, topic_prefix, topic_ids).topic_ids()
    assert set(found) == {topic.name for topic in USED}
    assert len(set(found.values())) == len(USED)


@pytest.mark.kafka
async def test_a_topic_that_does_not_exist_is_named_with_the_way_out(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    reader = EventLogReader(kafka, [ALERTS], topic_prefix)
    for asked in (reader.ends(), all_of(reader), anext(reader.follow()), reader.at("alerts", 0, 0)):
        with pytest.raises(
            PermanentFailure, match=rf"{topic_prefix}alerts does not exist: `pulsebook topics"
        ):
            await asked


@pytest.mark.kafka
async def test_a_record_is_checked_before_it_is_sent(kafka: dict[str, Any], topic_prefix: str) -> None:
    answer = StepFinished(
        run_id="r-1", step="a", attempt=1, answers_seq=1, status="succeeded", output="x" * 2_000
    )
    async with EventLogWriter(kafka, topic_prefix, record_bytes_max=2_000) as writer:
        with pytest.raises(TooLarge) as caught:
            await writer.send(Outgoing(RUN_INBOX, "r-1", answer))
        assert caught.value.size_bytes > caught.value.size_bytes_max == 2_000
        bad = StepFinished(
            run_id="r-1", step="a", attempt=1, answers_seq=1, status="succeeded", output={1: 2}
        )
        with pytest.raises(MalformedMessage):
            await writer.send(Outgoing(RUN_INBOX, "r-1", bad))
        await writer.send(fired("t"))
    assert timers(await all_of(EventLogReader(kafka, USED, topic_prefix))) == ["t"]


@pytest.mark.kafka
async def test_the_largest_record_that_is_allowed_goes_through(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    size = 900_000
    answer = StepFinished(
        run_id="r-1", step="a", attempt=1, answers_seq=1, status="succeeded", output="x" * size
    )
    async with EventLogWriter(kafka, topic_prefix) as writer:
        await asyncio.gather(*[writer.send(Outgoing(RUN_INBOX, "r-1", answer)) for _ in range(4)])
    entries = await all_of(EventLogReader(kafka, USED, topic_prefix))
    assert [entry.record for entry in entries] == [answer] * 4


@pytest.mark.kafka
async def test_a_topic_that_does_not_exist_is_not_durable_within_the_bound(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    async with EventLogWriter(kafka, topic_prefix, durable_within_s=0.5) as writer:
        with pytest.raises(NotDurable):
            await writer.send(fired("t", topic=ALERTS))
        assert (await writer.send(fired("t"))).offset == 0


@pytest.mark.kafka
async def test_what_the_broker_refuses_for_its_size_is_too_large_and_the_next_record_goes_through(
    kafka: dict[str, Any], topic_prefix: str
) -> None:
    small = PlannedTopic(topic_prefix + ALERTS.name, 1, 1, {"max.message.bytes": "1000"})
    await create_topics(kafka, [small])
    async with EventLogWriter(kafka, topic_prefix) as writer:
        for _ in range(2):
            with pytest.raises(TooLarge):
                await writer.send(fired(secrets.token_hex(2_000), topic=ALERTS))
            await writer.send(fired("t", topic=ALERTS))
    assert timers(await all_of(EventLogReader(kafka, [ALERTS], topic_prefix))) == ["t", "t"]


async def test_more_than_so_many_records_are_not_taken_at_once() -> None:
    writer = EventLogWriter(NOWHERE, durable_within_s=0.5, pending_max=2)
    waiting = [writer.start(fired("t")), writer.start(fired("t"))]
    with pytest.raises(NotDurable, match="2 records are under way already"):
        writer.start(fired("t"))
    assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [NotDurable] * 2
    await writer.close()


async def test_a_key_that_is_not_unicode_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="a key that is not Unicode"):
        EventLogWriter(NOWHERE).start(fired("t", row="\ud800"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.ends(),
        lambda reader: reader.at("catalog", 0, 0),
        lambda reader: anext(reader.read()),
        lambda reader: anext(reader.follow()),
    ],
)
async def test_without_a_broker_reading_says_so(ask: Callable[[EventLogReader], Awaitable[Any]]) -> None:
    with pytest.raises(NotReachable, match=r"reading from 127\.0\.0\.1:1"):
        await ask(EventLogReader(NOWHERE))


async def test_without_a_broker_nothing_is_durable_and_it_does_not_take_long() -> None:
    writer = EventLogWriter(NOWHERE, durable_within_s=1.0)
    with pytest.raises(NotReachable, match=r"writing to 127\.0\.0\.1:1"):
        await writer.open()
    async with asyncio.timeout(3):
        with pytest.raises(NotDurable):
            await writer.send(fired("t"))
        await writer.close()
    with pytest.raises(NotDurable, match="closed"):
        await writer.send(fired("t"))
