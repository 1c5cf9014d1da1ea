"""The arguments of `http.request`, read and turned into a request. No connection is made here."""

from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import msgspec

from connectors.actions.http_request_spec import METHODS
from connectors.http_failures import Trace
from schemas.actions import Call

CONNECT_TIMEOUT_S = 10.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Scalar = str | int | float | bool


class WrongArguments(Exception):
    """The arguments are no request; the message says which one and why."""


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base: an unknown name is an error."""


class _Basic(_Strict, frozen=True):
    user: str
    password: str


class _Header(_Strict, frozen=True):
    name: str
    value: str


class _Auth(_Strict, frozen=True):
    bearer: str | None = None
    basic: _Basic | None = None
    header: _Header | None = None


class HttpArguments(_Strict, frozen=True):
    """As in the action's declared inputs."""

    url: str
    method: str = "GET"
    headers: dict[str, Scalar] = {}
    query: dict[str, Scalar | list[Scalar]] = {}
    json: Any = msgspec.UNSET
    body: str | None = None
    form: dict[str, Scalar] | None = None
    auth: _Auth | None = None
    expect: tuple[Annotated[int, msgspec.Meta(ge=100, le=599)], ...] | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0)] | None = None


def read_arguments(arguments: Mapping[str, Any]) -> HttpArguments:
    """The arguments, typed. Raises WrongArguments."""
    try:
        read = msgspec.convert(arguments, HttpArguments)
    except msgspec.ValidationError as error:
        raise WrongArguments(str(error)) from None
    if read.method.upper() not in METHODS:
        raise WrongArguments(f"method is one of {', '.join(METHODS)}")
    if sum((read.json is not msgspec.UNSET, read.body is not None, read.form is not None)) > 1:
        raise WrongArguments("give only one of json, body and form")
    if read.auth is not None and sum(way is not None for way in msgspec.structs.astuple(read.auth)) != 1:
        raise WrongArguments("give auth one of bearer, basic and header")
    return read


def build_request(client: httpx.AsyncClient, given: HttpArguments, call: Call, trace: Trace) -> httpx.Request:
    """The request. Raises WrongArguments where it cannot be one."""
    try:
        request = client.build_request(
            given.method.upper(),
            given.url,
            params={name: _texts(value) for name, value in given.query.items()} or None,
            content=_content(given),
            data=None if given.form is None else {name: _text(value) for name, value in given.form.items()},
            headers=_headers(given, call),
            # The whole exchange has one bound, kept by the caller; only connecting has its own.
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
            extensions={"trace": trace},
        )
    except (httpx.InvalidURL, UnicodeError, TypeError, ValueError) as error:
        raise WrongArguments(f"this is no request: {error}") from None
    if request.url.scheme not in ("http", "https") or not request.url.host:
        raise WrongArguments("url begins with http:// or https:// and a host")
    if request.url.userinfo:
        raise WrongArguments("url holds a user or password: they belong into auth")
    return request


def _headers(given: HttpArguments, call: Call) -> httpx.Headers:
    headers = httpx.Headers({name: _text(value) for name, value in given.headers.items()})
    if given.json is not msgspec.UNSET:
        headers.setdefault("Content-Type", "application/json")
    elif given.body is not None:
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    if given.method.upper() not in SAFE_METHODS:
        headers.setdefault("Idempotency-Key", call.idempotency_key)
    if (auth := given.auth) is not None:
        if auth.bearer is not None:
            headers["Authorization"] = f"Bearer {auth.bearer}"
        elif auth.basic is not None:
            flow = httpx.BasicAuth(auth.basic.user, auth.basic.password)
            signed = next(flow.auth_flow(httpx.Request("GET", "http://localhost")))
            headers["Authorization"] = signed.headers["Authorization"]
        elif auth.header is not None:
            headers[auth.header.name] = auth.header.value
    return headers


def _content(given: HttpArguments) -> bytes | None:
    if given.json is not msgspec.UNSET:
        return msgspec.json.encode(given.json)
    return None if given.body is None else given.body.encode()


def _text(value: Scalar) -> str:
    """A scalar as people write it in URLs and forms."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(value: Scalar | list[Scalar]) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, list) else _text(value)
