"""POST /hooks/{endpoint}/{token}/{playbook}: what starts it, with what, and what the caller hears."""

import asyncio
import json
from typing import Any

import pytest

from schemas.admissions import Candidate
from schemas.events import RunFinished
from schemas.ids import alert_id_for_body
from schemas.topics import ADMISSIONS, ALERTS, DECISIONS, RUN_JOURNAL
from tests.console.conftest import TOKEN, MakeWeb, Web
from tests.console.samples import STARTED, decided, journal
from tests.console.test_runs import CALLABLE, apply, candidates

CALL = f"/hooks/demo/{TOKEN}/restart"
PAYLOAD = {"title": "hot", "id": "42", "metadata": {"ALERT_TRANSITION": "Triggered"}}


async def one_candidate(web: Web, body: Any) -> Candidate:
    """What a call with this body hands to admission."""
    answer = await web.client.post(CALL, json=body)
    assert answer.status_code == 202, answer.text
    (made,) = candidates(web)
    assert answer.json() == {"run_id": made.run_id}
    return made


async def test_a_body_that_is_an_object_is_the_inputs(web: Web) -> None:
    await apply(web)
    made = await one_candidate(web, {"replicas": 4})

    assert (made.inputs, made.alert) == ({"replicas": 4}, None)
    assert (made.via, made.actor, made.playbook) == ("hook", "endpoint/demo", "restart")
    assert not web.log.records(ALERTS)


async def test_an_envelope_is_taken_apart(web: Web) -> None:
    await apply(web)
    made = await one_candidate(web, {"inputs": {"replicas": 4}, "alert": PAYLOAD})

    assert made.inputs == {"replicas": 4}
    assert made.alert is not None
    assert (made.alert.title, made.alert.endpoint) == ("hot", "demo")


async def test_datadogs_payload_is_the_alert_and_a_redelivery_starts_nothing_new(web: Web) -> None:
    await apply(web)
    made = await one_candidate(web, PAYLOAD)

    assert made.inputs == {}
    assert made.alert is not None and made.alert.title == "hot"
    again = await web.client.post(CALL, json=PAYLOAD)
    assert again.json()["run_id"] == made.run_id
    assert made.request_id == alert_id_for_body("demo", again.request.content)


async def test_an_empty_body_is_a_call_without_inputs(web: Web) -> None:
    await apply(web)

    assert (await web.client.post(CALL)).status_code == 202
    assert candidates(web)[0].inputs == {}


async def test_a_repeat_with_one_idempotency_key_is_one_run(web: Web) -> None:
    await apply(web)

    async def called(key: str) -> str:
        answer = await web.client.post(CALL, json={}, headers={"Idempotency-Key": key})
        return str(answer.json()["run_id"])

    assert await called("a") == await called("a")
    assert await called("a") != await called("b")
    assert len({(await web.client.post(CALL, json={})).json()["run_id"] for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "JSON"),
        (b"[1]", "object"),
        (b'{"inputs": [1]}', "`inputs`"),
        (b'{"alert": "x"}', "`alert`"),
        (b'{"alert": {"x": ""}}', "cannot be read"),
    ],
)
async def test_a_body_that_cannot_be_understood_is_400(web: Web, body: bytes, says: str) -> None:
    await apply(web)

    answer = await web.client.post(CALL, content=body)

    assert answer.status_code == 400
    assert says in answer.json()["detail"]


async def test_only_a_playbook_that_names_the_endpoint_can_be_started_by_it(web: Web) -> None:
    await apply(web, CALLABLE.replace("[demo]", "[internal]"))

    other = await web.client.post(CALL, json={})
    nobody = await web.client.post(f"/hooks/demo/{TOKEN}/nobody", json={})

    assert (other.status_code, nobody.status_code) == (404, 404)
    assert other.json()["detail"].replace("restart", "X") == nobody.json()["detail"].replace("nobody", "X")
    assert not candidates(web)


@pytest.mark.parametrize("path", ["/hooks/demo/wrong/restart", "/hooks/nobody/demo-token/restart"])
async def test_a_wrong_token_learns_nothing_of_playbooks(web: Web, path: str) -> None:
    await apply(web)

    assert (await web.client.post(path, json={})).json()["detail"] == "unknown endpoint or token"


async def test_wrong_inputs_are_422_and_too_many_are_413(make_web: MakeWeb) -> None:
    web = await make_web(record_bytes_max=10_000)
    await web.endpoint("demo", TOKEN)
    await apply(web, CALLABLE.replace("{type: int, default: 3, minimum: 1}", "{type: string, default: x}"))

    assert (await web.client.post(CALL, json={"odd": 1})).status_code == 422
    assert (await web.client.post(CALL, json={"replicas": "x" * 20_000})).status_code == 413


async def test_a_call_that_is_not_durable_is_503(web: Web) -> None:
    await apply(web)
    web.log.broken = True

    assert (await web.client.post(CALL, json={})).status_code == 503


async def test_with_a_wait_the_answer_is_the_outcome(web: Web) -> None:
    await apply(web)

    async def run() -> None:
        async with asyncio.timeout(5):
            while not candidates(web):
                await asyncio.sleep(0.01)
        run_id = candidates(web)[0].run_id
        finished = RunFinished(status="succeeded", outputs={"p95": 4.2}, forget_ms=1)
        await web.log.write(RUN_JOURNAL, run_id, journal(1, STARTED, run_id=run_id))
        await asyncio.sleep(0.1)
        await web.log.write(RUN_JOURNAL, run_id, journal(2, finished, run_id=run_id))

    running = asyncio.create_task(run())
    answer = await web.client.post(f"{CALL}?wait=10s", json={})
    await running

    assert answer.status_code == 200
    run_id = candidates(web)[0].run_id
    assert answer.json() == {"run_id": run_id, "status": "succeeded", "message": "", "outputs": {"p95": 4.2}}


async def test_with_a_wait_a_call_that_is_held_back_says_so(web: Web) -> None:
    await apply(web)

    async def hold_back() -> None:
        async with asyncio.timeout(5):
            while not candidates(web):
                await asyncio.sleep(0.01)
        made = candidates(web)[0]
        held = decided("held_back", run_id=made.run_id, request_id=made.request_id, rule="while_running")
        await web.log.write(DECISIONS, made.request_id, held)

    deciding = asyncio.create_task(hold_back())
    answer = await web.client.post(f"{CALL}?wait=10s", json={})
    await deciding

    assert (answer.status_code, answer.json()["status"]) == (200, "held_back")
    assert answer.json()["message"].startswith("while_running")


async def test_a_wait_that_is_too_short_is_202_with_what_is_known(web: Web) -> None:
    await apply(web)

    answer = await web.client.post(f"{CALL}?wait=200ms", json={})

    assert answer.status_code == 202
    assert answer.json() == {"run_id": candidates(web)[0].run_id, "status": "requested"}


async def test_a_wait_that_is_no_duration_is_400_and_starts_nothing(web: Web) -> None:
    await apply(web)

    answer = await web.client.post(f"{CALL}?wait=soon", json={})

    assert answer.status_code == 400
    assert not candidates(web)


async def test_the_candidate_is_on_its_topic_before_the_answer(web: Web) -> None:
    await apply(web)

    answer = await web.client.post(CALL, content=json.dumps({"replicas": 2}))

    assert web.log.keys(ADMISSIONS) == [b"restart"]
    assert answer.status_code == 202
