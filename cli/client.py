"""The command line's way to a running Pulsebook: its HTTP API at PULSEBOOK_URL, with PULSEBOOK_TOKEN.

Every refusal becomes one sentence and an exit code here; nobody else handles HTTP errors.
"""

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE, fail

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT_S = 30.0


def base_url() -> str:
    """Where the API is."""
    return os.environ.get("PULSEBOOK_URL", DEFAULT_URL).rstrip("/")


def _headers() -> dict[str, str]:
    token = os.environ.get("PULSEBOOK_TOKEN", "")
    return {"Authorization": f"Bearer {token}"} if token else {}


def call(
    method: str,
    path: str,
    *,
    body: Any = None,
    query: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    content_type: str = "application/json",
    allow: tuple[int, ...] = (),
) -> Any:
    """One call of the API; the JSON answer, or None where there is none.

    Ends the command with a sentence on any refusal, but for the statuses in `allow`, whose answer is returned.
    """
    url = base_url() + path
    headers = _headers()
    if content is not None:
        headers["Content-Type"] = content_type
    params = {name: value for name, value in (query or {}).items() if value is not None}
    try:
        answer = httpx.request(
            method,
            url,
            json=body,
            params=params,
            content=content,
            headers=headers,
            timeout=TIMEOUT_S,
            trust_env=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(unreachable(error), CANNOT_REACH)
    if answer.is_success or answer.status_code in allow:
        return answer.json() if answer.content else None
    fail(*refusal(answer))


def unreachable(error: Exception) -> str:
    """One sentence for an API that does not answer."""
    return (
        f"cannot reach Pulsebook at {base_url()}: {error or type(error).__name__}. "
        "Is it running (`pulsebook up`)? Another address: set PULSEBOOK_URL."
    )


def refusal(answer: httpx.Response) -> tuple[str, int]:
    """What a refused call says, and the exit code for it."""
    try:
        problem = answer.json()
        text = problem.get("detail") or problem.get("title") or answer.text
    except (ValueError, AttributeError):
        text = f"HTTP {answer.status_code}: {answer.text[:300]}"
    match answer.status_code:
        case 401 | 403:
            return f"{text} (set PULSEBOOK_TOKEN to a token with the needed role)", WRONG_USE
        case 400 | 422:
            return text, WRONG_USE
        case 503 | 502 | 504:
            return text, CANNOT_REACH
        case _:
            return text, ANSWER_IS_NO


def pages(path: str, query: Mapping[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    """The items of a paged list, up to `limit`."""
    cursor: str | None = None
    left = limit
    while left > 0:
        page = call("GET", path, query={**query, "limit": min(left, 200), "cursor": cursor})
        yield from page["items"][:left]
        left -= len(page["items"])
        cursor = page.get("next")
        if not cursor or not page["items"]:
            return


def events(path: str) -> Iterator[tuple[str, Any]]:
    """Server-Sent Events of a stream: (event name, data) until the server ends it."""
    try:
        with httpx.stream(
            "GET", base_url() + path, headers=_headers(), timeout=None, trust_env=False
        ) as answer:  # noqa: S113  # a stream has no end of its own
            if not answer.is_success:
                answer.read()
                fail(*refusal(answer))
            name, data = "message", ""
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    data += line[5:].strip()
                elif not line and data:
                    yield name, json.loads(data)
                    name, data = "message", ""
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(unreachable(error), CANNOT_REACH)
