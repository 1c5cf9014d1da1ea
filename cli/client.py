"""The command line's way to a running Pulsebook: its HTTP API at PULSEBOOK_URL, with PULSEBOOK_TOKEN.

Every refusal becomes one sentence and an exit code here; nobody else handles HTTP errors.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import quote

import httpx

from cli.composing import load_settings
from cli.output import ANSWER_IS_NO, CANNOT_REACH, WRONG_USE, fail

TIMEOUT_S = 30.0


def base_url() -> str:
    """Where the API is."""
    return load_settings().url.rstrip("/")


def at(*parts: str) -> str:
    """The path of the API that these parts make; what a person typed stays one part.

    Ends the command where one of them is empty or dots: that would be another path.
    """
    if not all(part.strip(".") for part in parts):
        fail("a name or an id is empty", WRONG_USE)
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


def headers() -> dict[str, str]:
    """What every request says of who asks."""
    token = load_settings().token
    return {"Authorization": f"Bearer {token.reveal()}"} if token else {}


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

    Ends the command with a sentence on any refusal, but for the statuses in `allow`: their answer is
    returned.
    """
    sent = headers() | ({"Content-Type": content_type} if content is not None else {})
    try:
        answer = httpx.request(
            method,
            base_url() + path,
            json=body,
            params={name: value for name, value in (query or {}).items() if value is not None},
            content=content,
            headers=sent,
            timeout=TIMEOUT_S,
            trust_env=False,
            verify=base_url().startswith("https:"),  # the authorities take time to load
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(unreachable(error), CANNOT_REACH)
    if not answer.is_success and answer.status_code not in allow:
        fail(*refusal(answer))
    try:
        return answer.json() if answer.content else None
    except ValueError:
        not_pulsebook()


def not_pulsebook() -> NoReturn:
    """End the command: something answers, but as no Pulsebook does."""
    fail(f"what answers at {base_url()} is not Pulsebook; set PULSEBOOK_URL", CANNOT_REACH)


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
        text = str(problem.get("detail") or problem["title"])
    except (ValueError, AttributeError, TypeError, KeyError):
        if answer.status_code in (404, 405):
            not_pulsebook()
        text = f"HTTP {answer.status_code}: {answer.text[:300]}"
    match answer.status_code:
        case 401 | 403:
            return f"{text} (set PULSEBOOK_TOKEN to a token with the needed role)", WRONG_USE
        case 400 | 413 | 422:
            return text, WRONG_USE
        case 502 | 503 | 504:
            return text, CANNOT_REACH
        case _:
            return text, ANSWER_IS_NO


def pages(path: str, query: Mapping[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    """The items of a paged list, up to `limit`."""
    cursor: str | None = None
    left = limit
    while left > 0:
        page = call("GET", path, query={**query, "limit": min(left, 200), "cursor": cursor})
        if not isinstance(page, dict) or "items" not in page:
            not_pulsebook()
        yield from page["items"][:left]
        left -= len(page["items"])
        cursor = page.get("next")
        if not cursor or not page["items"]:
            return
