"""Histories as they must be, whatever happened in them, verify; and nothing is left out of the comparison."""

from pathlib import Path

import pytest

from tests.audit.histories import eventful
from tests.audit.memory import verified
from tests.chaos.honest import Honest

COMPARED = ("decisions", "run-journal", "publications", "dead-letters")


async def test_the_history_of_the_chaos_checker_is_as_it_must_be(tmp_path: Path) -> None:
    made = Honest()
    for number in range(5):
        made.alert(number)
    history = made.settle()
    tally = await verified(history.topics, tmp_path, history.now_ms)
    assert (tally.differences, dict(tally.unchecked), tally.repeats) == ([], {}, [])


@pytest.mark.parametrize("seed", range(2, 8))
async def test_whatever_the_dice_say_all_is_made_again_and_equal(seed: int, tmp_path: Path) -> None:
    made = eventful(seed, partitions=1 + seed % 3)
    tally = await verified(made.topics, tmp_path, made.now_ms, partitions=made.partitions)
    assert (tally.differences, dict(tally.unchecked), tally.repeats) == ([], {}, [])
    equal = {topic: tally.counts[topic, "equal"] for topic in COMPARED}
    assert equal == {topic: len(made.topics[topic]) for topic in COMPARED}
