"""Every event has a sentence; sentences hold neither outputs nor arguments."""

from engine.playbook.model import PublishStep, SetStep
from engine.sentences import sentence
from schemas.events import EVENT_TYPES, RunEvent
from tests.engine.run.given import Life, a_playbook, a_step
from tests.engine.run.stories import STORIES


def sentences(life: Life) -> list[str]:
    return [sentence(event) for event in life.events]


def lives() -> list[Life]:
    eventful = Life(
        a_playbook(
            a_step("skip", condition="false"),
            SetStep(path="#2", values={"n": 1}),
            PublishStep(path="#3", title="hello"),
            a_step("look", arguments={"token": "SESAME"}),
            a_step("kill", action="touch", on_unknown="ask", continue_on_error=True),
            finally_=(a_step("unlock"),),
            report=("cancelled", "failed"),
        ),
        actor="ann",
    )
    eventful.fail("http_5xx", "503")
    eventful.fire("retry/")
    eventful.succeed("SESAME", duration_ms=1_500)
    eventful.feed(eventful.claim("ex-1", "b1", 1))
    eventful.feed(eventful.claim("ex-2", "b2", 2))
    late = eventful.answer(status="succeeded", instance="ex-1", boot="b1")
    eventful.feed(eventful.claim("ex-1", "b3", 3))
    eventful.reply("fail")
    eventful.recover(cancel=True)
    eventful.feed(late)
    eventful.succeed()
    eventful.fire("forget")
    return [
        eventful,
        *(STORIES[name]() for name in ("loops", "branches", "waits_and_questions", "children", "broken_off")),
    ]


def test_every_event_has_a_sentence_without_values_in_it() -> None:
    events: list[RunEvent] = [event for life in lives() for event in life.events]
    told = {type(event): sentence(event) for event in events}
    assert set(told) == set(EVENT_TYPES)
    for text in told.values():
        assert text and "\n" not in text
        assert "SESAME" not in text


def test_the_story_of_a_run_that_fails() -> None:
    life = Life(a_playbook(report=()))
    revision = life.book.digest[:12]
    life.fail("http_4xx", "404 from upstream")
    assert sentences(life) == [
        f"playbook demo started (alert), revision {revision}",
        "pods: look requested",
        "pods: failed: http_4xx: 404 from upstream",
        "failed: step pods: 404 from upstream",
    ]


def test_the_story_of_a_retry() -> None:
    life = Life(a_playbook())
    life.fail("rate_limited", "429", retry_after_ms=30_000)
    life.fire("retry/")
    life.succeed(duration_ms=120)
    assert sentences(life)[2:] == [
        "pods: rate_limited: attempt 1 of 3 failed, again in 30 s as the other side asks, "
        "at 2026-01-31T12:00:32.000Z (429)",
        "pods: look requested (attempt 2)",
        "pods: succeeded in 120 ms (attempt 2)",
        "succeeded",
    ]
