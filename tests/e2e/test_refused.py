"""What `up` does about a process that refuses to work with what it finds: it says why and tries seldom."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.local_kafka import LocalKafka
from tests.chaos.damage import make_again
from tests.e2e.machine import STOP_WITHIN_S, Machine, eventually, machine

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SETTLES_S = 2.0
"""Watermarks are written once a second: before the first one there is nothing to compare with."""
LOOK_ON_S = 11.0
"""Refused at once, and again after 5 s; the third time is 10 s later."""
PARTITIONS = 4


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, kafka_cache_dir: Path) -> Iterator[Machine]:
    """An `up` whose journal was deleted and made again while it was stopped."""
    with machine(Path(tmp_path_factory.mktemp("refused"))) as made:
        (sent,) = made.documents("alert", "send", "--example")
        eventually(lambda: made.ended_runs(sent["alert_id"]))
        time.sleep(SETTLES_S)
        made.stop()
        broker = LocalKafka(made.data / "kafka", kafka_cache_dir)
        broker.start()
        kafka = {"bootstrap_servers": made.servers}
        asyncio.run(make_again(kafka, "pulsebook.run-journal", PARTITIONS))
        broker.stop()
        made.up()
        yield made


def ended(up: Machine, name: str) -> list[str]:
    return [line for line in up.said.splitlines() if line.startswith(f"{name} ended")]


def test_a_topic_that_was_made_again_is_told_with_the_reason_and_not_hammered(refused: Machine) -> None:
    eventually(lambda: ended(refused, "processor"), 60)
    time.sleep(LOOK_ON_S)
    lines = ended(refused, "processor")
    assert 1 <= len(lines) <= 3, lines
    for line, wait_s in zip(lines, (5, 10, 20), strict=False):
        assert "exit code 78: it refuses to work with what it found" in line
        assert "a new start alone will not help" in line
        assert f"starting it again in {wait_s} s" in line
    assert "the topic pulsebook.run-journal is not the one" in refused.said
    assert "deleted and made again" in refused.said
    assert "Use a new topic prefix" in refused.said


def test_meanwhile_web_takes_alerts_and_says_what_is_missing(refused: Machine) -> None:
    (sent,) = refused.documents("alert", "send", "--example")
    assert sent["alert_id"].startswith("a-")
    shown = refused.cli("status")
    assert "processor" in shown.stdout + shown.stderr


def test_with_a_new_prefix_as_it_says_everything_works_again(refused: Machine) -> None:
    assert refused.stop() < STOP_WITHIN_S
    refused.environment = {**refused.environment, "PULSEBOOK_TOPIC_PREFIX": "again."}
    refused.start()
    (sent,) = refused.documents("alert", "send", "--example")
    assert eventually(lambda: refused.ended_runs(sent["alert_id"]))
