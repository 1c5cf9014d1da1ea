import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from connectors.errors import NotReachable
from connectors.topic_ids import topic_ids
from connectors.topics_admin import TopicsRefused, check_topics, create_topics, planned_topics
from schemas.topics import CHANGELOGS, TOPICS

NOWHERE = {"bootstrap_servers": "127.0.0.1:1"}


def by_name(**arguments: Any) -> dict[str, Any]:
    wanted = {"prefix": "p.", "partitions": 12, "replication": 3, **arguments}
    return {topic.name: topic for topic in planned_topics(**wanted)}


def test_every_topic_and_changelog_is_planned_with_its_prefix() -> None:
    assert set(by_name()) == {f"p.{topic.name}" for topic in (*TOPICS, *CHANGELOGS)}


def test_only_the_catalog_has_a_single_partition() -> None:
    counts = {name: topic.partitions for name, topic in by_name().items()}
    assert counts.pop("p.catalog") == 1
    assert set(counts.values()) == {12}


def test_what_is_kept_how_long_follows_the_settings() -> None:
    planned = by_name(alerts_kept_days=2, journal_kept_days=None)
    kept = {name: topic.config.get("retention.ms") for name, topic in planned.items()}
    assert kept["p.alerts"] == kept["p.admissions"] == kept["p.dead-letters"] == str(2 * 86_400_000)
    assert kept["p.run-journal"] == kept["p.run-inbox"] == kept["p.decisions"] == kept["p.catalog"] == "-1"
    assert kept["p.processor-runs-changelog"] is None


def test_the_brokers_clock_stamps_every_record_but_those_of_changelogs() -> None:
    for name, topic in by_name().items():
        changelog = name.endswith("-changelog")
        assert topic.config["cleanup.policy"] == ("compact" if changelog else "delete")
        assert topic.config.get("message.timestamp.type") == (None if changelog else "LogAppendTime")
        assert topic.config["max.message.bytes"] == str(2 * 1024 * 1024)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_copy_may_be_missing_and_no_more(replication: int, in_sync: str) -> None:
    assert {t.config["min.insync.replicas"] for t in by_name(replication=replication).values()} == {in_sync}


@pytest.mark.kafka
async def test_creating_twice_makes_nothing_new_and_leaves_nothing_to_complain(
    kafka_servers: str, topic_prefix: str
) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    planned = planned_topics(topic_prefix, 4, 1)
    assert len(await check_topics(kafka, planned)) == len(planned)
    assert await create_topics(kafka, planned) == [topic.name for topic in planned]
    assert await create_topics(kafka, planned) == []
    assert await check_topics(kafka, planned) == []


@pytest.mark.kafka
async def test_two_that_create_at_once_both_succeed(kafka_servers: str, topic_prefix: str) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    planned = planned_topics(topic_prefix, 2, 1)
    await asyncio.gather(create_topics(kafka, planned), create_topics(kafka, planned))
    assert await check_topics(kafka, planned) == []


@pytest.mark.kafka
async def test_the_broker_stamps_what_a_producer_sends(kafka_servers: str, topic_prefix: str) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    await create_topics(kafka, planned_topics(topic_prefix, 1, 1))
    producer = AIOKafkaProducer(**kafka)
    await producer.start()
    try:
        sent = await producer.send_and_wait(f"{topic_prefix}run-inbox", b"x", timestamp_ms=1_000)
    finally:
        await producer.stop()
    assert (sent.timestamp_type, sent.timestamp > 1_700_000_000_000) == (1, True)


@pytest.mark.kafka
async def test_each_difference_is_told_with_what_to_do(kafka_servers: str, topic_prefix: str) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    await create_topics(kafka, planned_topics(topic_prefix, 2, 1, alerts_kept_days=1))
    told = [
        line for line in await check_topics(kafka, planned_topics(topic_prefix, 4, 1)) if ".alerts " in line
    ]
    assert told == [
        f"{topic_prefix}alerts has 2 partitions, not 4: the count is fixed once records are there; set "
        "PULSEBOOK_PARTITIONS to what it is, or take a new PULSEBOOK_TOPIC_PREFIX",
        f"{topic_prefix}alerts has retention.ms=86400000, not 3888000000: kafka-configs.sh --alter "
        f"--entity-type topics --entity-name {topic_prefix}alerts --add-config retention.ms=3888000000",
    ]


@pytest.mark.kafka
async def test_more_copies_than_brokers_are_refused_with_a_way_out(
    kafka_servers: str, topic_prefix: str
) -> None:
    with pytest.raises(TopicsRefused, match="set PULSEBOOK_REPLICATION to the number of brokers"):
        await create_topics({"bootstrap_servers": kafka_servers}, planned_topics(topic_prefix, 1, 3))


async def test_a_broker_that_is_not_there_is_one_clear_sentence() -> None:
    with pytest.raises(NotReachable, match=r"^cannot reach Kafka at 127\.0\.0\.1:1: is it running"):
        await create_topics(NOWHERE, planned_topics("p.", 1, 1))
    with pytest.raises(NotReachable, match=r"^asking Kafka at 127\.0\.0\.1:1 for topic ids: "):
        await topic_ids(NOWHERE, ["a"])


@pytest.mark.kafka
async def test_a_topic_made_again_has_another_id(kafka_servers: str, topic_prefix: str) -> None:
    kafka = {"bootstrap_servers": kafka_servers}
    name = f"{topic_prefix}alerts"
    planned = [topic for topic in planned_topics(topic_prefix, 1, 1) if topic.name == name]
    await create_topics(kafka, planned)
    first = await topic_ids(kafka, [name, f"{topic_prefix}absent"])
    assert first == await topic_ids(kafka, [name])
    assert len(first[name]) == 22
    await delete(kafka, name)
    async with asyncio.timeout(10):
        while await topic_ids(kafka, [name]):
            await asyncio.sleep(0.02)
    await create_topics(kafka, planned)
    second = await topic_ids(kafka, [name])
    assert second.keys() == first.keys()
    assert second != first


async def delete(kafka: dict[str, Any], name: str) -> None:
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        await admin.delete_topics([name])
    finally:
        await admin.close()
