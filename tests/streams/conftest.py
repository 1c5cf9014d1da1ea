"""A bench for each test that asks for one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.streams.bench import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Ledger, table and RocksDB in a folder of the test's own, without a broker."""
    made = Bench(tmp_path)
    yield made
    await made.stop()
