"""Answers to webhook calls as they go out: a few fixed headers, a small JSON body."""

from typing import Any

import msgspec
from litestar.types import Send

from console import problems

UNKNOWN = "unknown endpoint or token"
"""One answer for both, so that nobody learns which endpoints there are."""


class Answer(msgspec.Struct, frozen=True):
    """What is sent back. `result`: the label it is counted under."""

    result: str
    status: int
    body: bytes
    media_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


def refusal(result: str, status: int, detail: str, **more: Any) -> Answer:
    """A problem document."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if status == 503:
        headers = ((b"retry-after", str(problems.RETRY_AFTER_S).encode()),)
    elif status == 405:
        headers = ((b"allow", b"POST"),)
    return Answer(
        result, status, problems.document(status, detail, **more), problems.MEDIA_TYPE.encode(), headers
    )


async def respond(send: Send, answer: Answer) -> None:
    """Send it."""
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", answer.media_type),
                (b"content-length", str(len(answer.body)).encode()),
                *answer.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
