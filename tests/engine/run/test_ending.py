"""How runs end: blocks, cancels, recoveries, reports, late results, being forgotten."""

from typing import Any

import pytest

from engine.playbook.model import BLOCK_MS, ExitStep, SetStep
from engine.run.evolving import refold
from schemas.admissions import RunEnded
from schemas.events import BlockEntered, CancelSeen, RecoverySeen, RunForgotten, StepLate
from schemas.inbox import CancelRequested, TimerFired
from schemas.topics import ADMISSIONS
from tests.engine.run.given import NOON_MS, RUN_ID, Life, a_playbook, a_step, names

BLOCKS = {
    "on_failure": (a_step("page", arguments={"why": "${{ failure.step }}/${{ failure.kind }}"}),),
    "finally_": (a_step("unlock", arguments={"status": "${{ run.status }}"}),),
}


def test_a_run_that_succeeds_runs_finally_and_not_on_failure() -> None:
    life = Life(a_playbook(**BLOCKS))
    assert names(life.succeed()) == ["StepSucceeded", "BlockEntered", "StepRequested"]
    assert (life.asked.step, life.asked.arguments) == ("unlock", {"status": "succeeded"})
    life.succeed()
    assert life.status == "succeeded"


def test_a_run_that_fails_runs_on_failure_and_then_finally() -> None:
    life = Life(a_playbook(**BLOCKS))
    events = life.fail("http_4xx", "404")
    assert events[1] == BlockEntered(
        block="on_failure",
        due_ms=life.at_ms + BLOCK_MS,
        status="failed",
        kind="http_4xx",
        step="pods",
        message="404",
    )
    assert (life.asked.step, life.asked.arguments) == ("page", {"why": "pods/http_4xx"})
    life.succeed()
    assert (life.asked.step, life.asked.arguments) == ("unlock", {"status": "failed"})
    life.succeed()
    assert (life.finished.status, life.finished.kind, life.finished.message) == ("failed", "step", "404")


def test_the_first_failure_names_the_end_whatever_fails_after_it() -> None:
    life = Life(a_playbook(**BLOCKS))
    life.fail("http_4xx", "the first")
    life.fail("http_4xx", "the second")
    assert life.asked.step == "unlock"
    life.fail("http_4xx", "the third")
    assert (life.finished.step, life.finished.message) == ("pods", "the first")


def test_a_failure_in_finally_fails_a_run_that_would_have_succeeded() -> None:
    life = Life(a_playbook(**BLOCKS))
    life.succeed()
    life.fail("http_4xx", "still locked")
    assert (life.finished.status, life.finished.step, life.finished.kind) == ("failed", "unlock", "step")
    assert life.finished.outputs == {}


def test_an_exit_in_on_failure_says_the_end_itself() -> None:
    life = Life(a_playbook(on_failure=(ExitStep(path="fine", reason="not so bad"), a_step("never"))))
    life.fail("http_4xx")
    assert (life.finished.status, life.finished.message) == ("succeeded", "not so bad")


def test_a_block_of_skipped_and_inline_steps_is_passed_in_one_record() -> None:
    life = Life(
        a_playbook(
            on_failure=(a_step("page", condition="false"),),
            finally_=(SetStep(path="#3", values={"x": 1}),),
        )
    )
    assert names(life.fail("http_4xx")) == [
        "StepFailed",
        "BlockEntered",
        "StepSkipped",
        "BlockEntered",
        "VarsSet",
        "Reported",
        "RunFinished",
    ]


def test_a_cancel_stops_what_is_under_way_and_runs_finally() -> None:
    life = Life(a_playbook(**BLOCKS))
    events = life.cancel("ann", "a drill")
    assert names(events) == ["CancelSeen", "StepCancelled", "BlockEntered", "StepRequested"]
    assert events[0] == CancelSeen(actor="ann", reason="a drill")
    assert (life.asked.step, life.asked.arguments) == ("unlock", {"status": "cancelled"})
    life.succeed()
    assert (life.finished.status, life.finished.kind) == ("cancelled", "")
    assert life.finished.message == "cancelled by ann: a drill"


def test_a_second_cancel_is_a_repeat() -> None:
    life = Life(a_playbook(**BLOCKS))
    life.cancel()
    assert life.cancel("bob") == ()


def test_a_cancel_in_on_failure_goes_on_to_finally_and_the_run_stays_failed() -> None:
    life = Life(a_playbook(**BLOCKS))
    life.fail("http_4xx", "404")
    life.cancel()
    assert life.asked.step == "unlock"
    life.succeed()
    assert (life.finished.status, life.finished.message) == ("failed", "404")


def test_a_cancel_in_finally_is_noted_and_finally_goes_on() -> None:
    life = Life(a_playbook(**BLOCKS))
    life.succeed()
    assert names(life.cancel()) == ["CancelSeen"]
    life.succeed()
    assert life.status == "succeeded"


def test_a_cancel_while_waiting_for_a_retry_or_an_answer_ends_the_wait() -> None:
    retrying = Life(a_playbook())
    retrying.fail("http_5xx")
    assert names(retrying.cancel()) == ["CancelSeen", "StepCancelled", "RunFinished"]
    asking = Life(a_playbook(a_step(action="touch", on_unknown="ask")))
    asking.fail("timeout", status="unknown")
    assert names(asking.cancel()) == ["CancelSeen", "StepCancelled", "RunFinished"]
    assert asking.live.unanswered == ()


def test_a_recovery_is_noted_once() -> None:
    life = Life(a_playbook())
    assert life.recover(alert_id="a-2") == (RecoverySeen(alert_id="a-2", recovered_at_ms=NOON_MS),)
    assert life.recover(alert_id="a-3") == ()
    assert life.status == "running"


def test_a_recovery_cancels_where_the_playbook_says_so() -> None:
    life = Life(a_playbook())
    assert names(life.recover(cancel=True)) == ["RecoverySeen", "CancelSeen", "StepCancelled", "RunFinished"]
    assert (life.finished.status, life.finished.message) == ("cancelled", "cancelled: the alert recovered")


def test_the_end_gives_the_slot_and_the_key_back() -> None:
    life = Life(a_playbook(), key="monitor/group")
    life.succeed()
    (sent,) = life.sends
    assert (sent.topic, sent.key) == (ADMISSIONS, "demo")
    assert sent.record == RunEnded(run_id=RUN_ID, playbook="demo", key="monitor/group", status="succeeded")


@pytest.mark.parametrize(
    ("report", "end", "kinds"),
    [
        ((), "failed", []),
        (("failed",), "failed", ["failed"]),
        (("failed",), "succeeded", []),
        (("failed", "succeeded", "cancelled"), "succeeded", ["succeeded"]),
        (("cancelled",), "cancelled", ["cancelled"]),
        (("succeeded",), "cancelled", []),
    ],
)
def test_only_the_ends_that_report_names_are_reported(report: Any, end: Any, kinds: Any) -> None:
    life = Life(a_playbook(report=report))
    {"failed": lambda: life.fail("http_4xx"), "succeeded": life.succeed, "cancelled": life.cancel}[end]()
    assert life.status == end
    assert [report.kind for report in life.reports] == kinds


def test_a_result_after_a_cancel_is_late_once_and_changes_nothing() -> None:
    life = Life(a_playbook(**BLOCKS))
    late = life.answer(status="succeeded", output={"x": 1}, message="done")
    life.cancel()
    assert life.feed(late) == (StepLate(step="pods", attempt=1, status="succeeded", message="done"),)
    assert life.feed(late) == ()
    assert life.live.steps["pods"].phase == "cancelled"
    assert life.live.steps["pods"].output is None


def test_a_result_after_the_end_is_late_once_and_the_run_does_not_move() -> None:
    life = Life(a_playbook())
    late = life.answer(status="cancelled", message="stopped")
    life.cancel()
    before = life.live
    assert names(life.feed(late)) == ["StepLate"]
    assert (life.live.status, life.live.timers) == (before.status, before.timers)
    assert life.feed(late) == ()


def test_a_result_that_was_taken_already_is_a_repeat_before_and_after_the_end() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    first = life.answer(status="succeeded")
    life.feed(first)
    assert life.feed(first) == ()
    life.succeed()
    assert life.feed(first) == ()


def test_a_late_result_of_an_attempt_that_was_given_up_does_not_end_the_next_one() -> None:
    life = Life(a_playbook())
    late = life.answer(status="succeeded", output="too late")
    life.fire("deadline/")
    life.fire("retry/")
    assert names(life.feed(late)) == ["StepLate"]
    assert life.live.steps["pods"].phase == "requested"
    life.succeed("in time")
    assert life.status == "succeeded"


@pytest.mark.parametrize("fields", [{"attempt": 2}, {"step": "nowhere"}, {"answers_seq": 99}, {"attempt": 0}])
def test_an_answer_to_what_was_never_asked_means_nothing(fields: Any) -> None:
    life = Life(a_playbook())
    assert life.feed(life.answer(status="succeeded", **fields)) == ()


def test_an_ended_row_keeps_only_what_may_still_matter() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    life.succeed({"big": "x" * 10_000})
    life.succeed()
    assert (life.live.started, life.live.steps, life.live.variables) == (None, {}, {})
    assert life.live.timers == {"forget": life.finished.forget_ms}
    assert life.finished.forget_ms == life.at_ms + 86_400_000


def test_a_day_after_its_end_the_row_is_dropped() -> None:
    life = Life(a_playbook())
    life.succeed()
    assert life.fire("forget") == (RunForgotten(),)
    assert life.row is None
    assert refold(life.journal) is None


def test_a_row_is_not_dropped_early() -> None:
    life = Life(a_playbook())
    life.succeed()
    timer = TimerFired(row=RUN_ID, timer="forget", due_ms=life.finished.forget_ms)
    assert life.feed(timer, at_ms=life.finished.forget_ms - 1) == ()


def test_after_being_forgotten_nothing_but_a_request_means_anything() -> None:
    life = Life(a_playbook())
    late = life.answer(status="succeeded")
    life.succeed()
    life.fire("forget")
    assert life.feed(late) == ()
    assert life.feed(CancelRequested(run_id=RUN_ID, actor="ann")) == ()
    assert life.feed(TimerFired(row=RUN_ID, timer="forget", due_ms=1)) == ()


def test_nothing_moves_a_finished_run() -> None:
    life = Life(a_playbook(**BLOCKS))
    life.succeed()
    answer, claim = life.answer(status="failed"), life.claim()
    life.succeed()
    before = life.live
    assert life.cancel() == life.recover(cancel=True) == life.reply("retry") == ()
    assert life.feed(answer) == life.feed(claim) == ()
    assert life.feed(TimerFired(row=RUN_ID, timer="finally", due_ms=1)) == ()
    assert life.live is before
