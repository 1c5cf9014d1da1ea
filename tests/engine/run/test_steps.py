"""Steps in sequence: what the executor is asked, what is done inline, what is skipped, what can be seen."""

from typing import Any

import pytest

from engine.playbook.model import ExitStep, InputSpec, PublishStep, SetStep
from engine.run.requesting import SLACK_MS
from schemas.actions import SecretSlot
from schemas.events import Reported, StepFailed, StepRequested, StepSkipped, StepSucceeded, VarsSet
from tests.engine.run.given import NOON_MS, RUN_ID, Life, a_playbook, a_step, an_alert, names


def test_the_first_record_starts_the_run_and_requests_the_first_step() -> None:
    life = Life(a_playbook(a_step("pods", arguments={"q": "up"}, select={"n": "output.n"})))
    assert names(life.journal[0].events) == ["RunStarted", "StepRequested"]
    start_by_ms = NOON_MS + 1_000 + 600_000
    assert life.asked == StepRequested(
        step="pods",
        attempt=1,
        action="look",
        arguments={"q": "up"},
        repeatable=True,
        select={"n": "output.n"},
        timeout_ms=60_000,
        start_by_ms=start_by_ms,
        deadline_ms=start_by_ms + 60_000 + SLACK_MS,
        idempotency_key=f"{RUN_ID}/pods/1",
    )


def test_each_step_is_requested_when_the_one_before_it_succeeded() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    assert names(life.succeed({"x": 1}, started_at_ms=5, duration_ms=7)) == ["StepSucceeded", "StepRequested"]
    assert life.events[2] == StepSucceeded(
        step="one", attempt=1, output={"x": 1}, started_at_ms=5, duration_ms=7
    )
    assert life.asked.step == "two"
    assert names(life.succeed()) == ["StepSucceeded", "RunFinished"]
    assert life.status == "succeeded"


def test_arguments_are_filled_in_and_secrets_are_left_to_the_executor() -> None:
    arguments = {
        "url": "https://host/${{ alert.title }}",
        "auth": {"bearer": "${{ secrets.TOKEN }}"},
        "n": "${{ 1 + 2 }}",
    }
    life = Life(a_playbook(a_step(action="http.request", arguments=arguments)), alert=an_alert(title="a b"))
    assert life.asked.arguments == {"url": "https://host/a%20b", "auth": {"bearer": None}, "n": 3}
    assert life.asked.secrets == (SecretSlot(path=("auth", "bearer"), name="TOKEN"),)


def test_what_an_alert_says_is_never_taken_for_an_expression_or_a_secret() -> None:
    life = Life(
        a_playbook(a_step(arguments={"text": "${{ alert.title }}"})), alert=an_alert(title="${{ secrets.X }}")
    )
    assert life.asked.arguments == {"text": "${{ secrets.X }}"}
    assert life.asked.secrets == ()


def test_an_argument_that_cannot_be_computed_fails_the_step_with_its_place() -> None:
    life = Life(a_playbook(a_step(arguments={"q": "${{ alert.tags['team'] }}"})))
    (failed,) = [event for event in life.events if isinstance(event, StepFailed)]
    assert failed.kind == "bad_input"
    assert "with: q" in failed.message and "team" in failed.message
    assert failed.attempt == 0
    assert (life.finished.status, life.finished.kind, life.finished.step) == ("failed", "step", "pods")


def test_a_literal_that_json_cannot_say_fails_the_step() -> None:
    life = Life(a_playbook(a_step(arguments={"q": float("nan")})))
    assert "not finite" in life.finished.message


def test_a_literal_of_set_that_json_cannot_say_fails_the_run() -> None:
    life = Life(a_playbook(SetStep(path="#1", values={"x": float("inf")})))
    assert "not finite" in life.finished.message


def test_an_action_that_was_not_pinned_fails_the_step() -> None:
    life = Life(a_playbook(a_step(action="nowhere")))
    assert "no action `nowhere`" in life.finished.message


def test_a_step_whose_condition_is_false_is_skipped_with_the_condition_as_reason() -> None:
    life = Life(a_playbook(a_step("one", condition="alert.host != ''"), a_step("two")))
    assert life.events[1] == StepSkipped(step="one", reason="alert.host != ''")
    assert life.asked.step == "two"


def test_a_condition_that_fails_fails_the_step() -> None:
    life = Life(a_playbook(a_step(condition="alert.tags['team'] == 'x'")))
    assert life.finished.kind == "step"
    assert "team" in life.finished.message


def test_a_failed_condition_of_a_step_that_may_fail_lets_the_run_go_on() -> None:
    life = Life(
        a_playbook(a_step("one", condition="alert.tags['x'] == 'x'", continue_on_error=True), a_step("two"))
    )
    assert life.asked.step == "two"


def test_set_publish_and_skipped_steps_are_taken_within_one_record() -> None:
    life = Life(
        a_playbook(
            a_step("pods"),
            SetStep(path="#2", values={"n": "${{ steps.pods.output.n }}", "m": 2}),
            SetStep(path="#3", values={"n": "${{ vars.n + vars.m }}"}),
            PublishStep(path="#4", title="n is ${{ vars.n }}"),
            a_step("never", condition="vars.n == 0"),
            a_step("last", arguments={"n": "${{ vars.n }}"}),
        )
    )
    events = life.succeed({"n": 40})
    assert names(events) == [
        "StepSucceeded",
        "VarsSet",
        "VarsSet",
        "Reported",
        "StepSkipped",
        "StepRequested",
    ]
    assert events[1] == VarsSet(step="#2", values={"n": 40, "m": 2})
    assert life.asked.arguments == {"n": 42}


def test_a_set_that_fails_fails_the_run() -> None:
    life = Life(a_playbook(SetStep(path="#1", values={"n": "${{ 1 / 0 }}"})))
    assert (life.finished.kind, life.finished.step) == ("step", "#1")
    assert "values" not in life.finished.message and "n: " in life.finished.message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("steps.one.status", "failed"),
        ("steps.one.error.kind", "http_4xx"),
        ("steps.one.error.message", "404"),
        ("steps.one.attempts", 1),
        ("steps.one.skipped", False),
        ("steps.one.output", None),
        ("steps.none.skipped", True),
        ("steps.none.status", "skipped"),
        ("steps.none.output", None),
        ("steps.none.attempts", 0),
        ("run.id", RUN_ID),
        ("run.playbook", "demo"),
        ("run.status", "running"),
        ("run.started_at", "2026-01-31T12:00:01.000Z"),
        ("run.url", "http://here/r-test"),
        ("failure.kind", ""),
        ("inputs.n", 3),
        ("alert.title", "latency is high"),
    ],
)
def test_what_a_later_step_can_see(expression: str, value: object) -> None:
    life = Life(
        a_playbook(
            a_step("one", continue_on_error=True),
            a_step("none", condition="false"),
            a_step("two", arguments={"seen": f"${{{{ {expression} }}}}"}),
            inputs={"n": InputSpec(type="int", default=3)},
        ),
        run_url="http://here/r-test",
    )
    life.fail("http_4xx", "404")
    assert life.asked.arguments == {"seen": value}


def test_a_publish_becomes_a_finished_text() -> None:
    life = Life(
        a_playbook(
            PublishStep(
                path="#1",
                title="p95 of ${{ alert.host }}",
                text="look at @ops",
                tags=("team:${{ alert.host }}", "enrichment"),
                alert_type="warning",
                priority="low",
                host="${{ alert.host }}",
                aggregation_key="group",
            )
        ),
        alert=an_alert(host="web-1"),
    )
    assert life.reports == [
        Reported(
            step="#1",
            kind="publish",
            title="p95 of web-1",
            text="look at @ops",
            tags=("source:pulsebook", "playbook:demo", f"run:{RUN_ID}", "team:web-1", "enrichment"),
            alert_type="warning",
            priority="low",
            host="web-1",
            aggregation_key="group",
        )
    ]


def test_a_publish_that_cannot_be_filled_in_fails_the_run() -> None:
    life = Life(a_playbook(PublishStep(path="#1", title="${{ alert.tags['x'] }}")))
    assert life.finished.step == "#1"


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_exit_ends_the_run_with_its_status_and_reason(status: Any) -> None:
    life = Life(
        a_playbook(
            ExitStep(path="stop", status=status, reason="no ${{ alert.host }} here"),
            a_step("never"),
            on_failure=(a_step("page"),),
        ),
        alert=an_alert(host="web-1"),
    )
    assert life.status == status
    assert life.finished.message == "no web-1 here"
    assert life.finished.step == "stop"
    assert life.finished.kind == ("step" if status == "failed" else "")
    assert "StepRequested" not in names(life.events)


def test_an_exit_whose_condition_is_false_is_skipped() -> None:
    life = Life(a_playbook(ExitStep(path="stop", condition="false"), a_step("next")))
    assert life.asked.step == "next"


def test_outputs_are_computed_at_the_end() -> None:
    life = Life(a_playbook(a_step("pods"), outputs={"n": "${{ steps.pods.output.n }}", "literal": 1}))
    life.succeed({"n": 5})
    assert life.finished.outputs == {"n": 5, "literal": 1}


def test_an_output_that_cannot_be_computed_fails_the_run_and_still_meets_both_blocks() -> None:
    life = Life(
        a_playbook(
            a_step("pods"),
            outputs={"n": "${{ steps.pods.output.n }}"},
            on_failure=(a_step("page", arguments={"why": "${{ failure.message }}"}),),
        )
    )
    life.succeed({})
    assert life.asked.step == "page"
    assert life.asked.arguments["why"].startswith("outputs.n: ")
    life.succeed()
    assert (life.finished.status, life.finished.kind, life.finished.outputs) == ("failed", "bad_input", {})


def test_an_output_that_json_cannot_say_fails_the_run() -> None:
    life = Life(a_playbook(a_step(condition="false"), outputs={"n": float("nan")}))
    assert (life.finished.kind, life.finished.status) == ("bad_input", "failed")
    assert "not finite" in life.finished.message


def test_after_an_exit_an_output_that_cannot_be_computed_is_left_out() -> None:
    life = Life(
        a_playbook(ExitStep(path="stop"), a_step("pods"), outputs={"n": "${{ steps.pods.output.n }}", "m": 1})
    )
    assert (life.status, life.finished.outputs) == ("succeeded", {"m": 1})


def test_a_playbook_whose_steps_are_all_skipped_succeeds_in_one_record() -> None:
    life = Life(a_playbook(a_step(condition="false")))
    assert names(life.events) == ["RunStarted", "StepSkipped", "RunFinished"]
    assert life.status == "succeeded"


def test_a_long_playbook_of_inline_steps_comes_to_its_end_in_one_record() -> None:
    steps = tuple(SetStep(path=f"#{n}", values={"n": n}) for n in range(1, 501))
    life = Life(a_playbook(*steps), engine=1)
    assert (len(life.journal), life.status) == (1, "succeeded")


def test_a_long_playbook_of_inline_steps_breaks_off_and_goes_on() -> None:
    steps = tuple(SetStep(path=f"#{n}", values={"n": n}) for n in range(1, 501))
    life = Life(a_playbook(*steps))
    for _ in range(2):
        assert names(life.journal[-1].events)[-1] == "RunPaused"
        assert life.timer("pause") == "pause"
        life.fire("pause")
    assert (life.status, list(life.live.timers)) == ("succeeded", ["forget"])
    assert sum(isinstance(event, VarsSet) for event in life.events) == 500
