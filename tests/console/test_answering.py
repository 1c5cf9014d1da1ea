"""POST /api/v1/runs/{id}/answer: a person says what to make of a step whose outcome nobody knows."""

import pytest

from schemas.events import StepAnswered, StepAsked
from schemas.inbox import Answered
from schemas.topics import RUN_INBOX, RUN_JOURNAL
from tests.console.conftest import Web
from tests.console.samples import REQUESTED, RUN, STARTED, WHOLE_RUN, journal

ASKED = StepAsked(
    step="look",
    attempt=1,
    question="did it take effect?",
    choices=("retry", "fail", "continue"),
    due_ms=9_000,
    on_timeout="fail",
)
PATH = f"/api/v1/runs/{RUN}/answer"


async def test_an_answer_goes_to_the_runs_inbox(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, ASKED))

    said = await web.client.post(PATH, json={"choice": "continue", "comment": "it is up"})

    assert said.status_code == 202
    assert web.log.keys(RUN_INBOX) == [RUN.encode()]
    assert web.log.records(RUN_INBOX) == [
        Answered(run_id=RUN, step="look", choice="continue", actor="local", comment="it is up")
    ]


async def test_a_choice_that_is_none_is_refused_with_those_that_are(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, ASKED))

    said = await web.client.post(PATH, json={"choice": "maybe", "step": "look"})

    assert said.status_code == 422
    assert "retry, fail, continue" in said.json()["detail"]
    assert not web.log.records(RUN_INBOX)


@pytest.mark.parametrize("step", ["", "other"])
async def test_what_does_not_ask_is_not_answered(web: Web, step: str) -> None:
    answered = StepAnswered(step="look", choice="fail", actor="ann")
    asked_elsewhere = (journal(1, STARTED, REQUESTED), journal(2, ASKED))
    records = asked_elsewhere if step else (*asked_elsewhere, journal(3, answered))
    await web.written(RUN_JOURNAL, RUN, *records)

    said = await web.client.post(PATH, json={"choice": "fail", "step": step})

    assert (said.status_code, said.json()["detail"]) == (409, "nothing is asked")
    assert not web.log.records(RUN_INBOX)


async def test_a_run_that_has_ended_or_is_unknown_is_not_answered(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    assert (await web.client.post(PATH, json={"choice": "fail"})).status_code == 409
    unknown = await web.client.post("/api/v1/runs/r-nobody/answer", json={"choice": "fail"})
    assert unknown.status_code == 404
    assert not web.log.records(RUN_INBOX)
