"""Answers that say what went wrong: RFC 9457 problem documents, and nothing of our insides."""

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.plugins.problem_details import ProblemDetailsException

from console.masking import masked_path
from console.paging import BadCursor
from console.read_model.model import ReadModelUnavailable
from console.times import BadTime
from console.writing import NotDurable

log = logging.getLogger("pulsebook.web")

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

TITLES = {
    400: "The request cannot be understood",
    401: "A token is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not possible in the present state",
    413: "Too large",
    422: "The content is not acceptable",
    500: "Internal error",
    503: "Not available at the moment",
}


class Problem(ProblemDetailsException):
    """Raise it to end a request: `status`, a sentence for a person, and more members where they help."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        if status == 503:
            headers = {"Retry-After": str(RETRY_AFTER_S), **(headers or {})}
        super().__init__(
            status_code=status, title=TITLES.get(status), detail=detail, headers=headers, extra=more
        )


def document(status: int, detail: str, **more: Any) -> bytes:
    """A problem document as bytes, for those who answer without the framework."""
    return msgspec.json.encode({"status": status, "title": TITLES.get(status), "detail": detail, **more})


def on_problem(request: Request[Any, Any, Any], error: Problem) -> Response[Any]:
    """Our own."""
    return error.to_response(request)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """The framework's: no such route, wrong method, wrong parameters."""
    status = error.status_code
    if status >= 500:
        return on_unexpected(request, error)
    detail = "there is nothing here" if status == 404 else error.detail
    more: dict[str, Any] = {}
    if isinstance(error.extra, list) and error.extra:
        more["errors"] = error.extra
        detail = "; ".join(_sentence(each) for each in error.extra if isinstance(each, dict)) or detail
    return Problem(status, detail, headers=dict(error.headers or {}), **more).to_response(request)


def on_known_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Errors of this room that have an answer of their own."""
    status = 503 if isinstance(error, ReadModelUnavailable | NotDurable) else 400
    return Problem(status, str(error)).to_response(request)


def on_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A mistake of ours: logged with all we know, answered with nothing of it."""
    log.error("%s %s failed", request.method, masked_path(request.url.path), exc_info=error)
    return Problem(500, "something went wrong here; the log of the web process says what").to_response(
        request
    )


def _sentence(error: dict[str, Any]) -> str:
    return ": ".join(str(error[name]) for name in ("key", "message") if error.get(name))


HANDLERS: dict[Any, Any] = {
    Problem: on_problem,
    HTTPException: on_http_error,
    ReadModelUnavailable: on_known_error,
    NotDurable: on_known_error,
    BadCursor: on_known_error,
    BadTime: on_known_error,
    Exception: on_unexpected,
}
