"""`http.request` against real servers that answer well, badly, or not at all."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.actions.http_arguments import HttpArguments
from connectors.actions.http_request import HttpRequest
from connectors.http_client import create_http_client
from schemas.actions import Done, Failed
from tests.connectors.http_calls import asked, call, failure
from tests.connectors.http_server import Got, answer, http_server, says

JSON = {"Content_Type": "application/json"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    made = create_http_client()
    yield made
    await made.aclose()


async def test_json_is_returned_as_a_value_and_cookies_are_not(client: httpx.AsyncClient) -> None:
    said = answer(
        200, b'{"ready": true}', Content_Type="application/vnd.api+json", Set_Cookie="s=1", ETag="e"
    )
    outcome, got = await asked(client, says(said), "/pods?x=1")
    assert isinstance(outcome, Done)
    assert (outcome.output["status"], outcome.output["body"]) == (200, {"ready": True})
    assert outcome.output["headers"]["etag"] == "e"
    assert "set-cookie" not in outcome.output["headers"]
    assert (got.method, got.target) == ("GET", "/pods?x=1")
    assert "idempotency-key" not in got.headers


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        (b"", "application/json", None),
        (b"plain", "text/plain", "plain"),
        ("ü".encode("latin-1"), "text/plain; charset=latin-1", "ü"),
        (b"\xff", "text/plain", "\ufffd"),
        (b"x", "text/plain; charset=klingon", "x"),
        (b'{"a": 1}', "text/plain", '{"a": 1}'),
    ],
)
async def test_what_is_not_json_is_text(
    client: httpx.AsyncClient, body: bytes, content_type: str, value: Any
) -> None:
    outcome, _ = await asked(client, says(answer(200, body, Content_Type=content_type)))
    assert isinstance(outcome, Done) and outcome.output["body"] == value


async def test_everything_that_was_asked_for_is_sent(client: httpx.AsyncClient) -> None:
    _, got = await asked(
        client,
        says(answer(200)),
        method="post",
        headers={"X-Count": 3},
        query={"tag": ["a", "b"], "dry": True},
        json={"a": [1]},
        auth={"bearer": "t0ken"},
    )
    assert (got.method, got.target) == ("POST", "/?tag=a&tag=b&dry=true")
    assert json.loads(got.body) == {"a": [1]}
    assert got.headers["x-count"] == "3"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["authorization"] == "Bearer t0ken"
    assert got.headers["idempotency-key"] == "r-1/kill/1"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (
            {"basic": {"user": "u", "password": "p"}},
            "authorization",
            "Basic " + base64.b64encode(b"u:p").decode(),
        ),
        ({"header": {"name": "DD-API-KEY", "value": "k"}}, "dd-api-key", "k"),
    ],
)
async def test_ways_to_sign_in(client: httpx.AsyncClient, auth: Any, header: str, value: str) -> None:
    _, got = await asked(client, says(answer(200)), auth=auth)
    assert got.headers[header] == value


@pytest.mark.parametrize(
    ("given", "body", "content_type"),
    [
        ({"form": {"a": 1, "b": "x y"}}, b"a=1&b=x+y", "application/x-www-form-urlencoded"),
        ({"body": "täxt"}, "täxt".encode(), "text/plain; charset=utf-8"),
        ({"body": "<a/>", "headers": {"Content-Type": "text/xml"}}, b"<a/>", "text/xml"),
        ({"json": None}, b"null", "application/json"),
    ],
)
async def test_ways_to_send_a_body(
    client: httpx.AsyncClient, given: Any, body: bytes, content_type: str
) -> None:
    _, got = await asked(client, says(answer(200)), method="PUT", **given)
    assert (got.body, got.headers["content-type"]) == (body, content_type)


async def test_a_key_of_ones_own_is_kept(client: httpx.AsyncClient) -> None:
    _, got = await asked(client, says(answer(200)), method="POST", headers={"idempotency-key": "mine"})
    assert got.headers["idempotency-key"] == "mine"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "url"),
        ({"url": "ftp://example.com/"}, "http"),
        ({"url": "/pods"}, "http"),
        ({"url": "http://[::1"}, "request"),
        ({"url": "http://u:p@example.com/"}, "auth"),
        ({"url": "http://example.com/", "methd": "GET"}, "methd"),
        ({"url": "http://example.com/", "method": "BREW"}, "method"),
        ({"url": "http://example.com/", "json": 1, "body": "x"}, "only one"),
        ({"url": "http://example.com/", "auth": {}}, "auth"),
        ({"url": "http://example.com/", "auth": {"bearer": None}}, "auth"),
        ({"url": "http://example.com/", "headers": {"X-ü": "1"}}, "request"),
        ({"url": "http://example.com/", "expect": [20]}, "expect"),
        ({"url": "http://example.com/", "timeout_s": 0}, "timeout_s"),
        ({"url": "http://example.com/", "json": "\ud800"}, "request"),
    ],
)
async def test_wrong_arguments_are_named_before_anything_is_sent(
    client: httpx.AsyncClient, arguments: dict[str, Any], reason: str
) -> None:
    outcome = await HttpRequest(client)(call(**arguments))
    assert isinstance(outcome, Failed)
    assert outcome.kind == "bad_input" and reason in outcome.message
    assert not outcome.may_have_happened


async def test_a_redirect_on_the_same_host_is_followed(client: httpx.AsyncClient) -> None:
    async def redirect(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, b"here") if got.target == "/new" else answer(302, Location="/new"))

    outcome, _ = await asked(client, redirect)
    assert isinstance(outcome, Done) and outcome.output["body"] == "here"


async def test_a_redirect_to_another_host_or_port_is_refused_and_never_followed(
    client: httpx.AsyncClient,
) -> None:
    async with http_server(says(answer(200))) as other:
        for location in (f"{other.url}/", f"http://localhost:{other.port}/"):
            failed = await failure(
                client, says(answer(307, Location=location)), method="POST", auth={"bearer": "t"}
            )
            assert (failed.kind, failed.may_have_happened) == ("refused", True)
        assert other.got == []


async def test_a_redirect_that_is_expected_is_the_answer(client: httpx.AsyncClient) -> None:
    outcome, _ = await asked(client, says(answer(302, Location="http://elsewhere.invalid/")), expect=[302])
    assert isinstance(outcome, Done)
    assert outcome.output["headers"]["location"] == "http://elsewhere.invalid/"


async def test_redirects_in_a_circle_end(client: httpx.AsyncClient) -> None:
    assert (await failure(client, says(answer(302, Location="/")))).kind == "bad_output"


async def test_a_host_that_is_not_allowed_is_refused_and_hears_nothing(client: httpx.AsyncClient) -> None:
    async with http_server(says(answer(200))) as server:
        action = HttpRequest(client, allowed_hosts=["*.example.com"])
        failed = await action(call(url=server.url))
        assert isinstance(failed, Failed)
        assert (failed.kind, failed.may_have_happened) == ("refused", False)
        assert server.got == []
        assert isinstance(await HttpRequest(client, ["127.0.0.1"])(call(url=server.url)), Done)


async def test_a_secret_goes_to_its_own_hosts_only(client: httpx.AsyncClient) -> None:
    async with http_server(says(answer(200))) as server:
        refused = await HttpRequest(client)(call(url=server.url, secret_hosts=(("api.example.com",),)))
        assert isinstance(refused, Failed) and refused.kind == "refused"
        both = (("127.0.0.1",), ("api.example.com",))
        assert isinstance(await HttpRequest(client)(call(url=server.url, secret_hosts=both)), Failed)
        assert server.got == []
        own = (("127.0.0.1",), (f"127.0.0.1:{server.port}",))
        assert isinstance(await HttpRequest(client)(call(url=server.url, secret_hosts=own)), Done)


async def test_cookies_of_one_call_are_not_sent_by_the_next(client: httpx.AsyncClient) -> None:
    async with http_server(says(answer(200, Set_Cookie="session=1"))) as server:
        for _ in range(2):
            await HttpRequest(client)(call(url=server.url))
        assert ["cookie" in got.headers for got in server.got] == [False, False]


def test_the_declared_inputs_are_those_that_are_read() -> None:
    inputs = HttpRequest.spec.inputs
    assert set(inputs["properties"]) == set(HttpArguments.__struct_fields__)
    assert inputs["required"] == ["url"]
