"""What a simulated world says reaches the run as the executor, timers, people and children would say it."""

import pytest

from engine.simulation import running
from engine.simulation.running import Endless, simulate
from engine.simulation.script import Script
from tests.engine.simulation.worlds import book_of, judged, told_of

GET = '- {id: look, action: http.request, with: {url: "https://a.b"}}\n'
POST = '- {id: touch, action: http.request, with: {method: POST, url: "https://a.b"}, on_unknown: ask}\n'
LOOP = (
    '- {id: pods, action: http.request, with: {url: "https://a.b"}}\n'
    "- id: each\n"
    "  foreach: steps.pods.output\n"
    "  as: pod\n"
    "  concurrency: 2\n"
    "  steps:\n"
    '    - {id: kill, action: http.request, with: {method: POST, url: "https://a.b/${{ pod }}"}}\n'
)


def test_a_step_without_an_answer_gets_null_and_is_listed() -> None:
    told = told_of(book_of(GET))
    assert (told.status, told.steps, told.assumed) == (
        "succeeded",
        {"look": "succeeded"},
        {"look": "output null"},
    )
    assert told_of(book_of(GET), "{look: {output: 1}}").assumed == {}


def test_a_list_is_one_answer_for_each_attempt_and_the_last_for_all_further_ones() -> None:
    twice = told_of(book_of(GET), "{look: [{error: http_5xx}, timeout, {output: 1}]}")
    assert (twice.status, twice.took_ms > 60_000) == ("succeeded", True), "the timeout took its time"
    never = told_of(book_of(GET), "{look: [{error: http_4xx, message: gone}]}")
    assert never.failure == {"step": "look", "kind": "http_4xx", "message": "gone"}


def test_a_claim_is_granted_before_a_step_that_must_not_be_done_twice() -> None:
    told = told_of(book_of(POST), "{touch: {output: 1}}")
    assert (told.status, told.steps) == ("succeeded", {"touch": "succeeded"})


def test_nobody_knows_what_became_of_an_unrepeatable_step_that_timed_out() -> None:
    told = told_of(book_of(POST, "timeout: 3h\n"), "{touch: timeout}")
    assert told.assumed == {"touch": "nobody answers: fail"}
    assert (told.steps, told.failure["kind"]) == ({"touch": "unknown"}, "unknown")
    assert told.asked[0]["choices"] == ["retry", "fail", "continue"]


def test_a_person_answers_what_nobody_knows() -> None:
    told = told_of(book_of(POST), "{touch: [{error: http_5xx}, retry, {output: 1}]}")
    assert (told.status, told.steps, len(told.asked)) == ("succeeded", {"touch": "succeeded"}, 1)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("{error: timeout}", "unknown"),
        ("{error: http_5xx}", "unknown"),
        ("{error: http_5xx, unknown: false}", "failed"),
        ("{error: http_4xx}", "failed"),
        ("{error: unreachable}", "failed"),
        ("{error: unreachable, unknown: true}", "unknown"),
    ],
)
def test_a_failure_after_which_it_may_have_been_done_is_unknown_as_the_executor_would_say(
    said: str, status: str
) -> None:
    told = told_of(book_of(POST, "timeout: 3h\n"), f"{{touch: {said}}}")
    assert told.steps == {"touch": status}


def test_an_iteration_has_its_own_answer_and_the_id_is_for_all_others() -> None:
    told = told_of(
        book_of(LOOP), "{pods: {output: [a, b, c]}, kill: {output: 1}, 'each[1].kill': {error: refused}}"
    )
    assert told.steps["each[0].kill"] == "succeeded"
    assert told.steps["each[1].kill"] == "failed"
    assert told.failure["step"] == "each[1].kill"


ASK = (
    "- {id: approve, ask: {question: Restart?, choices: [restart, leave], timeout: 10m, on_timeout: leave}}\n"
    "- {if: steps.approve.output.choice == 'leave', exit: {status: cancelled, reason: left}}\n"
)


@pytest.mark.parametrize(
    ("said", "ends", "took_ms"),
    [
        ("restart", "succeeded", 0),
        ("{choice: restart, by: ann, after: 5m}", "succeeded", 300_000),
        ("{choice: restart, after: 11m}", "cancelled", 600_000),
        ("timeout", "cancelled", 600_000),
    ],
)
def test_a_question_is_answered_or_times_out(said: str, ends: str, took_ms: int) -> None:
    told = told_of(book_of(ASK), f"{{approve: {said}}}")
    assert (told.status, told.took_ms, told.assumed) == (ends, took_ms, {})
    assert told.asked == [{"step": "approve", "question": "Restart?", "choices": ["restart", "leave"]}]


@pytest.mark.parametrize(
    ("said", "recovered", "took_ms"),
    [
        ("{recovered: true}", True, 0),
        ("{recovered_after: 5m}", True, 300_000),
        ("{recovered_after: 11m}", False, 600_000),
        ("{recovered: false}", False, 600_000),
        ("timeout", False, 600_000),
    ],
)
def test_a_wait_ends_with_the_recovery_or_its_time(said: str, recovered: bool, took_ms: int) -> None:
    wait = "- {id: healed, wait: {until: recovered, timeout: 10m}}\n"
    book = book_of(wait, 'outputs: {healed: "${{ steps.healed.output.recovered }}"}\n')
    told = told_of(book, f"{{healed: {said}}}")
    assert (told.outputs, told.took_ms) == ({"healed": recovered}, took_ms)


def test_a_child_gives_its_outputs_or_fails() -> None:
    book = book_of("- {id: page, run: status-page}\n", 'outputs: {url: "${{ steps.page.output.url }}"}\n')
    assert told_of(book, "{page: {output: {url: x}}}").outputs == {"url": "x"}
    failed = told_of(book, "{page: {error: failed, message: no page}}").failure
    assert (failed["kind"], "no page" in failed["message"]) == ("child", True)
    assert told_of(book, "{page: {error: held_back}}").failure["kind"] == "refused"


def test_what_takes_longer_than_the_run_is_cut_off_by_its_timeout() -> None:
    step = '- {id: look, action: http.request, timeout: 1h, with: {url: "https://a.b"}}\n'
    told = told_of(book_of(step, "timeout: 1m\n"), "{look: {output: 1, after: 2m}}")
    assert (told.failure["kind"], told.steps, told.took_ms) == ("timeout", {"look": "cancelled"}, 60_000)


def test_inputs_and_the_alert_reach_the_run() -> None:
    book = book_of(
        "- {publish: {title: \"${{ alert.tags['env'] }} ${{ inputs.n }} ${{ alert.at }}\"}}\n",
        "inputs: {n: {type: int, default: 1}}\n",
    )
    case = """
alert: {tags: {service: checkout, env: prod}, at: "2026-01-31T12:00:00Z"}
inputs: {n: 3}
expect: {status: succeeded, published: [{title: "prod 3 2026-01-31T12:00:00.000Z"}]}
"""
    assert judged(book, case).differences == ()


def test_a_run_without_an_end_in_sight_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    book = book_of('- {id: r, repeat: {times: 50, until: "false"}, steps: [{wait: {for: 1s}}]}\n')
    monkeypatch.setattr(running, "INPUTS_MAX", 10)
    with pytest.raises(Endless, match="has not ended after 10 inputs"):
        simulate(book, Script())


def test_the_same_world_twice_makes_the_same_run() -> None:
    answers = "{pods: {output: [a, b, c]}, kill: [{error: http_5xx}]}"
    assert told_of(book_of(LOOP), answers) == told_of(book_of(LOOP), answers)
