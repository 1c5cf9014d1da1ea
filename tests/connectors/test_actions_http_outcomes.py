"""What `http.request` makes of answers that are unexpected, late, broken off, garbage or too large."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.actions.http_request import HttpRequest
from connectors.http_client import create_http_client
from schemas.actions import Done, Failed
from tests.connectors.http_calls import asked, call, failure
from tests.connectors.http_server import Got, answer, hangs, http_server, resets, says

JSON = {"Content_Type": "application/json"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    made = create_http_client()
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    ("status", "kind", "may_have_happened"),
    [
        (400, "http_4xx", False),
        (404, "http_4xx", False),
        (408, "timeout", True),
        (409, "http_4xx", False),
        (429, "rate_limited", False),
        (500, "http_5xx", True),
        (503, "http_5xx", True),
        (304, "bad_output", True),
    ],
)
async def test_an_unexpected_status_is_a_failure(
    client: httpx.AsyncClient, status: int, kind: str, may_have_happened: bool
) -> None:
    failed = await failure(client, says(answer(status, b"no\n such   pod" if status != 304 else b"")))
    assert (failed.kind, failed.may_have_happened) == (kind, may_have_happened)
    assert f"answered {status}" in failed.message
    if status != 304:
        assert failed.message.endswith(": no such pod")


async def test_an_expected_status_is_success_and_others_are_not(client: httpx.AsyncClient) -> None:
    outcome, _ = await asked(client, says(answer(404, b"gone")), expect=[200, 404])
    assert isinstance(outcome, Done) and outcome.output["status"] == 404
    assert (await failure(client, says(answer(201)), expect=[200])).kind == "bad_output"


async def test_how_long_to_wait_is_taken_from_the_answer(client: httpx.AsyncClient) -> None:
    failed = await failure(client, says(answer(429, b"<html>slow down</html>", X_RateLimit_Reset="17")))
    assert failed.retry_after_s == 17


@pytest.mark.parametrize("before", [b"x" * 293, b"x" * 2_043, b" " * 2_043, b""])
async def test_a_secret_in_an_excerpt_is_masked_before_it_is_cut_or_its_spaces_are(
    client: httpx.AsyncClient, before: bytes
) -> None:
    async with http_server(says(answer(400, before + b"hunter22\t two and more"))) as server:
        given = dataclasses.replace(
            call(url=server.url), mask=lambda text: text.replace("hunter22\t two", "***")
        )
        outcome = await HttpRequest(client)(given)
    assert isinstance(outcome, Failed)
    assert "hunter" not in outcome.message and "two" not in outcome.message


async def test_a_query_never_gets_into_a_message(client: httpx.AsyncClient) -> None:
    outcome, _ = await asked(client, says(answer(500)), "/pods?token=hunter22")
    assert isinstance(outcome, Failed)
    assert "/pods" in outcome.message and "hunter22" not in outcome.message


async def test_nobody_listening_is_unreachable_and_cannot_have_happened(client: httpx.AsyncClient) -> None:
    async with http_server(hangs) as server:
        port = server.port
    failed = await HttpRequest(client)(call(url=f"http://127.0.0.1:{port}/", method="POST"))
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.may_have_happened) == ("unreachable", False)


async def test_an_unknown_host_is_unreachable_and_cannot_have_happened(client: httpx.AsyncClient) -> None:
    failed = await HttpRequest(client)(call(url="http://pods.invalid/", method="POST"))
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.may_have_happened) == ("unreachable", False)


async def test_a_slow_answer_is_a_timeout_that_may_have_happened(client: httpx.AsyncClient) -> None:
    failed = await failure(client, hangs, within_s=0.2, method="POST")
    assert (failed.kind, failed.may_have_happened) == ("timeout", True)
    assert "0.2 s" in failed.message


async def test_a_body_that_trickles_is_bounded_by_the_same_timeout(client: httpx.AsyncClient) -> None:
    async def trickle(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    assert (await failure(client, trickle, timeout_s=0.2)).kind == "timeout"


async def test_a_reset_after_the_request_may_have_happened(client: httpx.AsyncClient) -> None:
    failed = await failure(client, resets, method="POST")
    assert (failed.kind, failed.may_have_happened) == ("unreachable", True)


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"], ids=["nothing", "half a body"]
)
async def test_a_connection_closed_too_early_may_have_happened(
    client: httpx.AsyncClient, part: bytes
) -> None:
    failed = await failure(client, says(part), method="POST")
    assert (failed.kind, failed.may_have_happened) == ("unreachable", True)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02 hello\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        answer(200, b"{not json", **JSON),
        answer(200, b'{"a": NaN}', **JSON),
        answer(200, b"[" * 100_000, **JSON),
        answer(200, b"no gzip", Content_Encoding="gzip"),
    ],
)
async def test_a_garbage_answer_is_bad_output(client: httpx.AsyncClient, garbage: bytes) -> None:
    failed = await failure(client, says(garbage), method="POST")
    assert (failed.kind, failed.may_have_happened) == ("bad_output", True)
    assert len(failed.message) < 400


async def test_a_body_of_10_mib_is_read_and_one_byte_more_is_too_large(client: httpx.AsyncClient) -> None:
    limit = 10 * 1024 * 1024
    outcome, _ = await asked(client, says(answer(200, b"x" * limit)))
    assert isinstance(outcome, Done) and len(outcome.output["body"]) == limit
    failed = await failure(client, says(answer(200, b"x" * (limit + 1))))
    assert failed.kind == "too_large" and str(limit) in failed.message
    assert not failed.may_have_happened


async def test_an_endless_body_is_too_large(client: httpx.AsyncClient) -> None:
    async def pour(got: Got, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with http_server(pour) as server:
        failed = await HttpRequest(client, body_bytes_max=1_000_000)(call(url=server.url))
    assert isinstance(failed, Failed) and failed.kind == "too_large"
