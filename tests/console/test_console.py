"""What is around the API: problems, health, metrics, the landing page, dead letters, publications,
overview.
"""

import asyncio
import json
from typing import Any

import pytest

from schemas.topics import DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_JOURNAL
from tests.console.conftest import TOKEN, MakeWeb, Web
from tests.console.samples import ALERT, LETTER, PUBLISHED, RUN, WHOLE_RUN, decided, matched, with_fields


async def fill(web: Web) -> None:
    await web.log.write(DECISIONS, ALERT, matched(), decided("started"))
    await web.log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await web.log.write(PUBLICATIONS, RUN, PUBLISHED)
    await web.log.write(DEAD_LETTERS, "k", LETTER)
    await web.read()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("PUT", "/api/v1/runs", 405),
        ("DELETE", "/healthz", 405),
    ],
)
async def test_even_what_is_not_there_is_a_problem_document(
    web: Web, method: str, path: str, status: int
) -> None:
    answer = await web.client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]


async def test_a_body_that_is_no_json_is_a_problem_with_a_sentence(web: Web) -> None:
    answer = await web.client.post(
        "/api/v1/endpoints", content=b"{", headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_mistake_of_ours_is_500_without_our_insides(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("console.api.runs.run_view", broken)
    answer = await web.client.get("/api/v1/runs/r-x")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret detail" not in answer.text and "RuntimeError" not in answer.text
    assert "secret detail" in caplog.text


async def test_it_is_alive_and_ready(web: Web) -> None:
    assert (await web.client.get("/healthz")).json() == {"status": "alive"}
    assert (await web.client.get("/readyz")).json() == {"status": "ready", "missing": []}


async def test_it_says_what_it_is_missing(web: Web) -> None:
    web.catalog.ready = False
    web.model.state.problem = "no broker"
    web.parts.stopping.set()

    answer = await web.client.get("/readyz")

    assert answer.status_code == 503
    assert len(answer.json()["missing"]) == 3
    assert "no broker" in str(answer.json()["missing"])
    assert (await web.client.get("/healthz")).status_code == 200


async def test_after_a_send_that_failed_it_is_not_ready_until_one_succeeds(web: Web) -> None:
    web.log.broken = True
    await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})
    away = await web.client.get("/readyz")
    web.log.broken = False
    await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})

    assert away.status_code == 503
    assert "acknowledged" in str(away.json()["missing"])
    assert (await web.client.get("/readyz")).status_code == 200


async def test_after_a_stall_it_is_ready_again_without_any_traffic_once_the_broker_answers(web: Web) -> None:
    web.log.broken = True
    await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})
    assert [(await web.client.get("/readyz")).status_code for _ in range(5)] == [503] * 5
    assert web.log.asked == 1
    web.log.broken = False
    async with asyncio.timeout(3):
        while (await web.client.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)

    assert web.log.asked == 2
    assert (await web.client.get("/readyz")).status_code == 200
    assert web.log.asked == 2


async def test_a_broker_that_does_not_answer_does_not_hold_up_the_answer_of_readyz(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.parts.LastSend.ASK_WITHIN_S", 0.05)
    web.log.broken = True
    await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})
    web.log.stuck = True
    async with asyncio.timeout(1):
        assert (await web.client.get("/readyz")).status_code == 503


async def test_a_failure_of_long_ago_does_not_keep_it_from_being_ready(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.parts.LastSend.LATELY_S", 0.05)
    web.log.broken = True
    await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})
    assert (await web.client.get("/readyz")).status_code == 503
    await asyncio.sleep(0.1)

    assert (await web.client.get("/readyz")).status_code == 200


async def test_metrics_count_webhooks_and_runs(web: Web) -> None:
    await fill(web)
    await web.client.post(f"/hooks/demo/{TOKEN}", json={"title": "hot"})
    await web.client.post("/hooks/demo/wrong", json={})

    text = (await web.client.get("/metrics")).text

    assert 'pulsebook_webhooks_total{result="accepted"} 1.0' in text
    assert 'pulsebook_webhooks_total{result="unknown"} 1.0' in text
    assert 'pulsebook_read_model_runs{status="succeeded"} 1.0' in text
    assert 'pulsebook_read_model_rows{what="dead_letters"} 1.0' in text
    assert TOKEN not in text


async def test_the_landing_page_says_where_things_are_and_escapes(make_web: MakeWeb) -> None:
    web = await make_web(version="<1.0>", sandbox_url='http://127.0.0.1:8081/?a="b"')
    await fill(web)

    answer = await web.client.get("/")

    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<1.0>" not in answer.text and "&lt;1.0&gt;" in answer.text
    assert "/api/openapi.json" in answer.text and "&quot;b&quot;" in answer.text
    assert "<td>dead letters</td><td>1</td>" in answer.text


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "Events go to Datadog itself"),
        ({"datadog_elsewhere": True}, "Events go to the address that"),
        ({"datadog_elsewhere": True, "sandbox_url": "http://127.0.0.1:8081"}, ">The Datadog sandbox</a>"),
    ],
)
async def test_the_landing_page_calls_the_sandbox_what_is_the_sandbox(
    make_web: MakeWeb, settings: dict[str, Any], says: str
) -> None:
    page = (await (await make_web(**settings)).client.get("/")).text
    assert says in page
    assert ("sandbox" in page) == ("sandbox_url" in settings)


async def test_openapi_describes_what_there_is(web: Web) -> None:
    answer = await web.client.get("/api/openapi.json")

    described = json.loads(answer.content)
    assert described["info"]["title"] == "Pulsebook"
    paths = described["paths"]
    for path, method in (
        ("/api/v1/runs", "post"),
        ("/api/v1/runs/{run_id}/stream", "get"),
        ("/api/v1/alerts/{alert_id}/trace", "get"),
        ("/api/v1/playbooks", "post"),
        ("/api/v1/runs/{run_id}/answer", "post"),
        ("/api/v1/dead-letters/{letter_id}/redrive", "post"),
        ("/api/v1/dead-letters/{letter_id}/drop", "post"),
        ("/api/v1/endpoints/{name}/rotate", "post"),
        ("/hooks/{endpoint}/{token}", "post"),
        ("/hooks/{endpoint}/{token}/{playbook}", "post"),
    ):
        assert method in paths[path], path
    refused = paths["/api/v1/runs"]["post"]["responses"]["422"]["content"]
    assert refused["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert described["components"]["schemas"]["Problem"]["required"] == ["status", "title", "detail"]
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert paths["/healthz"]["get"]["responses"].keys() == {"200"}


async def test_dead_letters_are_listed_and_shown_as_they_came(web: Web) -> None:
    await web.written(DEAD_LETTERS, "k", LETTER, with_fields(LETTER, offset=12, reason="y" * 2_000))

    newest, older = (await web.client.get("/api/v1/dead-letters")).json()["items"]
    shown = (await web.client.get(f"/api/v1/dead-letters/{older['id']}")).json()

    assert (older["stage"], older["topic"], older["partition"], older["offset"]) == ("match", "alerts", 3, 11)
    assert len(newest["reason"]) == 500
    assert (shown["reason"], shown["key"], shown["value"]) == ("no JSON", "k", "ff 67 61 72 62 61 67 65")
    assert (shown["value_form"], shown["value_record"]) == ("binary", "")
    assert (shown["headers"], shown["value_bytes"]) == ({"endpoint": "demo"}, 8)


@pytest.mark.parametrize("name", ["0-99", "9-0", "x", "0-", "1-2-3"])
async def test_a_dead_letter_that_is_not_there_is_404(web: Web, name: str) -> None:
    assert (await web.client.get(f"/api/v1/dead-letters/{name}")).status_code == 404


async def test_a_topic_that_cannot_be_read_is_503(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: Any) -> None:
        raise ConnectionError("10.0.0.1 is away")

    monkeypatch.setattr(web.log, "at", gone)

    answer = await web.client.get("/api/v1/dead-letters/0-0")

    assert answer.status_code == 503
    assert "10.0.0.1" not in answer.text


async def test_publications_are_listed_page_by_page(web: Web) -> None:
    for number in range(3):
        await web.log.write(PUBLICATIONS, RUN, with_fields(PUBLISHED, event_id=str(number), at_ms=number))
    await web.read()

    first = (await web.client.get("/api/v1/publications", params={"limit": 2})).json()
    rest = (await web.client.get("/api/v1/publications", params={"cursor": first["next"]})).json()

    assert [each["event_id"] for each in first["items"] + rest["items"]] == ["2", "1", "0"]
    assert rest["next"] is None


async def test_the_overview_says_how_things_stand(web: Web) -> None:
    await fill(web)

    overview = (await web.client.get("/api/v1/overview")).json()

    assert overview["runs"] == {"succeeded": 1}
    assert (overview["alerts"], overview["publications"], overview["dead_letters"]) == (1, 1, 1)
    assert (overview["endpoints"], overview["catalog_ready"]) == (1, True)
    assert overview["read_model"]["caught_up"] is True
    assert overview["read_model"]["records"] == 6
