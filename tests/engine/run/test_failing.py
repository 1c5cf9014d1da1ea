"""What happens after an attempt failed: retries, unknown outcomes, questions to a person."""

from typing import Any

import pytest

from engine.playbook.model import Retry
from engine.run.failing import ASK_MS, MESSAGE_MAX
from schemas.events import StepAsked, StepFailed, StepRetryScheduled
from schemas.inbox import TimerFired
from tests.engine.run.given import RUN_ID, Life, a_playbook, a_step, names

RETRY = Retry(attempts=2, delay_ms=1_000, backoff=2.0, max_delay_ms=60_000, within_ms=3_600_000)


def an_unknown_life(**fields: Any) -> Life:
    """An unrepeatable step was granted and its outcome is unknown."""
    life = Life(a_playbook(a_step("kill", action="touch", **fields), a_step("next")))
    life.feed(life.claim())
    life.fail("timeout", "no answer in 60 s", status="unknown")
    return life


def test_a_transient_failure_schedules_another_attempt_with_its_reason() -> None:
    life = Life(a_playbook())
    (event,) = life.fail("http_5xx", "503 from upstream")
    assert isinstance(event, StepRetryScheduled)
    assert (event.kind, event.message, event.attempt) == ("http_5xx", "503 from upstream", 1)
    assert 750 <= event.due_ms - life.at_ms <= 1_000
    assert "attempt 1 of 3" in event.reason
    assert life.status == "waiting"
    assert life.live.timers == {
        "timeout": life.live.timers["timeout"],
        "retry/pods/1": event.due_ms,
    }


def test_the_next_attempt_is_requested_when_its_time_comes() -> None:
    life = Life(a_playbook())
    life.fail("http_5xx")
    assert names(life.fire("retry/")) == ["StepRequested"]
    assert (life.asked.attempt, life.asked.idempotency_key) == (2, f"{RUN_ID}/pods/2")
    assert life.status == "running"


def test_a_step_that_fails_three_times_fails_the_run_and_says_so() -> None:
    life = Life(a_playbook())
    for _ in range(2):
        life.fail("unreachable", "connection refused")
        life.fire("retry/")
    assert names(life.fail("unreachable", "connection refused")) == ["StepFailed", "Reported", "RunFinished"]
    assert life.finished.message == "connection refused; attempt 3 of 3 was the last"
    assert (life.finished.kind, life.finished.step) == ("step", "pods")
    (report,) = life.reports
    assert report.title == "Playbook demo failed at step pods"
    for word in ("pods, 3 attempts", "unreachable: connection refused", RUN_ID, "latency is high"):
        assert word in report.text


def test_the_other_side_is_waited_for_as_long_as_it_asks() -> None:
    life = Life(a_playbook())
    life.fail("rate_limited", "429", retry_after_ms=30_000)
    assert life.live.timers["retry/pods/1"] == life.at_ms + 30_000


def test_a_failure_of_our_own_making_is_not_tried_again() -> None:
    life = Life(a_playbook(a_step(retry=RETRY)))
    life.fail("bad_input", "no such host")
    assert life.finished.message == "no such host"


def test_an_unrepeatable_step_that_surely_did_not_happen_is_tried_again_only_if_retry_says_so() -> None:
    once = Life(a_playbook(a_step(action="touch")))
    once.fail("unreachable")
    assert once.status == "failed"
    twice = Life(a_playbook(a_step(action="touch", retry=RETRY)))
    twice.fail("unreachable")
    assert twice.status == "waiting"


def test_a_step_may_fail_and_the_run_goes_on() -> None:
    life = Life(a_playbook(a_step("one", continue_on_error=True), a_step("two")))
    events = life.fail("http_4xx", "404", started_at_ms=3, duration_ms=4)
    assert events[0] == StepFailed(
        step="one",
        attempt=1,
        kind="http_4xx",
        message="404",
        continued=True,
        started_at_ms=3,
        duration_ms=4,
    )
    assert life.asked.step == "two"
    life.succeed()
    assert life.status == "succeeded"


def test_a_result_without_a_kind_still_has_one() -> None:
    life = Life(a_playbook())
    life.feed(life.answer(status="failed"))
    assert [event.kind for event in life.events if isinstance(event, StepFailed)] == ["internal"]
    life = Life(a_playbook())
    life.feed(life.answer(status="cancelled"))
    assert [event.kind for event in life.events if isinstance(event, StepFailed)] == ["cancelled"]


def test_an_unknown_outcome_of_a_repeatable_step_is_an_ordinary_failure() -> None:
    life = Life(a_playbook())
    life.fail("timeout", status="unknown")
    assert life.status == "waiting"


def test_a_long_message_is_cut_with_a_visible_mark() -> None:
    life = Life(a_playbook())
    life.fail("http_4xx", "x" * 100_000)
    assert len(life.finished.message) == MESSAGE_MAX
    assert life.finished.message.endswith("…")


def test_an_unknown_outcome_fails_the_run_unless_the_playbook_says_otherwise() -> None:
    life = an_unknown_life()
    (event,) = [event for event in life.events if isinstance(event, StepFailed)]
    assert (event.status, event.kind, event.continued) == ("unknown", "timeout", False)
    assert (life.finished.kind, life.finished.step, life.finished.message) == (
        "unknown",
        "kill",
        "no answer in 60 s",
    )


@pytest.mark.parametrize("fields", [{"on_unknown": "continue"}, {"continue_on_error": True}])
def test_an_unknown_outcome_may_be_passed_over(fields: Any) -> None:
    life = an_unknown_life(**fields)
    assert life.asked.step == "next"
    assert life.live.steps["kill"].phase == "unknown"


def test_an_unknown_outcome_may_be_tried_again_within_the_bounds_of_retry() -> None:
    life = an_unknown_life(on_unknown="retry", retry=RETRY)
    assert life.status == "waiting"
    life.fire("retry/")
    life.feed(life.claim())
    life.fail("timeout", "again nothing", status="unknown")
    assert life.finished.kind == "unknown"
    assert life.finished.message == "again nothing; attempt 2 of 2 was the last"


def test_an_unknown_outcome_is_tried_three_times_where_retry_is_not_given() -> None:
    life = an_unknown_life(on_unknown="retry")
    life.fire("retry/")
    life.feed(life.claim())
    life.fail("timeout", status="unknown")
    life.fire("retry/")
    assert life.asked.attempt == 3


def test_an_unknown_outcome_may_be_put_to_a_person() -> None:
    life = an_unknown_life(on_unknown="ask")
    (event,) = [event for event in life.events if isinstance(event, StepAsked)]
    assert "kill" in event.question and "no answer in 60 s" in event.question
    assert event.choices == ("retry", "fail", "continue")
    assert (event.due_ms, event.on_timeout) == (life.at_ms + ASK_MS, "fail")
    assert life.status == "waiting"


def test_a_person_may_have_it_tried_again() -> None:
    life = an_unknown_life(on_unknown="ask")
    assert names(life.reply("retry")) == ["StepAnswered", "StepRequested"]
    assert (life.asked.attempt, life.asked.repeatable) == (2, False)
    assert life.status == "running"


def test_a_person_may_call_it_failed() -> None:
    life = an_unknown_life(on_unknown="ask")
    assert names(life.reply("fail")) == ["StepAnswered", "StepFailed", "Reported", "RunFinished"]
    assert life.finished.kind == "unknown"
    assert life.finished.message.endswith("Answer: fail")


def test_a_person_may_have_the_run_go_on() -> None:
    life = an_unknown_life(on_unknown="ask")
    assert names(life.reply("continue")) == ["StepAnswered", "StepFailed", "StepRequested"]
    assert life.asked.step == "next"


def test_the_first_answer_wins_and_a_wrong_one_is_none() -> None:
    life = an_unknown_life(on_unknown="ask")
    assert life.reply("succeeded") == ()
    assert life.reply("continue", step="next") == ()
    assert life.reply("continue") != ()
    assert life.reply("fail", step="kill") == ()


def test_without_an_answer_in_time_the_step_has_failed() -> None:
    life = an_unknown_life(on_unknown="ask")
    events = life.fire("ask/")
    assert names(events)[:2] == ["StepAnswered", "StepFailed"]
    assert life.finished.kind == "unknown"


def test_a_failure_seen_by_on_failure_names_the_unknown_outcome() -> None:
    life = Life(
        a_playbook(
            a_step("kill", action="touch"),
            on_failure=(
                a_step("page", arguments={"kind": "${{ failure.kind }}", "step": "${{ failure.step }}"}),
            ),
        )
    )
    life.feed(life.claim())
    life.fail("timeout", status="unknown")
    assert life.asked.arguments == {"kind": "unknown", "step": "kill"}


def test_a_retry_timer_that_fires_twice_requests_once() -> None:
    life = Life(a_playbook())
    life.fail("http_5xx")
    timer = life.timer("retry/")
    life.fire("retry/")
    assert life.feed(TimerFired(row=RUN_ID, timer=timer, due_ms=1)) == ()


def test_a_retry_whose_arguments_fail_by_then_fails_the_step() -> None:
    life = Life(a_playbook(a_step(arguments={"x": "${{ [1, 2][steps.pods.attempts] }}"}), a_step("two")))
    life.fail("http_5xx")
    life.fire("retry/")
    assert life.asked.arguments == {"x": 2}
    life.fail("http_5xx")
    assert names(life.fire("retry/")) == ["StepFailed", "Reported", "RunFinished"]
    (failed,) = [event for event in life.events if isinstance(event, StepFailed)]
    assert (failed.kind, failed.attempt) == ("bad_input", 2)
