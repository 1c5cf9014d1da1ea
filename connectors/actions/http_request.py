"""Action `http.request`: one HTTP exchange, bounded in time and size, to an allowed host.

What it takes and returns is declared in `http_request_spec`; what a failure means is `http_failures`.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any

import httpx
import msgspec

from connectors.actions import http_request_spec
from connectors.actions.http_arguments import HttpArguments, WrongArguments, build_request, read_arguments
from connectors.actions.outbound import fits
from connectors.http_failures import Trace, failure_of, kind_of_status
from connectors.http_waits import asked_wait_s
from schemas.actions import Call, Done, Failed

BODY_BYTES_MAX = 10 * 1024 * 1024
"""Largest answer that is read; what is kept of it is bounded again, after `select`."""
EXCERPT_BYTES = 16_384
EXCERPT_CHARS = 300
REDIRECTS_MAX = 5
_KEPT_HEADERS = frozenset(
    {
        "content-type",
        "content-length",
        "content-language",
        "date",
        "etag",
        "last-modified",
        "location",
        "link",
        "retry-after",
    }
)
_KEPT_PREFIXES = ("x-ratelimit-", "x-request-", "x-correlation-", "x-total-", "x-page", "x-next-")


class HttpRequest:
    """The action `http.request`."""

    spec = http_request_spec.SPEC

    def __init__(
        self,
        client: httpx.AsyncClient,
        allowed_hosts: Collection[str] = (),
        body_bytes_max: int = BODY_BYTES_MAX,
    ) -> None:
        """`allowed_hosts`: patterns of `connectors.actions.outbound`; empty: any host."""
        self._client, self._allowed_hosts, self._body_bytes_max = client, allowed_hosts, body_bytes_max

    async def __call__(self, call: Call) -> Done | Failed:
        """One exchange; raises nothing but cancellation."""
        trace = Trace()
        try:
            given = read_arguments(call.arguments)
            request = build_request(self._client, given, call, trace)
        except WrongArguments as error:
            return Failed("bad_input", str(error))
        timeout_s = min(call.timeout_s, given.timeout_s or call.timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchanged(given, request, call)
        except TimeoutError:
            return Failed("timeout", f"{_shown(request)}: no answer within {timeout_s:g} s", trace.has_left)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
            failure = failure_of(error, trace)
            return Failed(failure.kind, f"{_shown(request)}: {failure.message}", failure.may_have_happened)

    async def _exchanged(self, given: HttpArguments, request: httpx.Request, call: Call) -> Done | Failed:
        for _ in range(REDIRECTS_MAX + 1):
            if refusal := self._refusal(request.url, call):
                return Failed("refused", refusal)
            response = await self._client.send(request, stream=True)
            try:
                following = response.next_request
                if following is None or response.status_code in (given.expect or ()):
                    return await self._outcome(given, response, call)
                if not _same_host(request.url, following.url):
                    return Failed(
                        "refused",
                        f"{_shown(request)} answered {response.status_code} to {following.url.host}: "
                        "redirects to another host are not followed",
                        may_have_happened=True,
                    )
            finally:
                await response.aclose()
            request = following
        return Failed("bad_output", f"{_shown(request)}: more than {REDIRECTS_MAX} redirects", True)

    def _refusal(self, url: httpx.URL, call: Call) -> str:
        """Why no request may go there; empty if it may."""
        port = url.port or (443 if url.scheme == "https" else 80)
        if self._allowed_hosts and not fits(url.host, port, self._allowed_hosts):
            return f"{url.host} is not among the allowed hosts (PULSEBOOK_OUTBOUND_HOSTS)"
        if not all(fits(url.host, port, hosts) for hosts in call.secret_hosts):
            return f"a secret of this step is bound to other hosts than {url.host}"
        return ""

    async def _outcome(self, given: HttpArguments, response: httpx.Response, call: Call) -> Done | Failed:
        status = response.status_code
        expected = status in given.expect if given.expect is not None else 200 <= status <= 299
        if not expected:
            return Failed(
                kind_of_status(status),
                f"{_shown(response.request)} answered {status}{await _excerpt(response, call.mask)}",
                # A 4xx says that nothing was done; with 408 the other side may have begun all the same.
                may_have_happened=not 400 <= status <= 499 or status == httpx.codes.REQUEST_TIMEOUT,
                retry_after_s=asked_wait_s(response.headers, time.time()),
            )
        body = await self._body(response)
        if body is None:
            limit = f"more than {self._body_bytes_max} bytes"
            return Failed("too_large", f"{_shown(response.request)} answered with {limit}")
        try:
            value = _value(response, body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            said = f"{_shown(response.request)} answered {status} with JSON that is none: {error}"
            return Failed("bad_output", said, True)
        return Done({"status": status, "headers": _kept(response.headers), "body": value})

    async def _body(self, response: httpx.Response) -> bytes | None:
        """The whole body, or None where it is too large."""
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > self._body_bytes_max:
                return None
        return bytes(data)


def _value(response: httpx.Response, body: bytes) -> Any:
    """JSON where the answer says that it is JSON, text otherwise, None where there is nothing."""
    if not body:
        return None
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json" or content_type.endswith("+json"):
        return msgspec.json.decode(body)
    try:
        return body.decode(response.charset_encoding or "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


async def _excerpt(response: httpx.Response, mask: Callable[[str], str]) -> str:
    """The beginning of a body, on one line, for a message; without secrets, which it may echo."""
    data = b""
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) >= EXCERPT_BYTES:
            break
    text = " ".join(mask(data[:EXCERPT_BYTES].decode("utf-8", "replace")).split())
    return f": {text[:EXCERPT_CHARS]}{'…' if len(text) > EXCERPT_CHARS else ''}" if text else ""


def _kept(headers: httpx.Headers) -> dict[str, str]:
    """The headers that are recorded: never cookies, and no others that may carry a key."""
    return {
        name: value
        for name, value in headers.items()
        if name in _KEPT_HEADERS or name.startswith(_KEPT_PREFIXES)
    }


def _same_host(url: httpx.URL, other: httpx.URL) -> bool:
    """Same host, and the same port or a step from http to https."""
    if url.host != other.host:
        return False
    upgraded = (url.scheme, other.scheme) == ("http", "https") and url.port is None and other.port is None
    return upgraded or (url.scheme, url.port) == (other.scheme, other.port)


def _shown(request: httpx.Request) -> str:
    """Method and URL for a message: without the query, which may hold anything."""
    url = request.url
    port = f":{url.port}" if url.port else ""
    return f"{request.method} {url.scheme}://{url.host}{port}{url.path}"
