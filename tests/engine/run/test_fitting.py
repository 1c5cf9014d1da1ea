"""What is too large fails its step with a clear reason, or the run; nothing ever grows beyond its limit."""

import tracemalloc
from typing import Any

import msgspec
import pytest

from engine.playbook.model import ForeachStep, InputSpec, PublishStep, SetStep
from engine.run.state import encode_row
from schemas.codec import encode
from schemas.events import StepFailed, StepRequested
from schemas.inbox import Limits
from tests.engine.run.given import Life, a_playbook, a_step, an_alert, names

TIGHT = Limits(step_output_bytes_max=4_000, row_bytes_max=20_000, record_bytes_max=30_000)


def failure(life: Life) -> StepFailed:
    (event,) = [event for event in life.events if isinstance(event, StepFailed)]
    return event


def within(life: Life, limits: Limits = TIGHT) -> bool:
    records = [len(encode(record)) for record in life.journal]
    return max(records) <= limits.record_bytes_max and len(encode_row(life.live)) <= limits.row_bytes_max


def test_an_output_beyond_its_limit_fails_the_step_though_the_executor_let_it_pass() -> None:
    life = Life(a_playbook(), limits=TIGHT)
    life.succeed("x" * 4_000)
    assert failure(life).kind == "too_large"
    assert failure(life).message == "the output is 4002 bytes; at most 4000 are kept (use `select`)"


def test_an_output_that_no_json_can_say_fails_the_step() -> None:
    life = Life(a_playbook())
    life.succeed({"x": float("inf")})
    assert failure(life).kind == "bad_output"


def test_an_output_may_hold_integers_of_any_length() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    life.succeed({"trace": 2**127, "small": -(2**70)})
    assert life.live.steps["one"].output == {"trace": 2**127, "small": -(2**70)}


def test_the_step_whose_output_no_longer_fits_the_row_fails_and_the_blocks_still_run() -> None:
    steps = tuple(a_step(f"s{n}") for n in range(9))
    book = a_playbook(*steps, on_failure=(a_step("page"),), finally_=(a_step("unlock"),))
    life = Life(book, limits=TIGHT)
    while not any(isinstance(event, StepFailed) for event in life.events):
        life.succeed("x" * 3_000)
        assert within(life)
    assert failure(life).kind == "too_large"
    assert "at most 18750 are allowed" in failure(life).message
    assert life.asked.step == "page"
    life.succeed("x" * 500)
    assert life.asked.step == "unlock"
    life.succeed()
    assert (life.finished.kind, life.finished.step) == ("step", failure(life).step)


def test_a_set_that_brings_too_much_fails_the_run() -> None:
    values = {"x": "${{ steps.one.output + steps.one.output + steps.one.output }}"}
    steps = [SetStep(path=f"#{n}", values={f"x{n}": values["x"]}) for n in range(3)]
    life = Life(a_playbook(a_step("one"), *steps, a_step("two")), limits=TIGHT)
    life.succeed("x" * 2_500)
    gone_on(life)
    assert (failure(life).step, failure(life).kind) == ("#1", "too_large")
    assert within(life)


def test_sets_that_double_a_value_again_and_again_stop_at_the_limit_and_not_at_the_end_of_memory() -> None:
    doublings = [SetStep(path=f"#{n}", values={"x": "${{ vars.x + vars.x }}"}) for n in range(2, 300)]
    tracemalloc.start()
    try:
        life = Life(a_playbook(SetStep(path="#1", values={"x": "x" * 64}), *doublings), limits=TIGHT)
        gone_on(life)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failure(life).kind == "too_large"
    assert life.status == "failed"
    assert within(life)
    assert most_bytes < 20_000_000


def test_arguments_that_are_too_large_fail_the_step_and_it_may_be_passed_over() -> None:
    big = "+".join(["steps.one.output"] * 12)
    life = Life(
        a_playbook(
            a_step("one"),
            a_step("two", arguments={"x": f"${{{{ {big} }}}}"}, continue_on_error=True),
            a_step("three"),
        ),
        limits=TIGHT,
    )
    life.succeed("x" * 3_000)
    assert (failure(life).kind, failure(life).attempt) == ("too_large", 0)
    assert "the journal record would be" in failure(life).message
    assert life.asked.step == "three"


def test_too_many_texts_in_one_record_fail_the_one_that_does_not_fit() -> None:
    publishes = [PublishStep(path=f"#{n}", title="t", text="y" * 3_900) for n in range(1, 20)]
    life = Life(a_playbook(*publishes), limits=TIGHT, engine=1)
    assert 5 <= len(life.reports) < 9
    assert failure(life).kind == "too_large"
    assert within(life)


def test_many_texts_are_told_in_several_records() -> None:
    publishes = [PublishStep(path=f"#{n}", title="t", text="y" * 3_900) for n in range(1, 20)]
    life = Life(a_playbook(*publishes), limits=TIGHT)
    gone_on(life)
    assert (life.status, len(life.reports)) == ("succeeded", 19)
    assert len(life.journal) > 3
    assert within(life)


def test_many_large_requests_at_once_are_made_in_several_records() -> None:
    loop = ForeachStep(
        path="each",
        items="[1, 2, 3, 4, 5, 6, 7, 8, 9]",
        variable="one",
        concurrency=9,
        steps=(a_step("look_at", arguments={"text": "x" * 100_000}),),
    )
    life = Life(a_playbook(loop))
    gone_on(life)
    assert sum(isinstance(event, StepRequested) for event in life.events) == 9
    assert not any(isinstance(event, StepFailed) for event in life.events)


def test_a_question_that_does_not_fit_leaves_its_step_unknown() -> None:
    ask = a_step("touch", action="touch", on_unknown="ask", continue_on_error=True)
    book = a_playbook(SetStep(path="#1", values={"big": "x" * 500}), ask)
    for row_bytes_max in range(2_000, 3_200, 40):
        life = Life(book, limits=Limits(row_bytes_max=row_bytes_max))
        if not life.ended:
            life.feed(life.claim())
        if life.ended:
            continue
        life.fire("deadline")
        assert life.ended or life.live.steps["touch"].phase in ("asking", "unknown"), row_bytes_max


def gone_on(life: Life) -> None:
    """The run goes on where it broke off, until it does so no more."""
    while not life.ended and "pause" in life.live.timers:
        life.fire("pause")


def test_an_alert_that_does_not_fit_the_row_fails_the_run_at_once_and_is_not_kept() -> None:
    life = Life(a_playbook(), limits=TIGHT, alert=an_alert(body="x" * 30_000))
    assert (life.status, life.finished.kind) == ("failed", "too_large")
    assert "bytes; at most" in life.finished.message
    assert names(life.events) == ["RunStarted", "Reported", "RunFinished"]
    assert within(life)


def test_inputs_that_do_not_fit_fail_the_run_at_once() -> None:
    book = a_playbook(inputs={"x": InputSpec(required=True)})
    life = Life(book, limits=TIGHT, inputs={"x": "y" * 25_000})
    assert life.finished.kind == "too_large"
    assert within(life)


def test_outputs_of_the_playbook_that_are_too_large_fail_the_run() -> None:
    twice = "${{ steps.pods.output + steps.pods.output }}"
    life = Life(a_playbook(outputs={"x": twice}), limits=TIGHT)
    life.succeed("x" * 2_500)
    assert (life.finished.kind, life.finished.outputs) == ("too_large", {})
    assert "the outputs are 5008 bytes; at most 4000 are kept" in life.finished.message


def test_a_row_that_is_full_ends_the_run_rather_than_grow() -> None:
    book = a_playbook(a_step("one"), finally_=tuple(a_step(f"f{n}") for n in range(9)))
    life = Life(book, limits=TIGHT)
    life.succeed("x" * 3_900)
    for _ in range(9):
        if life.ended:
            break
        life.succeed("x" * 3_900)
        assert within(life)
    assert life.ended
    assert failure(life).kind == "too_large"


@pytest.mark.parametrize("bytes_max", [500, 1_000, 1_500])
def test_limits_too_small_for_any_run_still_end_it(bytes_max: Any) -> None:
    limits = Limits(row_bytes_max=bytes_max, record_bytes_max=bytes_max)
    life = Life(a_playbook(), limits=limits)
    assert (life.status, life.finished.kind) == ("failed", "too_large")


@pytest.mark.parametrize("bytes_max", range(1_400, 4_600, 160))
def test_whatever_the_limit_a_run_ends_and_never_exceeds_it(bytes_max: int) -> None:
    limits = Limits(row_bytes_max=bytes_max, record_bytes_max=9_000)
    book = a_playbook(
        a_step("one"),
        a_step("skipped" * 9, condition="alert.host != ''"),
        a_step("two", continue_on_error=True),
        SetStep(path="#4", values={"x": "${{ steps.one.output + steps.one.output }}"}),
        a_step("three"),
        on_failure=(a_step("page"),),
        finally_=(a_step("unlock"),),
    )
    life = Life(book, limits=limits)
    for _ in range(12):
        if life.ended:
            break
        assert within(life, limits)
        if life.status == "waiting":
            life.fire("retry/")
        elif life.asked.step == "two":
            life.fail("http_5xx", "no " * 20)
        else:
            life.succeed("x" * 400)
    assert life.ended
    assert within(life, limits)


def test_a_record_is_never_measured_smaller_than_it_is() -> None:
    life = Life(
        a_playbook(a_step(arguments={"t": 'quote " and \u00e9 \x01'})), alert=an_alert(body="\u2603" * 500)
    )
    life.succeed({"a": [1.5, None, True, "x\n"], "b": {"c": 2**80}})
    for record in life.journal:
        assert len(encode(record)) < len(msgspec.json.encode(record))
