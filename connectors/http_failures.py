"""What a failed HTTP exchange means: httpx's exceptions and HTTP statuses as failure kinds.

Whether a request may have had its effect is told by how far it got (`Trace`), not by the exception's name.
A test compares the table with httpx's classes, so that none is forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from schemas.inbox import FailureKind

FAILURES: Mapping[type[Exception], tuple[FailureKind, str]] = {
    httpx.ConnectTimeout: ("unreachable", "no connection in time"),
    httpx.ReadTimeout: ("timeout", "no answer in time"),
    httpx.WriteTimeout: ("timeout", "the request could not be sent in time"),
    httpx.PoolTimeout: ("unreachable", "no connection was free in time"),
    httpx.ConnectError: ("unreachable", "no connection"),
    httpx.ReadError: ("unreachable", "the connection broke while the answer was read"),
    httpx.WriteError: ("unreachable", "the connection broke while the request was sent"),
    httpx.CloseError: ("unreachable", "the connection could not be closed"),
    httpx.ProxyError: ("unreachable", "the proxy refused"),
    httpx.RemoteProtocolError: ("bad_output", "the answer is not HTTP"),
    httpx.LocalProtocolError: ("bad_input", "the request is not HTTP"),
    httpx.UnsupportedProtocol: ("bad_input", "the URL is not http or https"),
    httpx.InvalidURL: ("bad_input", "the URL is not valid"),
    httpx.CookieConflict: ("bad_output", "the answer's cookies contradict each other"),
    httpx.DecodingError: ("bad_output", "the answer's compression is damaged"),
    httpx.TooManyRedirects: ("bad_output", "too many redirects"),
    httpx.HTTPStatusError: ("bad_output", "an unexpected status"),
    httpx.StreamConsumed: ("internal", "the body was read twice"),
    httpx.StreamClosed: ("internal", "the body was read after its end"),
    httpx.ResponseNotRead: ("internal", "the answer was not read"),
    httpx.RequestNotRead: ("internal", "the request was not read"),
}
"""Every concrete exception of httpx: failure kind and a sentence."""

_CUT_OFF = ("server disconnected", "peer closed connection", "connection closed")
"""How httpx words a connection that ended too early, as opposed to an answer that is garbage."""


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """A failed exchange. `may_have_happened`: the request had begun to leave."""

    kind: FailureKind
    message: str
    may_have_happened: bool


class Trace:
    """Hears from httpx how far a request got; one for each request."""

    def __init__(self) -> None:
        self.has_left = False
        """The request has begun to leave: the other side may have received it."""

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.has_left = True


def failure_of(error: Exception, trace: Trace) -> HttpFailure:
    """What an exception of httpx means. Raises it again where it is none of httpx's."""
    for known in type(error).__mro__:
        if known in FAILURES:
            kind, sentence = FAILURES[known]
            break
    else:
        raise error
    detail = str(error).strip()
    if kind == "bad_output" and detail.lower().startswith(_CUT_OFF):
        kind, sentence = "unreachable", "the connection was closed before the answer was complete"
    return HttpFailure(kind, f"{sentence} ({detail or type(error).__name__})", trace.has_left)


def kind_of_status(status: int) -> FailureKind:
    """The failure kind of an unexpected status."""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return "rate_limited"
    if status == httpx.codes.REQUEST_TIMEOUT:
        return "timeout"
    if status >= 500:
        return "http_5xx"
    return "http_4xx" if status >= 400 else "bad_output"
