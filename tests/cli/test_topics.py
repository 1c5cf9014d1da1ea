"""`pulsebook topics` on a real Kafka."""

import json

import pytest

from tests.cli.conftest import Pulsebook

pytestmark = pytest.mark.kafka


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, kafka_servers: str, topic_prefix: str) -> None:
    monkeypatch.setenv("PULSEBOOK_KAFKA", kafka_servers)
    monkeypatch.setenv("PULSEBOOK_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("PULSEBOOK_PARTITIONS", "2")
    monkeypatch.setenv("PULSEBOOK_REPLICATION", "1")


def test_topics_are_made_once_and_then_as_they_should_be(pulsebook: Pulsebook, topic_prefix: str) -> None:
    before = pulsebook("topics", "check")
    assert before.exit_code == 1
    assert f"{topic_prefix}alerts does not exist: `pulsebook topics create` makes it" in before.stdout

    made = pulsebook("topics", "create")
    assert made.exit_code == 0
    assert f"made {topic_prefix}alerts" in made.stdout
    assert "\n0 of " in made.stdout

    again = pulsebook("topics", "create")
    assert "made" not in again.stdout
    assert pulsebook("topics", "create", "--json").stdout == ""
    after = pulsebook("topics", "check")
    assert (after.exit_code, "as they should be" in after.stdout) == (0, True)


def test_another_partition_count_is_told_and_never_changed(pulsebook: Pulsebook, topic_prefix: str) -> None:
    assert pulsebook("topics", "create").exit_code == 0
    more = {"PULSEBOOK_PARTITIONS": "3"}
    problems = pulsebook("topics", "check", "--json", env=more)
    assert problems.exit_code == 1
    sentences = [json.loads(line)["problem"] for line in problems.stdout.splitlines()]
    assert any("has 2 partitions, not 3" in sentence for sentence in sentences)
    refused = pulsebook("topics", "create", env=more)
    assert refused.exit_code == 3
    assert "has 2 partitions, not 3" in refused.stderr
