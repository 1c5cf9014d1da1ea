"""Datadog's events API, version 1: the one that keeps our source name, and needs the API key alone.

What an event says is decided elsewhere (`engine.posting`); whether to try again, by the caller. Only what
Datadog will never take is refused: 400 and 413. All else passes some day, a wrong key or site too.
"""

import asyncio
import time
from typing import Any

import httpx
import msgspec

from connectors.http_failures import Trace, failure_of
from connectors.http_waits import asked_wait_s
from schemas.posting import EventToPost, Posted, PostLater, PostRefused, PostResult, broken_limit

EVENTS_PATH = "/api/v1/events"
VALIDATE_PATH = "/api/v1/validate"
TIMEOUT_S = 30.0
EXCERPT_CHARS = 300
_FOREVER = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE})


def api_url(site: str) -> str:
    """The address of Datadog's API at a site, such as datadoghq.eu."""
    return f"https://api.{site}"


class DatadogEvents:
    """Posts events to one Datadog organisation, or to the sandbox."""

    def __init__(
        self, client: httpx.AsyncClient, base_url: str, api_key: str, timeout_s: float = TIMEOUT_S
    ) -> None:
        """`base_url`: `api_url(site)`, or the sandbox's address."""
        self._client, self._base_url, self._timeout_s = client, base_url.rstrip("/"), timeout_s
        self._api_key = api_key

    def __repr__(self) -> str:
        return f"DatadogEvents({self._base_url})"

    @property
    def host(self) -> str:
        """The host that posts go to."""
        return httpx.URL(self._base_url).host

    async def post(self, event: EventToPost) -> PostResult:
        """Post one event; one try. Raises nothing but cancellation."""
        if broken := broken_limit(event):
            return PostRefused(0, f"not sent: {broken}")
        try:
            body = msgspec.json.encode(_body(event))
        except UnicodeEncodeError:
            return PostRefused(0, "not sent: its text is not Unicode")
        answer = await self._answer("POST", EVENTS_PATH, body)
        if isinstance(answer, PostLater):
            return answer
        status = answer.status_code
        if 200 <= status <= 299:
            return _posted(answer)
        reason = f"Datadog answered {status}{self._excerpt(answer)}"
        if status in _FOREVER:
            return PostRefused(status, reason)
        # A 5xx may come from something in front of an event store that has the event already.
        unsure = status >= 500 or status == httpx.codes.REQUEST_TIMEOUT
        return PostLater(asked_wait_s(answer.headers, time.time()), reason, status, unsure)

    async def key_problem(self) -> str:
        """Why the API key will not do, for a person; empty when it will."""
        answer = await self._answer("GET", VALIDATE_PATH, None)
        if isinstance(answer, PostLater):
            return f"{self._base_url} cannot be reached: {answer.reason}"
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return f"{self._base_url} does not accept the API key: check the key, and the site it belongs to"
        return "" if answer.is_success else f"{self._base_url} answered {answer.status_code}"

    async def _answer(self, method: str, path: str, body: bytes | None) -> httpx.Response | PostLater:
        """The whole answer, or why there is none."""
        trace = Trace()
        headers = {"DD-API-KEY": self._api_key, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._client.request(
                    method,
                    self._base_url + path,
                    content=body,
                    headers=headers,
                    timeout=self._timeout_s,
                    extensions={"trace": trace},
                )
        except TimeoutError:
            return PostLater(None, f"no answer within {self._timeout_s:g} s", None, trace.has_left)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
            failure = failure_of(error, trace)
            return PostLater(None, self._masked(failure.message), None, failure.may_have_happened)

    def _excerpt(self, answer: httpx.Response) -> str:
        """The beginning of the body, on one line: JSON as any content type, or a proxy's HTML."""
        said = self._masked(answer.content.decode("utf-8", "replace"))
        text = " ".join(said[: 4 * EXCERPT_CHARS].split())
        return f": {text[:EXCERPT_CHARS]}" if text else ""

    def _masked(self, text: str) -> str:
        return text.replace(self._api_key, "***") if self._api_key else text


def _body(event: EventToPost) -> dict[str, Any]:
    """The request's JSON: without what is empty, as Datadog takes an empty aggregation key for one."""
    fields = {
        "title": event.title,
        "text": event.text,
        "tags": list(event.tags),
        "alert_type": event.alert_type,
        "priority": event.priority,
        "host": event.host,
        "aggregation_key": event.aggregation_key,
        "date_happened": event.date_s,
        "source_type_name": event.source_type_name,
    }
    return {name: value for name, value in fields.items() if value not in ("", None)}


def _posted(answer: httpx.Response) -> Posted:
    """What Datadog said it is. It was accepted even where the answer cannot be read."""
    try:
        said = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Posted("")
    event = said.get("event") if isinstance(said, dict) else None
    if not isinstance(event, dict):
        return Posted("")
    event_id, url = event.get("id_str") or event.get("id") or "", event.get("url") or ""
    return Posted(str(event_id), url if isinstance(url, str) else "")
