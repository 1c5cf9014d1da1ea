"""The runs that are kept as golden journals: what each tells, and how it is told to a `Life`."""

from collections.abc import Callable, Mapping

from engine.playbook.model import (
    ExitStep,
    InputSpec,
    PublishStep,
    Retry,
    SetStep,
)
from schemas.inbox import Limits
from tests.engine.run.given import Life, a_playbook, a_step
from tests.engine.run.stories_flow import (
    ALERT,
    a_loop_that_fails,
    a_rerun,
    an_exit_among_others,
    branches,
    broken_off,
    cancelled_with_its_child,
    children,
    loops,
    waits_and_questions,
)


def success() -> Life:
    """Expressions, a condition, set, publish, a skipped step, outputs, finally, forgetting."""
    book = a_playbook(
        a_step(
            "query",
            arguments={"q": "avg{${{ alert.tags['service'] }}}", "minutes": "${{ inputs.minutes }}"},
            select={"last": "output.last"},
        ),
        SetStep(path="#2", values={"high": "${{ steps.query.output.last > 2.0 }}"}),
        a_step("calm", condition="!vars.high"),
        PublishStep(
            path="#4", title="p95 is ${{ steps.query.output.last }} s", text="${{ alert.title }} @team"
        ),
        a_step(
            "restart",
            action="http.request",
            arguments={"url": "https://k/${{ alert.host }}", "method": "PUT"},
        ),
        inputs={"minutes": InputSpec(type="int", default=15, minimum=1)},
        finally_=(a_step("unlock", arguments={"status": "${{ run.status }}"}),),
        report=("failed", "succeeded"),
        outputs={"p95": "${{ steps.query.output.last }}"},
    )
    life = Life(book, alert=ALERT, inputs={"minutes": "30"}, run_url="https://here/runs/r-test")
    life.succeed({"last": 4.25})
    life.succeed({"code": 200})
    life.succeed()
    life.fire("forget")
    return life


def failure_after_retries() -> Life:
    """Default policy, a retry as the other side asks, on_failure, finally, a report."""
    book = a_playbook(
        a_step("query"),
        on_failure=(a_step("page", arguments={"title": "${{ failure.step }}: ${{ failure.message }}"}),),
        finally_=(a_step("unlock", continue_on_error=True),),
    )
    life = Life(book, alert=ALERT)
    life.fail("http_5xx", "502 bad gateway", started_at_ms=5, duration_ms=6)
    life.fire("retry/", late_ms=40)
    life.fail("rate_limited", "429", retry_after_ms=12_000)
    life.fire("retry/")
    life.fire("deadline/")
    life.succeed()
    life.fail("http_4xx", "404")
    return life


def an_executor_that_was_restarted() -> Life:
    """Claims: granted, refused, a newer boot, a question, an answer, a second grant, a late result."""
    book = a_playbook(a_step("kill", action="touch", on_unknown="ask", timeout_ms=30_000))
    life = Life(book, alert=ALERT)
    life.feed(life.claim("ex-1", "b-1", 1_000))
    life.feed(life.claim("ex-2", "b-7", 1_500))
    late = life.answer(status="succeeded", instance="ex-1", boot="b-1")
    life.feed(life.claim("ex-1", "b-2", 2_000))
    life.feed(late)
    life.reply("retry")
    life.feed(life.claim("ex-1", "b-2", 2_000))
    life.succeed("done", instance="ex-1", boot="b-2")
    return life


def unknown_and_out_of_attempts() -> Life:
    """`on_unknown: retry` within the bounds of `retry`, then the grant's deadline."""
    retry = Retry(attempts=2, delay_ms=2_000, backoff=3.0, max_delay_ms=60_000, within_ms=600_000)
    life = Life(a_playbook(a_step("kill", action="touch", on_unknown="retry", retry=retry)), alert=ALERT)
    life.feed(life.claim())
    life.fail("timeout", "connection reset", status="unknown")
    life.fire("retry/")
    life.feed(life.claim())
    life.fire("deadline/")
    return life


def cancelled() -> Life:
    """A cancel while a step is under way, finally, a late result, a second cancel."""
    book = a_playbook(a_step("query"), finally_=(a_step("unlock"),), report=("cancelled",))
    life = Life(book, alert=None, via="api", actor="ann")
    late = life.answer(status="cancelled", message="stopped")
    life.cancel("bob", "wrong cluster")
    life.feed(late)
    life.cancel("carol", "me too")
    life.succeed()
    life.feed(late)
    return life


def recovered() -> Life:
    """A recovery that cancels."""
    life = Life(a_playbook(a_step("query")), alert=ALERT)
    life.fail("unreachable", "no route")
    life.recover(cancel=True)
    return life


def timed_out() -> Life:
    """The run's timeout, then that of both blocks."""
    blocks = {"on_failure": (a_step("page"),), "finally_": (a_step("unlock"),)}
    life = Life(a_playbook(a_step("query"), timeout_ms=60_000, **blocks), alert=ALERT)
    life.fire("timeout")
    life.fire("on_failure")
    life.fire("finally")
    return life


def exited() -> Life:
    """An exit with an output that cannot be computed."""
    book = a_playbook(
        a_step("query"),
        ExitStep(path="enough", condition="steps.query.output.last < 2.0", reason="only ${{ alert.host }}"),
        a_step("restart"),
        outputs={"p95": "${{ steps.query.output.last }}", "restarted": "${{ steps.restart.output.ok }}"},
    )
    life = Life(book, alert=ALERT)
    life.succeed({"last": 1.5})
    return life


def bad_input() -> Life:
    """Inputs that are wrong, and no alert."""
    book = a_playbook(
        a_step("query", arguments={"q": "${{ alert.title }}"}),
        inputs={"replicas": InputSpec(type="int", required=True)},
    )
    return Life(book, alert=None, inputs={"replicas": "many", "zone": "a"})


def too_large() -> Life:
    """An output that no longer fits the row; on_failure still runs."""
    limits = Limits(step_output_bytes_max=4_000, row_bytes_max=9_000)
    life = Life(
        a_playbook(a_step("one"), a_step("two"), a_step("three"), on_failure=(a_step("page"),)), limits=limits
    )
    for _ in range(3):
        life.succeed("x" * 2_500)
    life.succeed("ok")
    return life


STORIES: Mapping[str, Callable[[], Life]] = {
    story.__name__: story
    for story in (
        success,
        failure_after_retries,
        an_executor_that_was_restarted,
        unknown_and_out_of_attempts,
        cancelled,
        recovered,
        timed_out,
        exited,
        bad_input,
        too_large,
        loops,
        a_loop_that_fails,
        branches,
        an_exit_among_others,
        waits_and_questions,
        children,
        cancelled_with_its_child,
        broken_off,
        a_rerun,
    )
}
