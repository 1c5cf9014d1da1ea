"""What an operator, or bad luck, may do to Kafka and to disks while nobody looks."""

import asyncio
import contextlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DeleteGroupsRequest

NON_EMPTY_GROUP = 68


async def forget_commits(kafka: Mapping[str, Any], group: str) -> None:
    """Delete a consumer group, as an operator might, or as the broker does after a week.

    Waits for its static members to be forgotten: they leave by their session timeout.
    """
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        node = await admin.find_coordinator(group)
        async with asyncio.timeout(60):
            while True:
                answer = await admin._send_request_to_node(node, DeleteGroupsRequest([group]))
                ((_, code),) = answer.results
                if code != NON_EMPTY_GROUP:
                    break
                await asyncio.sleep(0.2)
        assert code == 0, answer
    finally:
        await admin.close()


async def empty_topic(kafka: Mapping[str, Any], topic: str, partitions: int) -> None:
    """Delete all records of a compacted topic; the topic, its ids and its offsets stay."""
    places = [TopicPartition(topic, partition) for partition in range(partitions)]
    consumer = AIOKafkaConsumer(**kafka)
    admin = AIOKafkaAdminClient(**kafka)
    await consumer.start()
    await admin.start()
    try:
        ends = await consumer.end_offsets(places)
        # Kafka deletes no records of a topic that is only compacted.
        await _set_policy(admin, topic, "compact,delete")
        await admin.delete_records({tp: RecordsToDelete(before_offset=ends[tp]) for tp in places})
        await _set_policy(admin, topic, "compact")
    finally:
        await consumer.stop()
        await admin.close()


async def _set_policy(admin: AIOKafkaAdminClient, topic: str, policy: str) -> None:
    described = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"cleanup.policy": policy})
    await admin.alter_configs([described])
    await asyncio.sleep(0.3)


async def make_again(kafka: Mapping[str, Any], topic: str, partitions: int) -> None:
    """Delete a topic and make it anew under its name."""
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        await asyncio.sleep(1)
        await admin.create_topics([NewTopic(topic, partitions, 1)])
    finally:
        await admin.close()


def truncate_database(folder: Path) -> list[str]:
    """Cut every data file of the RocksDBs below a folder in half; their names."""
    cut = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".log", ".sst") and path.stat().st_size > 0:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size // 2)
            cut.append(path.name)
    return cut


def delete_manifests(folder: Path) -> list[str]:
    """Delete what tells RocksDB which files it has; their names."""
    return _delete(folder, lambda path: path.name.startswith(("MANIFEST", "CURRENT")))


def delete_tables(folder: Path) -> list[str]:
    """Delete the files that RocksDB has put rows into; their names."""
    return _delete(folder, lambda path: path.suffix == ".sst")


def delete_logs(folder: Path) -> list[str]:
    """Delete what RocksDB has not yet put into files; their names."""
    return _delete(folder, lambda path: path.suffix == ".log")


def _delete(folder: Path, which: Callable[[Path], bool]) -> list[str]:
    gone = [path for path in sorted(folder.rglob("*")) if which(path)]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing in this folder can be written, made or deleted, not even by root or through an open file.

    The attribute "immutable" does that (ext4, XFS, Btrfs). Raises OSError where it is not to be had.
    """
    paths = [str(path) for path in (folder, *folder.rglob("*")) if path.is_dir() or path.is_file()]
    _chattr("+i", paths)
    try:
        yield
    finally:
        _chattr("-i", paths)


def _chattr(what: str, paths: list[str]) -> None:
    try:
        done = subprocess.run(["chattr", what, *paths], capture_output=True, text=True, check=False)
    except FileNotFoundError as absent:
        raise OSError("there is no chattr here") from absent
    if done.returncode:
        raise OSError(f"chattr {what}: {done.stderr.strip()[:300]}")
