"""Posting events to something that answers as Datadog does, and as what stands before it does."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.datadog import EXCERPT_CHARS, DatadogEvents, api_url
from connectors.http_client import create_http_client
from schemas.posting import (
    AGGREGATION_KEY_MAX,
    TEXT_MAX,
    TITLE_MAX,
    EventToPost,
    Posted,
    PostLater,
    PostRefused,
    PostResult,
    fitted,
)
from tests.connectors.http_server import Serve, Server, answer, hangs, http_server, resets, says

KEY = "0123456789abcdef"
EVENT = EventToPost(title="Restarted checkout", text="by Pulsebook", tags=("env:prod",))
ACCEPTED = answer(
    202,
    json.dumps(
        {"event": {"id": 7412345678901234567, "id_str": "7412345678901234567", "url": "https://dd/e"}}
    ).encode(),
    Content_Type="text/plain",
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    made = create_http_client()
    yield made
    await made.aclose()


async def posted(
    client: httpx.AsyncClient, serve: Serve, event: EventToPost = EVENT
) -> tuple[PostResult, Server]:
    async with http_server(serve) as server:
        return await DatadogEvents(client, server.url, KEY, timeout_s=0.3).post(event), server


async def test_an_accepted_event_gives_its_id_as_text_whatever_the_content_type(
    client: httpx.AsyncClient,
) -> None:
    result, server = await posted(client, says(ACCEPTED))
    assert result == Posted("7412345678901234567", "https://dd/e")
    [got] = server.got
    assert (got.method, got.target) == ("POST", "/api/v1/events")
    assert (got.headers["dd-api-key"], got.headers["content-type"]) == (KEY, "application/json")


async def test_what_is_empty_is_not_sent(client: httpx.AsyncClient) -> None:
    _, server = await posted(client, says(ACCEPTED))
    assert json.loads(server.got[0].body) == {
        "title": "Restarted checkout",
        "text": "by Pulsebook",
        "tags": ["env:prod"],
        "alert_type": "info",
        "priority": "normal",
        "source_type_name": "pulsebook",
    }


async def test_everything_that_is_given_is_sent(client: httpx.AsyncClient) -> None:
    event = EventToPost(
        title="t",
        text="x",
        alert_type="error",
        priority="low",
        host="web-1",
        aggregation_key="r-1",
        date_s=1_795_305_600,
    )
    _, server = await posted(client, says(ACCEPTED), event)
    sent = json.loads(server.got[0].body)
    assert (sent["host"], sent["aggregation_key"], sent["date_happened"]) == ("web-1", "r-1", 1_795_305_600)
    assert (sent["alert_type"], sent["priority"]) == ("error", "low")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"event": 1}', b'{"status": "ok"}', b"\xff"])
async def test_an_accepted_event_is_posted_even_if_the_answer_says_no_id(
    client: httpx.AsyncClient, body: bytes
) -> None:
    result, _ = await posted(client, says(answer(202, body)))
    assert result == Posted("")


@pytest.mark.parametrize("status", [400, 413])
async def test_what_datadog_will_never_take_is_refused(client: httpx.AsyncClient, status: int) -> None:
    result, _ = await posted(client, says(answer(status, b'{"errors": ["bad"]}', Content_Type="text/plain")))
    assert result == PostRefused(status, f'Datadog answered {status}: {{"errors": ["bad"]}}')


@pytest.mark.parametrize(
    ("status", "unsure"),
    [
        (401, False),
        (403, False),
        (404, False),
        (408, True),
        (429, False),
        (500, True),
        (503, True),
        (302, False),
    ],
)
async def test_what_may_pass_is_tried_later(client: httpx.AsyncClient, status: int, unsure: bool) -> None:
    result, _ = await posted(client, says(answer(status)))
    assert isinstance(result, PostLater)
    assert (result.status, result.may_have_happened, result.retry_after_s) == (status, unsure, None)


async def test_a_rate_limit_says_how_long_even_with_a_body_of_html(client: httpx.AsyncClient) -> None:
    result, _ = await posted(client, says(answer(429, b"<html>slow down", X_RateLimit_Reset="12")))
    assert result == PostLater(12.0, "Datadog answered 429: <html>slow down", 429, False)


async def test_no_answer_may_have_happened(client: httpx.AsyncClient) -> None:
    result, _ = await posted(client, hangs)
    assert isinstance(result, PostLater) and result.may_have_happened and result.status is None
    result, _ = await posted(client, resets)
    assert isinstance(result, PostLater) and result.may_have_happened


async def test_no_connection_cannot_have_happened(client: httpx.AsyncClient) -> None:
    result = await DatadogEvents(client, "http://127.0.0.1:1", KEY).post(EVENT)
    assert isinstance(result, PostLater)
    assert (result.status, result.may_have_happened) == (None, False)


@pytest.mark.parametrize(
    "event",
    [
        EventToPost(title="x" * (TITLE_MAX + 1), text=""),
        EventToPost(title="x", text="x" * (TEXT_MAX + 1)),
        EventToPost(title="x", text="", aggregation_key="x" * (AGGREGATION_KEY_MAX + 1)),
        EventToPost(title="\ud800", text=""),
    ],
)
async def test_what_breaks_a_limit_is_refused_without_being_sent(
    client: httpx.AsyncClient, event: EventToPost
) -> None:
    result, server = await posted(client, says(ACCEPTED), event)
    assert isinstance(result, PostRefused)
    assert (result.status, server.got) == (0, [])


def test_what_is_too_long_is_cut_visibly_to_fit() -> None:
    event = fitted(EventToPost(title="x" * 101, text="y" * 4_001, aggregation_key="z" * 101))
    assert (len(event.title), len(event.text), len(event.aggregation_key)) == (100, 4_000, 100)
    assert event.title.endswith("… [cut]") and event.text.endswith("… [cut]")
    assert fitted(event) is event


async def test_the_key_never_gets_into_a_reason_or_a_repr(client: httpx.AsyncClient) -> None:
    result, _ = await posted(client, says(answer(403, f"key {KEY} unknown".encode())))
    assert isinstance(result, PostLater)
    assert result.reason == "Datadog answered 403: key *** unknown"
    assert KEY not in repr(DatadogEvents(client, "http://x", KEY))


async def test_a_key_where_a_reason_is_cut_leaves_nothing_behind(client: httpx.AsyncClient) -> None:
    result, _ = await posted(client, says(answer(403, b"x" * (EXCERPT_CHARS - 8) + KEY.encode())))
    assert isinstance(result, PostLater)
    assert KEY[:8] not in result.reason


@pytest.mark.parametrize(
    ("status", "problem"), [(200, ""), (403, "does not accept the API key"), (500, "answered 500")]
)
async def test_the_key_can_be_checked(client: httpx.AsyncClient, status: int, problem: str) -> None:
    async with http_server(says(answer(status, b'{"valid": true}'))) as server:
        said = await DatadogEvents(client, server.url, KEY).key_problem()
    assert problem in said and bool(said) == bool(problem)
    assert server.got[0].target == "/api/v1/validate"


async def test_a_site_that_cannot_be_reached_is_a_problem(client: httpx.AsyncClient) -> None:
    assert "cannot be reached" in await DatadogEvents(client, "http://127.0.0.1:1", KEY).key_problem()


def test_the_address_of_a_site() -> None:
    assert api_url("datadoghq.eu") == "https://api.datadoghq.eu"
