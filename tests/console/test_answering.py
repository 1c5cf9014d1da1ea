"""POST /api/v1/runs/{id}/answer: a person answers a question, or says what to make of an unknown outcome."""

import asyncio
from typing import Any

import httpx
import pytest

from schemas.events import StepAnswered, StepAsked, StepSucceeded
from schemas.inbox import Answered
from schemas.topics import RUN_INBOX, RUN_JOURNAL
from tests.console.conftest import MakeWeb, Web
from tests.console.memory_log import Stored
from tests.console.samples import REQUESTED, RUN, STARTED, WHOLE_RUN, journal, with_fields

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


async def test_where_nothing_is_asked_nothing_is_answered(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED))

    for step, says in (("", "nothing is asked"), ("look", "the step look asks nothing (it is running)")):
        said = await web.client.post(PATH, json={"choice": "fail", "step": step})
        assert (said.status_code, said.json()["detail"]) == (409, says)
    assert not web.log.records(RUN_INBOX)


async def test_a_step_that_is_not_there_is_refused_with_those_that_ask(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, ASKED))

    said = await web.client.post(PATH, json={"choice": "fail", "step": "lok"})

    assert said.status_code == 422
    assert said.json()["detail"] == "the run has no step lok so far; the steps that ask are: look"


async def test_where_more_than_one_step_asks_the_step_must_be_named(web: Web) -> None:
    other = with_fields(REQUESTED, step="other")
    asks = journal(2, ASKED, with_fields(ASKED, step="other"))
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED, other), asks)

    said = await web.client.post(PATH, json={"choice": "fail"})

    assert said.status_code == 409
    assert said.json()["detail"] == "more than one step asks: name one of look, other"
    assert (await web.client.post(PATH, json={"choice": "fail", "step": "other"})).status_code == 202


@pytest.mark.parametrize(("actor", "who"), [("ann", "by ann"), ("", "by its timeout")])
async def test_a_question_that_was_answered_says_by_whom(web: Web, actor: str, who: str) -> None:
    answered = StepAnswered(step="look", choice="fail", actor=actor)
    records = (journal(1, STARTED, REQUESTED), journal(2, ASKED), journal(3, answered))
    await web.written(RUN_JOURNAL, RUN, *records)

    said = await web.client.post(PATH, json={"choice": "retry", "step": "look"})

    assert said.status_code == 409
    assert said.json()["detail"] == f"the step look was answered already, {who}: fail"
    assert said.json()["answered_by"] == actor
    assert not web.log.records(RUN_INBOX)


async def answered_as(web: Web, choice: str, *others: str) -> httpx.Response:
    """Our answer, while the processor takes those of others first."""
    asking = asyncio.create_task(web.client.post(PATH, json={"choice": choice, "step": "look"}))
    while not web.log.records(RUN_INBOX):
        await asyncio.sleep(0.005)
    ((partition, offset),) = ((each.partition, each.offset) for each in inbox(web))
    for seq, other in enumerate((*others, ""), 3):
        event = StepAnswered(step="look", choice=other or choice, actor=other and "ann")
        place: dict[str, Any] = {"cause_partition": partition, "cause_offset": offset - (1 if other else 0)}
        await web.written(RUN_JOURNAL, RUN, journal(seq, event, **place))
    return await asking


def inbox(web: Web) -> list[Stored]:
    return [each for (topic, _), held in web.log.messages.items() if topic == RUN_INBOX.name for each in held]


async def test_of_two_answers_under_way_the_one_that_came_first_counts(make_web: MakeWeb) -> None:
    web = await make_web(answered_within_s=5.0)
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, ASKED))

    said = await answered_as(web, "retry", "continue")

    assert said.status_code == 409
    assert said.json()["detail"] == "the step look was answered already, by ann: continue"


async def test_an_answer_that_was_the_first_is_told_so_at_once(make_web: MakeWeb) -> None:
    web = await make_web(answered_within_s=5.0)
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, ASKED))

    assert (await answered_as(web, "retry")).status_code == 202


async def test_an_answer_to_an_earlier_question_of_the_step_does_not_count_for_this_one(web: Web) -> None:
    before = (
        journal(2, ASKED),
        journal(3, StepAnswered(step="look", choice="retry", actor="ann"), REQUESTED),
    )
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), *before, journal(4, ASKED))

    assert (await web.client.post(PATH, json={"choice": "fail", "step": "look"})).status_code == 202


async def test_a_run_that_has_ended_or_is_unknown_is_not_answered(web: Web) -> None:
    await web.written(RUN_JOURNAL, RUN, *WHOLE_RUN)

    assert (await web.client.post(PATH, json={"choice": "fail"})).status_code == 409
    unknown = await web.client.post("/api/v1/runs/r-nobody/answer", json={"choice": "fail"})
    assert unknown.status_code == 404
    assert not web.log.records(RUN_INBOX)


QUESTION = StepAsked(
    step="restart[2].approve",
    question="Restart web-1?",
    choices=("restart", "leave it"),
    due_ms=9_000,
    on_timeout="leave it",
)
TOKENS = {"vic": "viewer", "olga": "operator", "adam": "admin", "root": "owner"}


async def asked_by(make_web: MakeWeb, *by: str) -> Web:
    """A question of an iteration that these may answer, and a token of each role."""
    web = await make_web(auth=True)
    for name, role in TOKENS.items():
        await web.token(name, role, f"token-of-{name}")
    await web.written(
        RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, with_fields(QUESTION, by=by))
    )
    return web


async def said_to(web: Web, name: str, **body: str) -> httpx.Response:
    """What an answer of that person is answered with."""
    given = {"choice": "restart", "step": QUESTION.step, **body}
    return await web.client.post(PATH, json=given, headers={"Authorization": f"Bearer token-of-{name}"})


@pytest.mark.parametrize(
    ("by", "may"),
    [
        ((), {"olga", "adam", "root"}),
        (("operator",), {"olga", "adam", "root"}),
        (("admin",), {"adam", "root"}),
        (("owner",), {"root"}),
        (("vic",), {"vic"}),
        (("admin", "vic"), {"adam", "root", "vic"}),
        (("viewer",), {"vic", "olga", "adam", "root"}),
    ],
)
async def test_only_those_who_are_asked_may_answer(
    make_web: MakeWeb, by: tuple[str, ...], may: set[str]
) -> None:
    web = await asked_by(make_web, *by)

    for name, role in TOKENS.items():
        said = await said_to(web, name)
        if name in may:
            assert said.status_code == 202, said.text
            continue
        assert said.status_code == 403
        wanted = ", ".join(by or ("operator",))
        told = f"the step restart[2].approve can be answered by: {wanted}; {name} is {role}"
        assert said.json()["detail"] == told
    answers = [each for each in web.log.records(RUN_INBOX) if isinstance(each, Answered)]
    assert {(each.step, each.actor) for each in answers} == {(QUESTION.step, name) for name in may}


async def test_a_token_that_is_called_like_a_role_does_not_have_it(make_web: MakeWeb) -> None:
    web = await asked_by(make_web, "admin")
    await web.token("admin", "operator", "token-of-admin")

    assert (await said_to(web, "admin")).status_code == 403


async def test_whoever_may_not_answer_is_not_asked_for_a_better_choice(make_web: MakeWeb) -> None:
    web = await asked_by(make_web, "adam")

    assert (await said_to(web, "olga", choice="maybe")).status_code == 403
    said = await said_to(web, "adam", choice="maybe")
    assert (said.status_code, said.json()["choices"]) == (422, ["restart", "leave it"])


async def test_what_was_answered_is_told_also_to_those_who_could_not_have(make_web: MakeWeb) -> None:
    web = await asked_by(make_web, "adam")
    given = StepAnswered(step=QUESTION.step, choice="leave it", actor="adam")
    done = StepSucceeded(step=QUESTION.step, attempt=0, output={"choice": "leave it", "by": "adam"})
    await web.written(RUN_JOURNAL, RUN, journal(3, given, done))

    for name in ("adam", "root"):
        said = await said_to(web, name)
        assert said.status_code == 409
        assert said.json()["detail"] == "the step restart[2].approve was answered already, by adam: leave it"


async def test_without_tokens_everybody_on_this_machine_may_answer(web: Web) -> None:
    asks = with_fields(QUESTION, by=("ann",))
    await web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, asks))

    said = await web.client.post(PATH, json={"choice": "leave it", "step": QUESTION.step})

    assert said.status_code == 202
    (step,) = (each for each in (await web.client.get(f"/api/v1/runs/{RUN}")).json()["steps"] if each["by"])
    assert (step["step"], step["by"], step["kind_of"]) == (QUESTION.step, ["ann"], "ask")


async def test_of_a_run_that_nobody_knows_only_operators_are_told(make_web: MakeWeb) -> None:
    web = await asked_by(make_web)

    for name, status in (("vic", 403), ("olga", 404)):
        headers = {"Authorization": f"Bearer token-of-{name}"}
        said = await web.client.post("/api/v1/runs/r-x/answer", json={"choice": "x"}, headers=headers)
        assert said.status_code == status
