"""The broker of the bench, apart from that of the other tests: it is killed now and then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.broker import Broker


@pytest.fixture(scope="session")
def chaos_broker(tmp_path_factory: pytest.TempPathFactory, kafka_cache_dir: Path) -> Iterator[Broker]:
    """Started once a session; every world has a prefix of its own."""
    broker = Broker(tmp_path_factory.mktemp("chaos-kafka"), kafka_cache_dir)
    broker.start()
    yield broker
    broker.stop()
