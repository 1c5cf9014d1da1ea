"""Pauses and mutes by the API: who may, what the catalog holds then, what callers hear."""

from typing import Any

import pytest

from schemas.catalog import SwitchSet
from schemas.topics import CATALOG
from tests.console.conftest import TOKEN, MakeWeb, Web
from tests.console.test_runs import apply, candidates

PAYLOAD = {"title": "hot", "id": "42", "metadata": {"ALERT_TRANSITION": "Triggered"}, "tags": "env:prod,a:b"}


async def post(web: Web, path: str, **body: Any) -> Any:
    return await web.client.post(f"/api/v1/{path}", json=body)


async def listed(web: Web) -> Any:
    return (await web.client.get("/api/v1/playbooks")).json()["items"][0]["paused"]


def switches(web: Web) -> list[SwitchSet]:
    return [record for record in web.log.records(CATALOG) if isinstance(record, SwitchSet)]


async def test_a_paused_playbook_says_who_and_why_and_is_in_force_when_the_answer_comes(web: Web) -> None:
    await apply(web)

    answer = await post(web, "playbooks/restart/pause", reason="wrong pods")

    assert answer.status_code == 200
    paused = answer.json()["paused"]
    assert (paused["everything"], paused["actor"], paused["reason"]) == (False, "local", "wrong pods")
    assert await listed(web) == paused
    (record,) = switches(web)
    assert (record.name, record.value, record.reason) == ("pause/restart", True, "wrong pods")
    assert web.log.keys(CATALOG)[-1] == b"switch/pause/restart"


async def test_who_paused_first_stays_the_one_who_did_and_nothing_is_lifted_twice(web: Web) -> None:
    await apply(web)
    await post(web, "playbooks/restart/resume")
    await post(web, "playbooks/restart/pause", reason="first")
    await post(web, "playbooks/restart/pause", reason="second")
    assert (await listed(web))["reason"] == "first"

    await post(web, "playbooks/restart/resume")
    answer = await post(web, "playbooks/restart/resume")

    assert answer.json()["paused"] is None
    assert [record.value for record in switches(web)] == [True, False]


async def test_a_pause_of_all_and_of_one_are_lifted_each_by_itself(web: Web) -> None:
    await apply(web)
    await post(web, "playbooks/restart/pause", reason="one")
    both = (await post(web, "pause", reason="all")).json()
    assert (both["everything"]["reason"], both["playbooks"]) == ("all", ["restart"])

    one = (await post(web, "playbooks/restart/resume")).json()
    assert (one["paused"]["everything"], one["paused"]["reason"]) == (True, "all")
    await post(web, "playbooks/restart/pause")
    assert (await post(web, "resume")).json() == {"everything": None, "playbooks": ["restart"]}
    assert (await listed(web))["everything"] is False


async def test_the_overview_counts_what_is_held(web: Web) -> None:
    await apply(web)
    await post(web, "pause", reason="freeze")
    await post(web, "mutes", tags={"env": ["prod"]}, **{"for": "1h"})

    overview = (await web.client.get("/api/v1/overview")).json()

    assert (overview["playbooks"]["paused"], overview["paused"]["reason"], overview["mutes"]) == (
        1,
        "freeze",
        1,
    )


async def test_a_call_of_a_paused_playbook_is_409_and_says_who_paused_it(web: Web) -> None:
    await apply(web)
    await post(web, "playbooks/restart/pause", reason="wrong pods")

    by_api = await post(web, "runs", playbook="restart")
    by_hook = await web.client.post(f"/hooks/demo/{TOKEN}/restart", json={})

    assert (by_api.status_code, by_hook.status_code) == (409, 409)
    assert by_api.json()["detail"] == "restart is paused by local: wrong pods"
    await post(web, "pause")
    await post(web, "playbooks/restart/resume")
    assert (await post(web, "runs", playbook="restart")).json()[
        "detail"
    ] == "all playbooks are paused by local"
    await post(web, "resume")
    assert (await post(web, "runs", playbook="restart")).status_code == 202
    assert len(candidates(web)) == 1


async def test_an_alert_that_calls_by_its_hook_is_muted_and_a_person_is_not(web: Web) -> None:
    await apply(web)
    mute = (await post(web, "mutes", tags={"env": ["prod"]}, reason="work", **{"for": "1h"})).json()

    await web.client.post(f"/hooks/demo/{TOKEN}/restart", json=PAYLOAD)
    await web.client.post(f"/hooks/demo/{TOKEN}/restart", json={"replicas": 2})
    await post(web, "runs", playbook="restart", alert={**PAYLOAD, "id": "43"})

    muted, *others = [made.muted for made in candidates(web)]
    assert muted is not None
    assert (muted.name, muted.until_ms) == (f"mute/{mute['name']}", mute["until_ms"])
    assert others == [None, None]


async def test_a_mute_is_listed_until_it_is_deleted(web: Web) -> None:
    await apply(web)
    made = await post(web, "mutes", tags={"env": ["prod", "dev"]}, playbooks=["restart"], **{"for": "2h"})
    assert made.status_code == 201
    mute = made.json()
    assert (
        mute["until_ms"] == mute["at_ms"] + 7_200_000
        or abs(mute["until_ms"] - mute["at_ms"] - 7_200_000) < 50
    )
    assert (await web.client.get("/api/v1/mutes")).json()["items"] == [mute]
    assert mute["tags"] == {"env": ["prod", "dev"]}

    gone = await web.client.delete(f"/api/v1/mutes/{mute['name']}", params={"reason": "done"})

    assert gone.status_code == 204
    assert (await web.client.get("/api/v1/mutes")).json()["items"] == []
    assert (await web.client.delete(f"/api/v1/mutes/{mute['name']}")).status_code == 404
    assert switches(web)[-1].value is None


async def test_a_mute_that_is_over_is_listed_no_more(web: Web) -> None:
    value = {"playbooks": ["restart"], "until_ms": 5}
    await web.change("switch/mute/m-1", SwitchSet(name="mute/m-1", value=value, actor="mira", at_ms=1))

    assert (await web.client.get("/api/v1/mutes")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"for": "2h"}, 422, "say which alerts"),
        ({"for": "soon", "tags": {"a": ["b"]}}, 400, "24h"),
        ({"for": "32d", "tags": {"a": ["b"]}}, 422, "1s to 31d"),
        ({"for": "0s", "tags": {"a": ["b"]}}, 422, "out of range"),
        ({"tags": {"a": ["b"]}}, 400, "for"),
        ({"for": "2h", "tags": {"a": []}}, 400, "tags"),
        ({"for": "2h", "playbooks": ["nobody"]}, 404, "there is no playbook nobody"),
        ({"for": "2h", "tag": {"a": ["b"]}}, 400, "tag"),
    ],
)
async def test_a_mute_that_cannot_be_one_is_refused(web: Web, body: Any, status: int, says: str) -> None:
    answer = await post(web, "mutes", **body)

    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert not switches(web)


async def test_an_unknown_playbook_cannot_be_paused(web: Web) -> None:
    assert (await post(web, "playbooks/nobody/pause")).status_code == 404


@pytest.mark.parametrize("path", ["pause", "resume", "playbooks/restart/pause", "mutes"])
async def test_an_operator_may_pause_and_mute_and_a_viewer_may_not(make_web: MakeWeb, path: str) -> None:
    web = await make_web(auth=True)
    await web.token("ops", "operator", "ops-token")
    await web.token("eye", "viewer", "eye-token")
    body = {"tags": {"a": ["b"]}, "for": "1h"} if path == "mutes" else {}

    async def asked(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await web.client.post(f"/api/v1/{path}", json=body, headers=headers)).status_code

    assert await asked("eye-token") == 403
    assert await asked("ops-token") in (200, 201, 404)
    if path == "pause":
        assert switches(web)[0].actor == "ops"


async def test_the_landing_page_says_that_starts_are_held_back_and_names_nobody(web: Web) -> None:
    async def page() -> str:
        return (await web.client.get("/")).text

    await apply(web)
    assert "paused" not in await page() and "in force" not in await page()

    await post(web, "playbooks/restart/pause", reason="wrong pods")
    await post(web, "mutes", **{"for": "2h", "tags": {"env": ["prod"]}})
    await post(web, "mutes", **{"for": "1s", "playbooks": ["restart"]})
    held = await page()
    assert "1 playbook is paused" in held and "2 mutes are in force" in held
    assert "All playbooks are paused" not in held
    assert "wrong pods" not in held and "local" not in held and "restart" not in held

    await post(web, "pause")
    assert "All playbooks are paused" in await page()
    await post(web, "resume")
    await post(web, "playbooks/restart/resume")
    assert "paused" not in await page()
