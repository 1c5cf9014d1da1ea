"""The part of the API that changes the catalog: playbooks, endpoints, tokens. An answer means it is in
force.
"""

from typing import Any

import pytest

from schemas.catalog import EndpointSet, PlaybookSet, RevisionAdded, TokenSet
from schemas.topics import ALERTS, CATALOG
from tests.console.conftest import MakeWeb, Web, sha256

BOOK = """
playbook: restart
description: Restarts it.  # a comment
on: {alert: {endpoint: demo}}
steps: [{id: note, action: log, with: {text: hello}}]
"""


async def apply(web: Web, source: str = BOOK, **more: str) -> Any:
    """Apply a playbook; the answer."""
    return await web.client.post("/api/v1/playbooks", json={"source": source, "file": "restart.yaml", **more})


async def test_an_applied_playbook_is_active_when_the_answer_comes(web: Web) -> None:
    answer = await apply(web, reason="first")

    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["name"]) == ("applied", "restart")
    (listed,) = (await web.client.get("/api/v1/playbooks")).json()["items"]
    assert listed["digest"] == answer.json()["digest"]
    assert (listed["enabled"], listed["actor"], listed["reason"]) == (True, "local", "first")
    shown = (await web.client.get("/api/v1/playbooks/restart")).json()
    assert shown["source"] == BOOK
    assert shown["playbook"]["steps"][0]["path"] == "note"
    revision, active = web.log.records(CATALOG)[-2:]
    assert isinstance(revision, RevisionAdded) and isinstance(active, PlaybookSet)
    assert web.log.keys(CATALOG)[-2:] == [f"revision/{revision.digest}".encode(), b"playbook/restart"]


async def test_the_same_playbook_again_changes_nothing_and_comments_do_not_count(web: Web) -> None:
    await apply(web)
    before = len(web.log.records(CATALOG))

    answer = await apply(web, BOOK.replace("# a comment", "# another"))

    assert answer.json()["outcome"] == "unchanged"
    assert len(web.log.records(CATALOG)) == before


async def test_a_playbook_with_errors_changes_nothing_and_they_come_with_line_and_column(web: Web) -> None:
    before = len(web.log.records(CATALOG))

    answer = await apply(web, BOOK.replace("action: log", "action: lug"))

    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert (problem["file"], problem["line"], problem["severity"]) == ("restart.yaml", 5, "error")
    assert problem["column"] > 1
    assert "restart.yaml:5" in answer.json()["detail"]
    assert len(web.log.records(CATALOG)) == before


@pytest.mark.parametrize("source", ["", "not: [yaml", "\x00", "- a\n- b\n", "x" * 300_000])
async def test_what_is_no_playbook_is_422(web: Web, source: str) -> None:
    answer = await apply(web, source)

    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_a_disabled_playbook_stays_disabled_when_it_is_changed(web: Web) -> None:
    await apply(web)
    off = await web.client.post("/api/v1/playbooks/restart/disable", json={"reason": "noisy"})
    assert (off.json()["enabled"], off.json()["reason"]) == (False, "noisy")

    await apply(web, BOOK.replace("hello", "bye"))

    assert (await web.client.get("/api/v1/playbooks/restart")).json()["enabled"] is False
    on = await web.client.post("/api/v1/playbooks/restart/enable")
    assert on.json()["enabled"] is True
    assert [book.playbook.name for book in web.catalog.catalog.active()] == ["restart"]


async def test_a_removed_playbook_is_gone_and_may_come_back(web: Web) -> None:
    await apply(web)
    gone = await web.client.delete("/api/v1/playbooks/restart", params={"reason": "old"})

    assert (gone.status_code, gone.content) == (204, b"")
    assert (await web.client.get("/api/v1/playbooks/restart")).status_code == 404
    assert (await web.client.get("/api/v1/playbooks")).json()["items"] == []
    assert (await apply(web)).json()["outcome"] == "applied"
    assert (await web.client.get("/api/v1/playbooks/restart")).status_code == 200


async def test_a_diff_says_what_would_change_and_changes_nothing(web: Web) -> None:
    async def diff(source: str) -> Any:
        answer = await web.client.post("/api/v1/playbooks/diff", json={"source": source, "file": "r.yaml"})
        return answer.json()

    assert (await diff(BOOK))["outcome"] == "new"
    await apply(web)
    before = len(web.log.records(CATALOG))
    assert (await diff(BOOK))["outcome"] == "unchanged"
    changed = await diff(BOOK.replace("hello", "bye"))
    assert changed["outcome"] == "changed"
    assert "+steps: [{id: note, action: log, with: {text: bye}}]" in changed["diff"].splitlines()
    assert len(web.log.records(CATALOG)) == before


async def test_what_is_not_there_is_404(web: Web) -> None:
    for method, path in (
        ("GET", "playbooks/nobody"),
        ("DELETE", "playbooks/nobody"),
        ("POST", "playbooks/nobody/enable"),
        ("POST", "endpoints/nobody/rotate"),
        ("DELETE", "endpoints/nobody"),
        ("DELETE", "tokens/nobody"),
    ):
        answer = await web.client.request(method, f"/api/v1/{path}")
        assert answer.status_code == 404, path
        assert "nobody" in answer.json()["detail"]


async def test_a_new_endpoint_takes_alerts_at_the_url_of_the_answer(web: Web) -> None:
    answer = await web.client.post("/api/v1/endpoints", json={"name": "datadog-prod"})

    assert answer.status_code == 201
    made = answer.json()
    assert made["url"] == f"http://127.0.0.1:8080/hooks/datadog-prod/{made['token']}"
    assert (await web.client.post(made["url"], json={"title": "hot"})).status_code == 202
    listed = (await web.client.get("/api/v1/endpoints")).json()["items"]
    assert [each["name"] for each in listed] == ["datadog-prod", "demo"]
    assert made["token"] not in str(listed)


async def test_the_catalog_holds_a_tokens_hash_and_never_the_token(web: Web) -> None:
    made = (await web.client.post("/api/v1/endpoints", json={"name": "prod"})).json()
    token = (await web.client.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"})).json()["token"]

    endpoint, api = web.log.records(CATALOG)[-2:]
    assert isinstance(endpoint, EndpointSet) and endpoint.token_sha256 == sha256(made["token"])
    assert isinstance(api, TokenSet) and api.token_sha256 == sha256(token)
    raw = b"".join(message.value or b"" for message in web.log.messages[CATALOG.name, 0])
    assert made["token"].encode() not in raw
    assert token.encode() not in raw


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "playbooks"),
        ("POST", "playbooks"),
        ("GET", "endpoints"),
        ("POST", "endpoints"),
        ("POST", "tokens"),
        ("POST", "runs"),
    ],
)
async def test_before_the_catalog_has_been_read_nothing_is_told_or_changed_in_it(
    web: Web, method: str, path: str
) -> None:
    web.catalog.ready = False
    before = len(web.log.records(CATALOG))

    answer = await web.client.request(method, f"/api/v1/{path}", json={"name": "demo", "playbook": "x"})

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert len(web.log.records(CATALOG)) == before
    assert (await web.client.get("/api/v1/runs")).status_code == 200


async def test_the_public_url_stands_in_an_endpoints_url(make_web: MakeWeb) -> None:
    web = await make_web(public_url="https://pulse.example.com/")

    made = (await web.client.post("/api/v1/endpoints", json={"name": "prod"})).json()

    assert made["url"].startswith("https://pulse.example.com/hooks/prod/")


async def test_a_rotated_endpoint_takes_both_tokens_for_the_grace(web: Web) -> None:
    first = (await web.client.post("/api/v1/endpoints", json={"name": "prod"})).json()
    second = (await web.client.post("/api/v1/endpoints/prod/rotate", json={"keep_old": "1h"})).json()
    third = (await web.client.post("/api/v1/endpoints/prod/rotate", json={"keep_old": "0s"})).json()

    status = [
        (await web.client.post(made["url"], json={"title": "hot"})).status_code
        for made in (first, second, third)
    ]
    assert status == [404, 404, 202]
    assert len({first["token"], second["token"], third["token"]}) == 3


async def test_the_old_token_is_good_until_its_grace_is_over(web: Web) -> None:
    first = (await web.client.post("/api/v1/endpoints", json={"name": "prod"})).json()
    await web.client.post("/api/v1/endpoints/prod/rotate", json={"keep_old": "1h"})

    assert (await web.client.post(first["url"], json={"title": "hot"})).status_code == 202
    (prod,) = [
        each for each in (await web.client.get("/api/v1/endpoints")).json()["items"] if each["name"] == "prod"
    ]
    assert prod["old_valid_until_ms"] > prod["at_ms"]


async def test_a_grace_that_is_no_duration_is_400(web: Web) -> None:
    answer = await web.client.post("/api/v1/endpoints/demo/rotate", json={"keep_old": "a day"})

    assert answer.status_code == 400
    assert "24h" in answer.json()["detail"]


async def test_a_deleted_endpoint_takes_nothing_and_its_name_is_free(web: Web) -> None:
    made = (await web.client.post("/api/v1/endpoints", json={"name": "prod"})).json()
    assert (await web.client.delete("/api/v1/endpoints/prod")).status_code == 204

    assert (await web.client.post(made["url"], json={"title": "hot"})).status_code == 404
    assert not web.log.records(ALERTS)
    assert (await web.client.post("/api/v1/endpoints", json={"name": "prod"})).status_code == 201


@pytest.mark.parametrize("name", ["", "Prod", "a/b", "-a", "ä", "x" * 65, "a b"])
async def test_a_name_that_would_make_no_url_is_refused(web: Web, name: str) -> None:
    answer = await web.client.post("/api/v1/endpoints", json={"name": name})

    assert answer.status_code == 400
    assert "name" in answer.json()["detail"]


async def test_a_name_that_is_taken_is_409(web: Web) -> None:
    assert (await web.client.post("/api/v1/endpoints", json={"name": "demo"})).status_code == 409
    await web.client.post("/api/v1/tokens", json={"name": "ci", "role": "viewer"})
    assert (await web.client.post("/api/v1/tokens", json={"name": "ci", "role": "owner"})).status_code == 409


async def test_a_change_that_is_not_durable_is_503_and_not_in_force(web: Web) -> None:
    web.log.broken = True

    answer = await apply(web)

    assert answer.status_code == 503
    assert (await web.client.get("/api/v1/playbooks")).json()["items"] == []


async def test_a_playbook_may_be_as_large_as_the_settings_say(make_web: MakeWeb) -> None:
    large = BOOK + "# " + "x" * 300_000 + "\n"
    assert (await apply(await make_web(), large)).status_code == 422
    assert (await apply(await make_web(playbook_bytes_max=400_000), large)).status_code == 200
    few = await apply(await make_web(playbook_steps_max=1), BOOK.replace("hello}}]", "a}}, {exit: {}}]"))
    assert few.status_code == 422
    assert "more than 1 steps" in few.json()["detail"]
    deep = BOOK.replace("steps: [", "steps: [{parallel: {a: [{exit: {}}]}}, ")
    flat = await apply(await make_web(nesting_max=1), deep)
    assert (flat.status_code, "more than 1 deep" in flat.json()["detail"]) == (422, True)


async def test_a_secret_that_does_not_exist_is_a_warning_where_the_names_are_known(make_web: MakeWeb) -> None:
    http = BOOK.replace("text: hello", 'text: "${{ secrets.TOKEN }}"').replace("endpoint: demo", "kind: a")

    async def warned(**known: Any) -> list[str]:
        answer = await apply(await make_web(**known), http)
        return [each["message"] for each in answer.json()["problems"]]

    assert await warned(secret_names=lambda: ["OTHER"]) == ["the secret `TOKEN` does not exist"]
    assert await warned(secret_names=lambda: ["TOKEN"]) == []
    assert await warned() == []


async def test_playbooks_that_would_run_each_other_in_a_circle_are_refused(web: Web) -> None:
    def running(name: str, child: str) -> str:
        return f"playbook: {name}\non: {{call: {{}}}}\nsteps: [{{id: a, run: {child}}}]\n"

    first = await apply(web, running("a", "b"))
    assert [each["message"] for each in first.json()["problems"]] == ["the playbook `b` is not active"]
    refused = await apply(web, running("b", "a"))
    assert refused.status_code == 422
    assert "playbooks that call each other in a circle: b → a → b" in refused.json()["detail"]
    assert (await apply(web, running("b", "c"))).status_code == 200


async def test_a_playbook_that_cannot_be_run_by_others_is_a_warning(web: Web) -> None:
    await apply(web, "playbook: b\non: {alert: {kind: x}}\nsteps: [{exit: {}}]\n")
    answer = await apply(web, "playbook: a\non: {call: {}}\nsteps: [{id: a, run: b}]\n")
    assert [each["message"] for each in answer.json()["problems"]] == [
        "the playbook `b` cannot be called: it has no `on.call`"
    ]
