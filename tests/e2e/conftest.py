"""One machine for the tests of this folder that only look, so that `up` is not started for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import OWN_SETTINGS
from tests.e2e.machine import Machine, machine


def cache_environment() -> dict[str, str]:
    """Where the broker's jars are, for processes that start one themselves."""
    return {
        name: value
        for name, value in OWN_SETTINGS.items()
        if name in ("PULSEBOOK_CACHE_DIR", "PULSEBOOK_MAVEN_URL")
    }


@pytest.fixture(scope="session")
def shared_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """`pulsebook up` with the repository's playbooks, running."""
    with machine(Path(tmp_path_factory.mktemp("machine")), **cache_environment()) as made:
        yield made
