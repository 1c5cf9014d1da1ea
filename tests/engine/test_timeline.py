"""What a person sees of a run: folded from real journals of the engine."""

from collections.abc import Callable

from engine.playbook.model import PublishStep, SetStep
from engine.timeline import Timeline, timeline
from schemas.publications import Published, Refused
from tests.engine.run.given import NOON_MS, RUN_ID, Life, a_playbook, a_step, an_alert


def seen(life: Life, *fates: Published | Refused) -> Timeline:
    view = timeline(life.journal, fates)
    assert view is not None
    return view


def test_no_journal_is_no_run() -> None:
    assert timeline([]) is None


def test_a_run_that_just_began() -> None:
    life = Life(a_playbook(), alert=an_alert(title="latency"), via="api", actor="ann", run_url="u")
    view = seen(life)
    assert (view.run_id, view.playbook, view.status) == (RUN_ID, "demo", "running")
    assert (view.via, view.actor, view.run_url, view.alert_title) == ("api", "ann", "u", "latency")
    assert (view.started_at_ms, view.ended_at_ms) == (NOON_MS + 1_000, 0)
    (line,) = view.steps
    assert (line.step, line.block, line.action, line.status) == ("pods", "steps", "look", "running")
    assert [attempt.attempt for attempt in line.attempts] == [1]


def test_steps_have_their_attempts_times_and_outputs() -> None:
    life = Life(a_playbook(outputs={"n": "${{ steps.pods.output }}"}))
    life.fail("http_5xx", "503", started_at_ms=NOON_MS + 10, duration_ms=20)
    waiting = seen(life)
    assert (waiting.status, waiting.steps[0].status) == ("waiting", "waiting")
    assert waiting.steps[0].due_ms == life.live.timers["retry/pods/1"]
    life.fire("retry/")
    life.succeed(7, started_at_ms=NOON_MS + 5_000, duration_ms=30)
    view = seen(life)
    (line,) = view.steps
    assert (line.status, line.output, line.kind, line.message, line.due_ms) == ("succeeded", 7, "", "", 0)
    first, second = line.attempts
    assert (first.kind, first.message, first.ended_at_ms) == ("http_5xx", "503", NOON_MS + 2_000)
    assert (second.kind, second.started_at_ms, second.duration_ms) == ("", NOON_MS + 5_000, 30)
    assert (view.status, view.outputs, view.ended_at_ms) == ("succeeded", {"n": 7}, life.at_ms)


def test_a_failed_run_says_which_step_and_why() -> None:
    life = Life(a_playbook(finally_=(a_step("unlock"),)))
    life.fail("http_4xx", "404")
    view = seen(life)
    assert (view.status, view.block, view.failed_step) == ("running", "finally", "pods")
    life.succeed()
    view = seen(life)
    assert (view.status, view.kind, view.failed_step, view.message) == ("failed", "step", "pods", "404")
    assert [(line.step, line.block, line.status) for line in view.steps] == [
        ("pods", "steps", "failed"),
        ("unlock", "finally", "succeeded"),
    ]


def test_inline_steps_have_lines_of_their_own() -> None:
    life = Life(
        a_playbook(
            SetStep(path="#1", values={"n": 1}),
            PublishStep(path="#2", title="hello"),
            a_step("never", condition="false"),
        )
    )
    view = seen(life)
    assert [(line.step, line.status) for line in view.steps] == [
        ("#1", "succeeded"),
        ("#2", "succeeded"),
        ("never", "skipped"),
    ]
    assert view.steps[2].message == "false"
    assert view.variables == {"n": 1}


def test_reports_are_shown_with_what_became_of_them() -> None:
    life = Life(
        a_playbook(
            PublishStep(path="#1", title="one"), PublishStep(path="#2", title="two"), report=("succeeded",)
        )
    )
    first, second, last = (line.index for line in seen(life).reports)
    posted = Published(
        run_id=RUN_ID, seq=1, index=second, event_id="77", url="https://dd/77", sent={}, at_ms=NOON_MS
    )
    refused = Refused(run_id=RUN_ID, seq=1, index=last, status=400, reason="no", sent={}, at_ms=NOON_MS)
    view = seen(life, posted, refused)
    assert [(line.title, line.event_id, line.refused) for line in view.reports] == [
        ("one", "", ""),
        ("two", "77", ""),
        ("Playbook demo succeeded", "", "400: no"),
    ]
    assert life.journal[0].events[first] is not life.journal[0].events[second]
    assert view.reports[1].published_url == "https://dd/77"


def test_a_question_and_its_answer() -> None:
    life = Life(a_playbook(a_step("kill", action="touch", on_unknown="ask")))
    life.feed(life.claim("ex-1"))
    life.fail("timeout", "gone", status="unknown", instance="ex-1")
    view = seen(life)
    (line,) = view.steps
    assert (view.status, line.status, line.choices) == ("waiting", "waiting", ("retry", "fail", "continue"))
    assert "gone" in line.question
    assert line.attempts[0].instance == "ex-1"
    life.reply("retry")
    (line,) = seen(life).steps
    assert (line.status, line.question, len(line.attempts)) == ("running", "", 2)


def test_a_cancel_and_a_late_result() -> None:
    life = Life(a_playbook())
    late = life.answer(status="succeeded", message="done after all")
    life.recover()
    life.cancel("ann")
    life.feed(late)
    view = seen(life)
    assert (view.status, view.cancelled_by, view.recovered) == ("cancelled", "ann", True)
    (line,) = view.steps
    assert (line.status, line.late) == ("cancelled", "succeeded: done after all")


def test_an_attempt_that_was_given_up_and_tried_again() -> None:
    life = Life(a_playbook())
    life.fire("deadline/")
    life.fire("retry/")
    life.succeed("x")
    (line,) = seen(life).steps
    first, second = line.attempts
    assert (first.kind, second.kind) == ("timeout", "")
    assert first.ended_at_ms < second.requested_at_ms < second.ended_at_ms
    assert (line.status, line.output) == ("succeeded", "x")


def test_the_status_is_that_of_the_row_at_every_record() -> None:
    life = Life(a_playbook(a_step("one"), a_step("kill", action="touch", on_unknown="ask")))
    steps: list[Callable[[], object]] = [
        lambda: life.fail("http_5xx"),
        lambda: life.fire("retry/"),
        life.succeed,
        lambda: life.fail("timeout", status="unknown"),
        lambda: life.reply("continue"),
    ]
    for step in steps:
        assert seen(life).status == life.status
        step()
    assert seen(life).status == life.status == "succeeded"


def test_repeated_records_change_nothing() -> None:
    life = Life(a_playbook())
    life.succeed(1)
    doubled = [record for record in life.journal for _ in range(2)]
    assert timeline(doubled) == seen(life)


def test_a_timeline_outlives_the_row() -> None:
    life = Life(a_playbook())
    life.succeed(1)
    before = seen(life)
    life.fire("forget")
    assert seen(life) == before
