"""Makes the topics of a prefix, and says what is wrong with those that exist.

What topics there are is `schemas.topics`; here it is put in Kafka's terms. Existing topics are never altered:
their partition count carries the order of records, and their settings may be somebody's decision;
`check_topics` says what differs and what to do. Ids of topics are `connectors.topic_ids`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from connectors.errors import NotReachable, PermanentFailure, TemporaryFailure
from connectors.kafka_errors import said, translated
from schemas.topics import ALERTS, CHANGELOGS, MESSAGE_BYTES_MAX, RUN_JOURNAL, TOPICS, Topic

DAY_MS = 86_400_000
VISIBLE_S = 15
"""How long the brokers may take to tell of topics that their controller has made."""
ALREADY_EXISTS = 36
CHANGELOG_SEGMENT_BYTES = 64 * 1024 * 1024
"""The newest segment is never compacted: small ones keep a recovery short."""


class TopicsRefused(PermanentFailure):
    """Kafka will not make a topic; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class PlannedTopic:
    """A topic as it shall be, in Kafka's terms. `config` by Kafka's own names."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


def planned_topics(
    prefix: str,
    partitions: int,
    replication: int,
    alerts_kept_days: int | None = 45,
    journal_kept_days: int | None = 400,
) -> tuple[PlannedTopic, ...]:
    """All topics and changelogs of a prefix. Days None: kept for ever."""
    kept_ms = {
        ALERTS.kept_ms: _days_ms(alerts_kept_days),
        RUN_JOURNAL.kept_ms: _days_ms(journal_kept_days),
        None: None,
    }
    in_sync = {"min.insync.replicas": str(max(1, replication - 1))}
    return tuple(
        PlannedTopic(
            prefix + topic.name,
            1 if topic.single else partitions,
            replication,
            _config(topic, kept_ms[topic.kept_ms]) | in_sync,
        )
        for topic in (*TOPICS, *CHANGELOGS)
    )


def _days_ms(days: int | None) -> int | None:
    return None if days is None else days * DAY_MS


def _config(topic: Topic, kept_ms: int | None) -> dict[str, str]:
    config = {"max.message.bytes": str(MESSAGE_BYTES_MAX)}
    if topic.compacted:
        return config | {"cleanup.policy": "compact", "segment.bytes": str(CHANGELOG_SEGMENT_BYTES)}
    return config | {
        "cleanup.policy": "delete",
        "retention.ms": str(-1 if kept_ms is None else kept_ms),
        "retention.bytes": "-1",
        # The only clock of a run: no producer's clock can reorder or outdate a record.
        "message.timestamp.type": "LogAppendTime",
    }


async def create_topics(kafka: Mapping[str, Any], planned: Sequence[PlannedTopic]) -> list[str]:
    """Makes what is missing, and waits until the brokers know it; returns the names of what was made.

    `kafka`: keyword arguments of an aiokafka client (`Settings.kafka_options()`). Raises NotReachable,
    TopicsRefused.
    """
    async with _admin(kafka) as admin:
        existing = set(await admin.list_topics())
        missing = [topic for topic in planned if topic.name not in existing]
        if not missing:
            return []
        answer = await admin.create_topics(
            [
                NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=dict(topic.config))
                for topic in missing
            ]
        )
        # Another one may be making the same topics right now: that is no fault.
        refused = [each for each in answer.topic_errors if each[1] not in (0, ALREADY_EXISTS)]
        if refused:
            raise TopicsRefused(_refusal(*refused[0]))
        await _until_visible(admin, [topic.name for topic in planned])
        return [topic.name for topic in missing]


async def check_topics(kafka: Mapping[str, Any], planned: Sequence[PlannedTopic]) -> list[str]:
    """One sentence for each difference between what is planned and what is there; empty: all is well.

    Raises NotReachable.
    """
    async with _admin(kafka) as admin:
        existing = set(await admin.list_topics())
        there = [topic for topic in planned if topic.name in existing]
        described = await admin.describe_topics([topic.name for topic in there])
        shapes = {each["topic"]: each["partitions"] for each in described}
        configs = await _configs(admin, [topic.name for topic in there])
    problems = [
        f"{topic.name} does not exist: `pulsebook topics create` makes it"
        for topic in planned
        if topic.name not in existing
    ]
    for topic in there:
        problems += _shape_problems(topic, shapes[topic.name]) + _config_problems(topic, configs[topic.name])
    return problems


async def count_problems(kafka: Mapping[str, Any], planned: Sequence[PlannedTopic]) -> list[str]:
    """One sentence for each topic with another partition count than planned; what is missing is passed over.

    Raises NotReachable.
    """
    async with _admin(kafka) as admin:
        existing = set(await admin.list_topics())
        there = {topic.name: topic for topic in planned if topic.name in existing}
        described = await admin.describe_topics(list(there)) if there else []
    return [line for each in described for line in _count_problems(there[each["topic"]], each["partitions"])]


def _count_problems(topic: PlannedTopic, found: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(found) == topic.partitions:
        return []
    return [
        f"{topic.name} has {len(found)} partitions, not {topic.partitions}: the count is fixed once "
        "records are there; set PULSEBOOK_PARTITIONS to what it is, or take a new PULSEBOOK_TOPIC_PREFIX"
    ]


def _shape_problems(topic: PlannedTopic, found: Sequence[Mapping[str, Any]]) -> list[str]:
    problems = _count_problems(topic, found)
    copies = min(len(partition["replicas"]) for partition in found)
    if copies < topic.replication:
        problems.append(
            f"{topic.name} has {copies} copies, not {topic.replication}: add some with "
            "kafka-reassign-partitions.sh, or set PULSEBOOK_REPLICATION"
        )
    return problems


def _config_problems(topic: PlannedTopic, found: Mapping[str, str]) -> list[str]:
    return [
        f"{topic.name} has {key}={found.get(key)}, not {wanted}: kafka-configs.sh --alter "
        f"--entity-type topics --entity-name {topic.name} --add-config {key}={wanted}"
        for key, wanted in topic.config.items()
        if found.get(key) != wanted
    ]


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Every setting in force, by topic."""
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }


async def _until_visible(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    for _ in range(VISIBLE_S * 20):
        found = await admin.describe_topics(list(names))
        if all(not topic["error_code"] and _led(topic) for topic in found):
            return
        await asyncio.sleep(0.05)
    raise TemporaryFailure(f"Kafka has not told of all new topics within {VISIBLE_S} s; try again")


def _led(topic: Mapping[str, Any]) -> bool:
    return all(partition["leader"] >= 0 and not partition["error_code"] for partition in topic["partitions"])


def _refusal(name: str, code: int, text: str | None) -> str:
    reason = text or for_code(code).__name__
    match for_code(code).__name__:
        case "InvalidReplicationFactorError":
            way_out = "; set PULSEBOOK_REPLICATION to the number of brokers, or add brokers"
        case "TopicAuthorizationFailedError" | "ClusterAuthorizationFailedError":
            way_out = "; let the Kafka user create topics, or make them with an account that may"
        case _:
            way_out = ""
    return f"Kafka refuses to make {name}: {reason}{way_out}"


@asynccontextmanager
async def _admin(kafka: Mapping[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client; whatever Kafka's client raises becomes an error of this room."""
    servers = kafka.get("bootstrap_servers")
    admin = AIOKafkaAdminClient(**kafka)
    try:
        with translated(f"asking Kafka at {servers}"):
            await admin.start()
            yield admin
    except NotReachable as failed:
        raise NotReachable(
            f"cannot reach Kafka at {servers}: is it running, are address and security settings right? "
            f"({said(failed.__cause__ or failed)})"
        ) from failed
    finally:
        await admin.close()
