"""What a rerun takes over from the journal of the earlier run."""

import pytest

from engine.playbook.model import ForeachStep, Playbook, PublishStep, SetStep
from engine.run.rerunning import CannotRerun, rerun_of
from schemas.relations import Rerun
from tests.engine.run.given import Life, a_playbook, a_step, compiled

BOOK = a_playbook(
    a_step("query"),
    SetStep(path="#2", values={"n": "${{ steps.query.output.n }}"}),
    ForeachStep(
        path="each",
        items="[1, 2]",
        variable="one",
        steps=(a_step("kill"), SetStep(path="#5", values={"last": "${{ one }}"})),
    ),
    a_step("flaky", continue_on_error=True),
    a_step("calm", condition="false"),
    PublishStep(path="#8", title="p"),
    a_step("restart", arguments={"n": "${{ vars.n }}", "killed": "${{ steps.each.outputs }}"}),
    a_step("check", arguments={"last": "${{ vars.last }}"}),
)


def a_life() -> Life:
    life = Life(BOOK)
    life.succeed({"n": 3})
    life.succeed("first", step="each[0].kill")
    life.succeed("second", step="each[1].kill")
    life.fail("http_4xx", "404")
    life.fail("http_4xx", "403", step="restart")
    return life


def again(life: Life, rerun: Rerun, book: Playbook = BOOK) -> Life:
    return Life(book, via="rerun", rerun=rerun)


def test_a_rerun_begins_with_its_step_and_sees_what_was_before() -> None:
    life = a_life()
    assert life.finished.step == "restart"
    rerun = rerun_of(life.journal, compiled(BOOK), "restart")
    second = again(life, rerun)
    assert second.asked.step == "restart"
    assert second.asked.arguments == {"n": 3, "killed": [{"kill": "first"}, {"kill": "second"}]}
    second.succeed()
    assert second.asked.arguments == {"last": 2}
    second.succeed()
    assert second.status == "succeeded"


def test_each_kept_step_names_the_record_that_says_so() -> None:
    life = a_life()
    rerun = rerun_of(life.journal, compiled(BOOK), "restart")
    assert rerun.run_id == life.live.run_id
    kept = {one.step: (one.status, one.seq) for one in rerun.kept}
    assert kept == {
        "query": ("succeeded", 2),
        "#2": ("succeeded", 2),
        "each": ("succeeded", 4),
        "flaky": ("failed", 5),
        "calm": ("skipped", 5),
        "#8": ("succeeded", 5),
    }


def test_a_rerun_of_a_rerun_keeps_what_that_one_had_kept() -> None:
    life = a_life()
    second = again(life, rerun_of(life.journal, compiled(BOOK), "restart"))
    second.succeed()
    second.fail("http_4xx", "404")
    third = again(second, rerun_of(second.journal, compiled(BOOK), "check"))
    assert third.asked.arguments == {"last": 2}


def test_from_the_beginning_nothing_is_kept() -> None:
    life = a_life()
    rerun = rerun_of(life.journal, compiled(BOOK), "")
    assert (rerun.kept, rerun.variables) == ((), {})
    assert again(life, rerun).asked.step == "query"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("kill", "the step kill is inside each: begin with each"),
        ("each[1].kill", "the step each[1].kill is inside each: begin with each"),
        ("nope", "`steps` has no step nope; it has query, #2, each, flaky, calm, #8, restart, check"),
        ("check", "the step restart had not ended in that run: begin with it, or before it"),
    ],
)
def test_where_it_cannot_begin_is_said(step: str, why: str) -> None:
    life = Life(BOOK)
    life.succeed({"n": 3})
    life.succeed("first", step="each[0].kill")
    life.succeed("second", step="each[1].kill")
    life.fail("http_4xx", "404")
    life.cancel()
    with pytest.raises(CannotRerun) as refused:
        rerun_of(life.journal, compiled(BOOK), step)
    assert str(refused.value) == why


def test_of_nothing_nothing_can_be_rerun() -> None:
    with pytest.raises(CannotRerun):
        rerun_of((), compiled(BOOK), "")
