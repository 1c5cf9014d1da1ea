"""A real run becomes a test of its playbook that passes, and fails where the run is told otherwise."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.playbook.compiled import Compiled
from engine.playbook.model import AskStep, Branch, ParallelStep, RunStep, SetStep, Step, WaitStep
from engine.simulation.exporting import CannotExport, exported
from engine.simulation.judging import judge
from engine.simulation.reading import read_suite
from schemas.actions import ActionSpec
from schemas.inbox import Answered
from tests.engine.run.given import ACTIONS, RUN_ID, Life, a_playbook, a_step
from tests.engine.run.stories import STORIES

KNOWN = {
    action.name: ActionSpec(
        name=action.name, description="", category="enrich", inputs={}, outputs={}, pinned=action
    )
    for action in ACTIONS
}
TOLD = (
    *("success", "failure_after_retries", "exited", "loops", "a_loop_that_fails", "branches", "children"),
    *("waits_and_questions", "unknown_and_out_of_attempts", "an_executor_that_was_restarted"),
    *("an_exit_among_others", "broken_off", "too_large"),
)


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


def over_time(step: Step, **more: Any) -> Life:
    """A run whose time was over while `step` was under way, behind one that took most of it."""
    life = Life(a_playbook(a_step("first"), step, timeout_ms=60_000, **more))
    life.feed(life.answer(status="succeeded", output=1), at_ms=life.at_ms + 50_000)
    life.fire("timeout")
    assert life.finished.kind == "timeout"
    return life


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (a_step("last"), "last: timeout"),
        (RunStep(path="last", playbook="status-page"), "last: timeout"),
        (WaitStep(path="last", until="recovered", wait_ms=600_000), "last: timeout"),
        (AskStep(path="last", question="?", choices=("a", "b"), on_timeout="a"), "last: timeout"),
    ],
)
def test_what_was_under_way_when_time_was_over_is_told_nothing(step: Step, told: str) -> None:
    life = over_time(step)
    text = exported(life.journal)
    assert told in text and "after: 50s" in text and "# note" not in text
    assert judged(life.book, text) == []


def test_a_step_that_never_got_its_turn_in_time_is_a_note() -> None:
    assert "# note: last got no answer" in exported(over_time(a_step("last", timeout_ms=5_000)).journal)


@pytest.mark.parametrize("status", ["failed", "cancelled", "held_back"])
def test_what_a_child_said_at_its_end_is_told_again(status: str) -> None:
    child = RunStep(path="child", playbook="status-page", continue_on_error=True)
    say = "${{ steps.child.error.kind }}: ${{ steps.child.error.message }}"
    life = Life(a_playbook(child, outputs={"said": say}))
    life.child_ends("child", status, message="503: gone: away")
    text = exported(life.journal)
    assert 'message: "503: gone: away"' in text
    # The child's run id stands in the message, and is another one in a test.
    (differs,) = judged(life.book, text) or [""]
    assert differs.count("503: gone: away") == (0 if status == "held_back" else 2)


def test_who_answered_and_their_remark_are_told_again() -> None:
    ask = AskStep(path="q", question="?", choices=("a", "timeout"), on_timeout="a")
    said = "${{ steps.q.output.by }} ${{ steps.q.output.choice }} ${{ steps.q.output.comment }}"
    life = Life(a_playbook(ask, outputs={"said": said}))
    life.feed(Answered(run_id=RUN_ID, step="q", choice="timeout", actor="ann", comment="no hurry"))
    text = exported(life.journal)
    assert "by: ann" in text
    assert judged(life.book, text) == []


def test_the_order_of_answers_to_what_waits_side_by_side_is_kept() -> None:
    ask = AskStep(path="q", question="?", choices=("a", "b"), on_timeout="a", timeout_ms=300_000)
    wait = WaitStep(path="healed", until="recovered", wait_ms=600_000)
    sets = [SetStep(path=f"#{at}", values={"last": name}) for at, name in ((4, "asked"), (6, "healed"))]
    branches = (Branch(name="a", steps=(ask, sets[0])), Branch(name="b", steps=(wait, sets[1])))
    book = a_playbook(ParallelStep(path="#1", branches=branches), outputs={"last": "${{ vars.last }}"})
    life = Life(book)
    life.recover()
    life.feed(Answered(run_id=RUN_ID, step="q", choice="b", actor="ann"), at_ms=life.at_ms + 9_000)
    text = exported(life.journal)
    assert "recovered_after: 1s" in text and "after: 10s" in text
    assert judged(life.book, text) == []
