"""A real run becomes a test of its playbook that passes, and fails where the run is told otherwise."""

from collections.abc import Callable

import pytest

from engine.playbook.compiled import Compiled
from engine.simulation.exporting import CannotExport, exported
from engine.simulation.judging import judge
from engine.simulation.reading import read_suite
from schemas.actions import ActionSpec
from tests.engine.run.given import ACTIONS, Life, a_playbook, a_step
from tests.engine.run.stories import STORIES

KNOWN = {
    action.name: ActionSpec(
        name=action.name, description="", category="enrich", inputs={}, outputs={}, pinned=action
    )
    for action in ACTIONS
}
TOLD = ("success", "failure_after_retries", "exited", "loops", "a_loop_that_fails", "branches", "children")


def judged(book: Compiled, text: str) -> list[str]:
    suite = read_suite(text, "demo.test.yaml", {"demo": book}, KNOWN)
    assert suite.problems == (), [str(problem) for problem in suite.problems]
    return [str(one) for case in suite.cases for one in judge(case).differences]


@pytest.mark.parametrize("story", [STORIES[name] for name in TOLD], ids=TOLD)
def test_what_a_run_was_told_leads_to_the_same_end_again(story: Callable[[], Life]) -> None:
    life = story()
    assert judged(life.book, exported(life.journal)) == []


def test_a_run_that_is_told_otherwise_fails_its_test() -> None:
    life = STORIES["success"]()
    text = exported(life.journal)
    assert "last: 4.25" in text
    assert judged(life.book, text.replace("last: 4.25", "last: 1.5")) != []


def test_a_run_that_goes_on_is_no_test_yet() -> None:
    with pytest.raises(CannotExport):
        exported(Life(a_playbook(a_step())).journal)


def test_a_cancel_is_a_note() -> None:
    assert "# note: this run was cancelled" in exported(STORIES["cancelled"]().journal)
