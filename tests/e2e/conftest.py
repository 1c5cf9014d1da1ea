"""One machine for the tests of this folder that only look, so that `up` is not started for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.machine import Machine, machine


@pytest.fixture(scope="module")
def shared_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """`pulsebook up` with the repository's playbooks, running."""
    with machine(Path(tmp_path_factory.mktemp("machine"))) as made:
        yield made
