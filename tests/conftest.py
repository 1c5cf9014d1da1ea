"""What all tests share: one real broker a session, a topic prefix a test, an environment without our
settings."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest

from connectors.local_kafka import LocalKafka
from connectors.local_kafka_jars import default_cache_dir


def _take_own_settings() -> dict[str, str]:
    """A developer's shell must not change results: everything Pulsebook would read leaves the environment."""
    ours = [name for name in os.environ if name.startswith(("PULSEBOOK_", "DD_"))]
    return {name: os.environ.pop(name) for name in ours}


OWN_SETTINGS = _take_own_settings()


# A busy machine is no reason to fail, so no example has a deadline. `make check` asks for the quick profile.
hypothesis.settings.register_profile("full", deadline=None)
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.load_profile("full")


@pytest.fixture(scope="session")
def kafka_cache_dir() -> Path:
    """Where the broker's jars are kept between sessions."""
    return Path(OWN_SETTINGS.get("PULSEBOOK_CACHE_DIR") or default_cache_dir())


@pytest.fixture(scope="session")
def kafka_servers(tmp_path_factory: pytest.TempPathFactory, kafka_cache_dir: Path) -> Iterator[str]:
    """A real Apache Kafka as "host:port", started once a session; PULSEBOOK_TEST_KAFKA names another to
    use.
    """
    named = OWN_SETTINGS.get("PULSEBOOK_TEST_KAFKA")
    if named:
        yield named
        return
    broker = LocalKafka(tmp_path_factory.mktemp("kafka"), kafka_cache_dir, _say)
    try:
        yield broker.start()
    finally:
        broker.stop()


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of its own for every test, so that tests share a broker and nothing else."""
    return f"t{uuid4().hex[:12]}."


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
