"""The sandbox: takes and refuses as Datadog does, keeps what it took, shows it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.datadog import DatadogEvents
from connectors.datadog_sandbox import DatadogSandbox, create_sandbox
from connectors.datadog_sandbox_rules import BODY_BYTES_MAX
from schemas.posting import EventToPost, Posted, PostLater, PostRefused

KEY = {"DD-API-KEY": "any"}
URL = "http://sandbox.test"


@asynccontextmanager
async def sandbox(folder: Path, **given: Any) -> AsyncIterator[tuple[DatadogSandbox, httpx.AsyncClient]]:
    """A sandbox and a client that speaks with it."""
    app = create_sandbox(folder, **given)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as client:
        yield app, client
    app.close()


async def post(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    return await client.post("/api/v1/events", json={"title": "t", "text": "x"} | fields, headers=KEY)


async def titles(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/api/v1/events", params=query)
    return [event["title"] for event in answer.json()["events"]]


async def test_our_own_connector_gets_an_id_under_which_the_event_can_be_read(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        event = EventToPost(
            title="Restarted", text="done", tags=("env:prod",), aggregation_key="r-1", host="h"
        )
        posted = await DatadogEvents(client, URL, "key").post(event)
        assert isinstance(posted, Posted)
        assert int(posted.event_id) > 2**53
        kept = (await client.get(f"/api/v1/events/{posted.event_id}")).json()["event"]
        assert (kept["title"], kept["text"], kept["tags"]) == ("Restarted", "done", ["env:prod"])
        assert (kept["source_type_name"], kept["alert_type"], kept["host"]) == ("pulsebook", "info", "h")
        assert (kept["id_str"], str(kept["id"])) == (posted.event_id, posted.event_id)


async def test_a_post_is_answered_with_202_and_the_event(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        answer = await post(client, tags=["a"])
        assert (answer.status_code, answer.json()["status"]) == (202, "ok")
        assert answer.json()["event"]["tags"] == ["a"]


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"text": None},
        {"title": "x" * 101},
        {"title": 7},
        {"text": "x" * 4_001},
        {"aggregation_key": "x" * 101},
        {"alert_type": "panic"},
        {"priority": "high"},
        {"tags": "a,b"},
        {"tags": [1]},
        {"date_happened": 1_000},
        {"date_happened": 4_000_000_000},
        {"date_happened": "now"},
        {"related_event_id": 2**63},
    ],
)
async def test_what_datadog_does_not_take_is_answered_with_400_in_text_plain(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    async with sandbox(tmp_path) as (_, client):
        answer = await post(client, **fields)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert next(iter(fields)) in answer.json()["errors"][0]
        assert await titles(client) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 10_000])
async def test_a_body_that_is_no_json_object_is_answered_with_400(tmp_path: Path, body: bytes) -> None:
    async with sandbox(tmp_path) as (_, client):
        answer = await client.post("/api/v1/events", content=body, headers=KEY)
        assert answer.status_code == 400


async def test_a_date_of_17_hours_ago_is_taken_and_kept(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        at_s = int(time.time()) - 17 * 3_600
        assert (await post(client, date_happened=at_s)).json()["event"]["date_happened"] == at_s


async def test_a_body_that_is_too_large_is_answered_with_413(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        answer = await client.post("/api/v1/events", content=b"x" * (BODY_BYTES_MAX + 1), headers=KEY)
        assert answer.status_code == 413


@pytest.mark.parametrize("headers", [{}, {"DD-API-KEY": ""}, {"DD-API-KEY": "other"}])
async def test_without_the_right_key_nothing_is_taken(tmp_path: Path, headers: dict[str, str]) -> None:
    async with sandbox(tmp_path, api_key="right") as (_, client):
        answer = await client.post("/api/v1/events", json={"title": "t", "text": "x"}, headers=headers)
        assert (answer.status_code, answer.json()) == (403, {"errors": ["Forbidden"]})
        assert (await client.get("/api/v1/validate", headers=headers)).status_code == 403
        assert await titles(client) == []


async def test_the_key_can_be_checked(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        assert await DatadogEvents(client, URL, "any").key_problem() == ""
        assert "does not accept" in await DatadogEvents(client, URL, "").key_problem()


async def test_beyond_the_rate_limit_it_says_when_to_come_back(tmp_path: Path) -> None:
    async with sandbox(tmp_path, events_per_period=2, period_s=3_600) as (_, client):
        assert [(await post(client)).status_code for _ in range(3)] == [202, 202, 429]
        later = await DatadogEvents(client, URL, "k").post(EventToPost(title="t", text="x"))
        assert isinstance(later, PostLater)
        assert later.status == 429 and later.retry_after_s is not None and 0 < later.retry_after_s <= 3_600


async def test_events_are_listed_newest_first_and_filtered(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        now_s = int(time.time())
        await post(
            client, title="old", date_happened=now_s - 100, tags=["env:prod", "team:pay"], priority="low"
        )
        await post(
            client, title="new", date_happened=now_s - 10, tags=["Env:Prod"], source_type_name="PulseBook"
        )
        assert await titles(client) == ["new", "old"]
        assert await titles(client, tags="env:prod") == ["new", "old"]
        assert await titles(client, tags="env:prod,team:pay") == ["old"]
        assert await titles(client, sources="pulsebook,other") == ["new"]
        assert await titles(client, priority="low") == ["old"]
        assert await titles(client, start=now_s - 50, end=now_s) == ["new"]
        assert await titles(client, end=now_s - 50) == ["old"]
        assert await titles(client, page=1) == []
        assert (await client.get("/api/v1/events", params={"start": "yesterday"})).status_code == 400


@pytest.mark.parametrize("event_id", ["1", "abc", "99999999999999999999", "²"])
async def test_an_event_that_is_not_there_is_answered_with_404(tmp_path: Path, event_id: str) -> None:
    async with sandbox(tmp_path) as (_, client):
        assert (await client.get(f"/api/v1/events/{event_id}")).status_code == 404


async def test_events_survive_a_restart_and_ids_go_on(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        first = (await post(client, title="before")).json()["event"]["id"]
    async with sandbox(tmp_path) as (_, client):
        assert await titles(client) == ["before"]
        assert (await post(client)).json()["event"]["id"] == first + 1


async def test_the_page_shows_events_and_never_their_markup(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        evil = "<script>alert('x')</script>\"&"
        await post(client, title=evil, text=evil + "\n%%% **bold** %%%", tags=[evil, "env:prod"])
        answer = await client.get("/")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text and evil not in answer.text
        assert "&lt;script&gt;" in answer.text and "**bold**" in answer.text
        assert 'href="/?tag=env%3Aprod"' in answer.text


async def test_the_page_filters_and_refreshes_by_itself_unless_told_not_to(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        await post(client, title="Restarted checkout", tags=["env:prod"])
        await post(client, title="Other")
        page = (await client.get("/", params={"q": "CHECKOUT", "tag": "env:prod"})).text
        assert "Restarted checkout" in page and ">Other<" not in page
        assert 'http-equiv="refresh"' in page and 'value="CHECKOUT"' in page
        assert 'http-equiv="refresh"' not in (await client.get("/", params={"refresh": "off"})).text


async def test_the_page_escapes_what_its_own_filter_echoes(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        assert "<script" not in (await client.get("/", params={"q": '"><script>', "tag": '"><script>'})).text


async def test_faults_are_answered_as_often_as_asked_for(tmp_path: Path) -> None:
    async with sandbox(tmp_path, controllable=True) as (app, client):
        fault = {"fail": {"status": 503, "count": 2, "retry_after_s": 7}}
        assert (await client.post("/_control", json=fault)).status_code == 200
        poster = DatadogEvents(client, URL, "k")
        for _ in range(2):
            later = await poster.post(EventToPost(title="t", text="x"))
            assert isinstance(later, PostLater) and (later.status, later.retry_after_s) == (503, 7)
        assert isinstance(await poster.post(EventToPost(title="t", text="x")), Posted)
        assert (app.posts, await titles(client)) == (3, ["t"])


async def test_a_fault_may_keep_the_event_that_it_denies(tmp_path: Path) -> None:
    async with sandbox(tmp_path, controllable=True) as (_, client):
        await client.post("/_control", json={"fail": {"status": 500, "accepted": True}})
        assert (await post(client)).status_code == 500
        assert await titles(client) == ["t"]


async def test_a_fault_may_refuse_for_ever(tmp_path: Path) -> None:
    async with sandbox(tmp_path, controllable=True) as (_, client):
        await client.post("/_control", json={"fail": {"status": 400}})
        refused = await DatadogEvents(client, URL, "k").post(EventToPost(title="t", text="x"))
        assert isinstance(refused, PostRefused)


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"fail": {"status": 99}}', b'{"fail": {"stat": 500}}'])
async def test_a_wrong_control_is_refused(tmp_path: Path, body: bytes) -> None:
    async with sandbox(tmp_path, controllable=True) as (_, client):
        assert (await client.post("/_control", content=body)).status_code == 400


async def test_faults_are_off_unless_asked_for(tmp_path: Path) -> None:
    async with sandbox(tmp_path) as (_, client):
        assert (await client.post("/_control", json={"fail": {}})).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v2/events"), ("DELETE", "/"), ("PUT", "/api/v1/events")]
)
async def test_what_it_does_not_have_is_not_found(tmp_path: Path, method: str, path: str) -> None:
    async with sandbox(tmp_path) as (_, client):
        assert (await client.request(method, path)).status_code == 404
