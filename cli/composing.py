"""What several commands compose from the settings: settings themselves, topics, secrets, what a run pins.

One process each is composed in `cli.processes`. Nothing here decides anything.
"""

import dataclasses
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.data_folder import is_data_folder
from cli.local_ports import LOOPBACK
from cli.output import CANNOT_REACH, WRONG_USE, fail
from cli.partition_count import PartitionsDiffer, keep_count, kept_count, kept_problems
from connectors.errors import ConnectorError
from connectors.local_kafka_config import remembered_broker_port
from connectors.local_kafka_jars import default_cache_dir
from connectors.secrets import SecretStore
from connectors.topics_admin import (
    PlannedTopic,
    check_topics,
    count_problems,
    create_topics,
    planned_topics,
)
from engine.playbook.reading_steps import Limits as PlaybookLimits
from schemas.inbox import Limits
from settings import Settings
from settings_reading import SettingsError

WITHIN_S = 2.0
LOCAL: Mapping[str, Any] = {"partitions": 4, "replication": 1, "auth": False}


def load_settings() -> Settings:
    """The settings of this process, or the end of the command with all that is wrong with them."""
    try:
        return Settings.load()
    except SettingsError as error:
        fail(str(error), WRONG_USE)


def settings_for_up(data: Path, kafka: str) -> Settings:
    """Settings of one machine: fewer partitions, one copy, no login on loopback, unless they are given."""
    if kafka:
        os.environ["PULSEBOOK_KAFKA"] = kafka
    settings = load_settings()
    return dataclasses.replace(local(settings), data_dir=data.resolve())


def named_kafka(settings: Settings) -> Settings:
    """The same settings, where they name a Kafka; else the end of the command."""
    if not settings.kafka:
        fail(
            "PULSEBOOK_KAFKA names no Kafka servers (HOST:PORT). On one machine, `pulsebook up` starts one "
            f"by itself; the one of an `up` whose data is not in {settings.data_dir} is found with "
            "PULSEBOOK_DATA_DIR, as it printed.",
            WRONG_USE,
        )
    return settings


def found_kafka(settings: Settings) -> Settings:
    """The same settings with the Kafka they name; where they name none, that of the `pulsebook up` whose data
    folder they name. Else the end of the command.
    """
    port = None if settings.kafka else remembered_broker_port(settings.data_dir / "kafka")
    if port is None or not is_data_folder(settings.data_dir):
        return named_kafka(settings)
    server = f"{LOOPBACK}:{port}"
    try:
        socket.create_connection((LOOPBACK, port), WITHIN_S).close()
    except OSError:
        fail(
            f"the local Kafka of {settings.data_dir.resolve()} does not answer on {server}: it runs while "
            "`pulsebook up` does. Start that, or name another Kafka with PULSEBOOK_KAFKA.",
            CANNOT_REACH,
        )
    return dataclasses.replace(local(settings), kafka=server)


def local(settings: Settings) -> Settings:
    """The same settings as one machine has them, but for what was given."""
    values = {name: value for name, value in LOCAL.items() if name not in settings.origins}
    return dataclasses.replace(settings, **values)


def plan(settings: Settings) -> tuple[PlannedTopic, ...]:
    """All topics as these settings want them."""
    return planned_topics(
        settings.topic_prefix,
        settings.partitions,
        settings.replication,
        settings.alerts_kept_days,
        settings.journal_kept_days,
    )


async def make_topics(settings: Settings) -> list[str]:
    """Make the topics that are missing; their names. Ends the command where Kafka does not let us."""
    try:
        made = await create_topics(settings.kafka_options(), plan(settings))
        if wrong := await count_problems(settings.kafka_options(), plan(settings)):
            fail("\n".join(wrong), CANNOT_REACH)
        await keep_count(settings)
    except (ConnectorError, PartitionsDiffer) as error:
        fail(str(error), CANNOT_REACH)
    return made


async def check_prefix(settings: Settings) -> list[str]:
    """The same as `topic_problems`. Raises ConnectorError."""
    problems = await check_topics(settings.kafka_options(), plan(settings))
    if any("does not exist" in problem for problem in problems):
        return problems
    return problems + kept_problems(settings, await kept_count(settings))


async def topic_problems(settings: Settings) -> list[str]:
    """What differs between the topics as they are and as they should be, a sentence each."""
    try:
        return await check_prefix(settings)
    except ConnectorError as error:
        return [str(error)]


def secrets_dir(settings: Settings) -> Path:
    """Where secrets lie as files."""
    return settings.secrets_dir or settings.data_dir / "secrets"


def secret_store(settings: Settings) -> SecretStore:
    """The secrets of this machine."""
    return SecretStore(secrets_dir(settings), os.environ)


def secret_names(settings: Settings) -> list[str]:
    """Names of the secrets of this machine; no values."""
    return [name for name, _ in secret_store(settings).listed()]


def cache_dir(settings: Settings) -> Path:
    """Where the local broker's jars are kept between starts, outside any checkout."""
    return settings.cache_dir or default_cache_dir()


def playbook_limits(settings: Settings) -> PlaybookLimits:
    """The bounds of a playbook file."""
    return PlaybookLimits(
        settings.playbook_bytes_max,
        settings.playbook_steps_max,
        settings.nesting_max,
        settings.loop_items_max,
    )


def limits(settings: Settings) -> Limits:
    """The limits that a run pins at its start."""
    return Limits(
        step_output_bytes_max=settings.step_output_bytes_max,
        row_bytes_max=settings.row_bytes_max,
        record_bytes_max=settings.record_bytes_max,
        loop_items_max=settings.loop_items_max,
    )
