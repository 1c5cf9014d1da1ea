"""Due times: deadlines of attempts, the run's timeout, the time of each block; early, late, twice."""

from typing import Any

import pytest

from engine.playbook.model import BLOCK_MS
from schemas.events import BlockEntered, StepCancelled, StepFailed, StepRetryScheduled
from schemas.inbox import TimerFired
from tests.engine.run.given import RUN_ID, Life, a_playbook, a_step, names, one


def fired(timer: str, due_ms: int = 0) -> TimerFired:
    return TimerFired(row=RUN_ID, timer=timer, due_ms=due_ms)


def test_a_running_attempt_has_its_deadline_beside_the_runs_own() -> None:
    life = Life(a_playbook())
    assert life.live.timers == {
        "timeout": life.live.started_at_ms + 3_600_000,
        "deadline/pods/1": life.asked.deadline_ms,
    }


def test_a_timer_that_fires_early_is_ignored_and_kept() -> None:
    life = Life(a_playbook())
    due_ms = life.live.timers["deadline/pods/1"]
    assert life.feed(fired("deadline/pods/1", due_ms), at_ms=due_ms - 1) == ()
    assert life.live.timers["deadline/pods/1"] == due_ms


def test_a_timer_that_is_not_pending_is_ignored() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    deadline_ms = life.asked.deadline_ms
    life.succeed()
    for timer in ("deadline/one/1", "deadline/two/2", "retry/one/1", "finally", "forget", "nonsense", ""):
        assert life.feed(fired(timer), at_ms=deadline_ms + 1) == ()


def test_a_repeatable_step_without_an_answer_is_given_up_and_tried_again() -> None:
    life = Life(a_playbook())
    events = life.fire("deadline/", late_ms=5_000)
    assert names(events) == ["StepCancelled", "StepRetryScheduled"]
    assert one(StepRetryScheduled, events).kind == "timeout"
    assert life.live.unanswered == (("pods", 1),)


def test_an_unrepeatable_step_that_nobody_claimed_surely_did_not_happen() -> None:
    life = Life(a_playbook(a_step(action="touch", start_within_ms=5_000)))
    events = life.fire("deadline/")
    assert names(events)[:2] == ["StepCancelled", "StepFailed"]
    failed = events[1]
    assert isinstance(failed, StepFailed)
    assert (failed.status, failed.kind, failed.message) == (
        "failed",
        "timeout",
        "no executor claimed the step within 5 s",
    )


def test_an_unrepeatable_step_under_a_grant_without_an_answer_is_unknown() -> None:
    life = Life(a_playbook(a_step(action="touch")))
    life.feed(life.claim("ex-1"))
    events = life.fire("deadline/")
    failed = events[1]
    assert isinstance(failed, StepFailed)
    assert (failed.status, failed.kind) == ("unknown", "unknown")
    assert "ex-1" in failed.message


def test_the_runs_timeout_stops_what_is_under_way_and_runs_both_blocks() -> None:
    life = Life(a_playbook(on_failure=(a_step("page"),), finally_=(a_step("unlock"),), timeout_ms=10_000))
    events = life.fire("timeout")
    assert names(events) == ["StepCancelled", "BlockEntered", "StepRequested"]
    assert events[0] == StepCancelled(step="pods", attempt=1, reason="the run's timeout has passed")
    assert events[1] == BlockEntered(
        block="on_failure",
        due_ms=life.at_ms + BLOCK_MS,
        status="failed",
        kind="timeout",
        message="the run's timeout has passed while step `pods` was under way",
    )
    assert set(life.live.timers) == {"on_failure", "deadline/page/1"}
    life.succeed()
    assert life.asked.step == "unlock"
    life.succeed()
    assert (life.finished.status, life.finished.kind, life.finished.step) == ("failed", "timeout", "")


def test_the_runs_timeout_also_ends_the_wait_for_a_retry() -> None:
    life = Life(a_playbook(timeout_ms=10_000))
    life.fail("rate_limited", retry_after_ms=60_000)
    assert names(life.fire("timeout")) == ["StepCancelled", "Reported", "RunFinished"]
    assert life.live.unanswered == ()


@pytest.mark.parametrize("block", ["on_failure", "finally"])
def test_a_block_that_takes_too_long_is_left(block: Any) -> None:
    life = Life(a_playbook(on_failure=(a_step("page"),), finally_=(a_step("unlock"),)))
    life.fail("http_4xx", "404")
    if block == "finally":
        life.succeed()
    events = life.fire(block)
    assert names(events)[0] == "StepCancelled"
    if block == "on_failure":
        assert life.asked.step == "unlock"
        life.succeed()
    assert (life.finished.status, life.finished.kind, life.finished.message) == ("failed", "step", "404")


def test_a_finally_that_takes_too_long_fails_a_run_that_would_have_succeeded() -> None:
    life = Life(a_playbook(finally_=(a_step("unlock"),)))
    life.succeed()
    life.fire("finally")
    assert (life.finished.status, life.finished.kind) == ("failed", "timeout")
    assert life.finished.message == "the time of `finally` has passed while step `unlock` was under way"


def test_times_of_the_broker_that_go_back_a_little_harm_nothing() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    life.feed(life.answer(status="failed", kind="http_5xx"), at_ms=life.at_ms - 500)
    life.fire("retry/")
    life.feed(life.answer(status="succeeded"), at_ms=life.at_ms - 5_000)
    life.feed(life.answer(status="succeeded"), at_ms=life.at_ms - 5_000)
    assert life.status == "succeeded"
