"""What is refused at the start, because the run could only fail."""

from tests.console.conftest import TOKEN, Web
from tests.console.test_runs import CALLABLE, apply, candidates


async def test_a_playbook_that_uses_the_alert_is_not_started_without_one(web: Web) -> None:
    await apply(web, CALLABLE.replace("inputs.replicas }}", "inputs.replicas }} ${{ alert.title }}"))

    refused = await web.client.post("/api/v1/runs", json={"playbook": "restart"})
    assert refused.status_code == 422
    assert refused.json()["detail"] == "the playbook uses `alert`, and it was started without one"
    assert not candidates(web)

    by_hook = await web.client.post(f"/hooks/demo/{TOKEN}/restart", json={"replicas": 2})
    assert (by_hook.status_code, candidates(web)) == (422, [])

    given = {"playbook": "restart", "alert": {"title": "hot", "id": "42"}}
    assert (await web.client.post("/api/v1/runs", json=given)).status_code == 202


async def test_a_given_input_spares_a_default_that_uses_the_alert(web: Web) -> None:
    await apply(
        web, CALLABLE.replace("{type: int, default: 3, minimum: 1}", '{default: "${{ alert.host }}"}')
    )

    bare = await web.client.post("/api/v1/runs", json={"playbook": "restart"})
    assert (bare.status_code, "uses `alert`" in bare.json()["detail"]) == (422, True)
    given = {"playbook": "restart", "inputs": {"replicas": "web-1"}}
    assert (await web.client.post("/api/v1/runs", json=given)).status_code == 202
