"""An honest history verifies; whatever is tampered with is named."""

from pathlib import Path

import pytest

from tests.audit.memory import verified
from tests.chaos.history import History
from tests.chaos.honest import Honest

ALERTS = 5


@pytest.fixture(scope="module")
def honest() -> History:
    made = Honest()
    for number in range(ALERTS):
        made.alert(number)
    return made.settle()


async def test_an_honest_history_is_as_it_must_be(honest: History, tmp_path: Path) -> None:
    tally = await verified(honest.topics, tmp_path, honest.now_ms)
    print(tally)
    assert tally.differences == []
