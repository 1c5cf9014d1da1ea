"""A file that the product wrote, for tests that harm it."""

from pathlib import Path

import pytest

from tests.audit.memory_log import export_to, history


@pytest.fixture
async def exported(tmp_path: Path) -> Path:
    """Many blocks, and a manifest."""
    file = tmp_path / "all.avro"
    await export_to(file, history())
    return file
