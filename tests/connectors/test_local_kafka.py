"""The local broker as processes see it: kept data, one owner, and no broker without one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connectors.local_kafka import LocalKafka
from connectors.local_kafka_config import choose_ports
from connectors.local_kafka_errors import BrokerDidNotStart, DataFolderInUse, StartCancelled

OWNER = """
import sys, time
from pathlib import Path
from connectors.local_kafka import LocalKafka
broker = LocalKafka(Path(sys.argv[1]), Path(sys.argv[2]))
print(broker.start(), broker.pid, flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def running(data_dir: Path, cache_dir: Path) -> Iterator[tuple[LocalKafka, str]]:
    broker = LocalKafka(data_dir, cache_dir)
    try:
        yield broker, broker.start()
    finally:
        broker.stop()


@contextlib.contextmanager
def owned_elsewhere(
    data_dir: Path, cache_dir: Path
) -> Iterator[tuple["subprocess.Popen[str]", psutil.Process]]:
    """Another process that owns a broker, and the broker."""
    arguments = [sys.executable, "-c", OWNER, str(data_dir), str(cache_dir)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            _, pid = owner.stdout.readline().split()
            yield owner, psutil.Process(int(pid))
        finally:
            owner.kill()


def within(limit_s: float, holds: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.kafka
async def test_the_broker_of_the_session_answers(kafka_servers: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_servers)
    await admin.start()
    try:
        described = await admin.describe_cluster()
    finally:
        await admin.close()
    assert described["brokers"]


@pytest.mark.kafka
@pytest.mark.slow
async def test_a_restart_keeps_address_and_records(tmp_path: Path, kafka_cache_dir: Path) -> None:
    with running(tmp_path, kafka_cache_dir) as (broker, servers):
        await send(servers, b"kept")
        assert broker.start() == servers
        process = psutil.Process(broker.pid)
        started = time.monotonic()
        broker.stop()
        assert time.monotonic() - started < 10
        assert not process.is_running()
        assert broker.poll() == 0
        assert broker.start() == servers
        assert await read(servers) == b"kept"


@pytest.mark.kafka
@pytest.mark.slow
def test_the_broker_dies_with_an_owner_that_was_killed_and_a_new_one_takes_over(
    tmp_path: Path, kafka_cache_dir: Path
) -> None:
    with owned_elsewhere(tmp_path, kafka_cache_dir) as (owner, java):
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        with running(tmp_path, kafka_cache_dir) as (broker, _):
            assert not java.is_running()
            assert broker.poll() is None


@pytest.mark.kafka
@pytest.mark.slow
def test_a_data_folder_has_one_broker_and_the_second_is_told_whose_it_is(
    tmp_path: Path, kafka_cache_dir: Path
) -> None:
    with owned_elsewhere(tmp_path, kafka_cache_dir) as (owner, _):
        started = time.monotonic()
        with pytest.raises(DataFolderInUse, match=rf"another broker \(process {owner.pid}\) already uses"):
            LocalKafka(tmp_path, kafka_cache_dir).start()
        assert time.monotonic() - started < 2


@pytest.mark.kafka
@pytest.mark.slow
def test_a_killed_broker_is_noticed_and_starts_again(tmp_path: Path, kafka_cache_dir: Path) -> None:
    with running(tmp_path, kafka_cache_dir) as (broker, servers):
        os.kill(broker.pid, signal.SIGKILL)
        assert within(5, lambda: broker.poll() is not None)
        assert broker.start() == servers


@pytest.mark.kafka
@pytest.mark.slow
def test_a_killed_guard_leaves_no_broker_behind(tmp_path: Path, kafka_cache_dir: Path) -> None:
    with running(tmp_path, kafka_cache_dir) as (broker, servers):
        java = psutil.Process(broker.pid)
        guard = java.parent()
        assert guard is not None
        guard.kill()
        assert within(5, lambda: broker.poll() is not None)
        assert broker.start() == servers
        assert not java.is_running()


@pytest.mark.kafka
@pytest.mark.slow
def test_a_start_that_is_called_off_leaves_nothing_behind(tmp_path: Path, kafka_cache_dir: Path) -> None:
    broker = LocalKafka(tmp_path, kafka_cache_dir)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(broker.start)
        assert within(30, lambda: (tmp_path / "java.pid").exists() and broker.pid > 0)
        java = psutil.Process(broker.pid)
        broker.cancel()
        assert isinstance(start.exception(timeout=10), StartCancelled)
    assert not java.is_running()


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_that_cannot_start_says_why_and_where_its_log_is(
    tmp_path: Path, kafka_cache_dir: Path
) -> None:
    topics = tmp_path / "topics"
    topics.mkdir()
    (topics / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=another\n")
    broker = LocalKafka(tmp_path, kafka_cache_dir)
    with pytest.raises(BrokerDidNotStart, match=rf"Stored node id 7 .*; its log is {tmp_path}/kafka\.log"):
        broker.start()
    assert broker.poll() == 0


def test_the_ports_of_last_time_are_taken_again_while_they_are_free(tmp_path: Path) -> None:
    remembered = tmp_path / "ports.json"
    first = choose_ports(remembered)
    assert choose_ports(remembered) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first.broker))
        other.listen()
        second = choose_ports(remembered)
    assert first.broker not in (second.broker, second.controller)
    assert choose_ports(remembered) == second


@pytest.mark.parametrize("noted", ["", "[]", '{"broker": 1}', '{"broker": "x", "controller": 2}'])
def test_a_damaged_note_of_ports_is_no_obstacle(tmp_path: Path, noted: str) -> None:
    remembered = tmp_path / "ports.json"
    remembered.write_text(noted)
    assert choose_ports(remembered).broker > 1024


async def send(servers: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("kept", 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    try:
        await producer.send_and_wait("kept", value)
    finally:
        await producer.stop()


async def read(servers: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition("kept", 0)])
        record = await consumer.getone()
    finally:
        await consumer.stop()
    return record.value  # type: ignore[no-any-return]  # aiokafka is untyped; without deserialisers it is bytes
