"""/api/v1/endpoints: named webhook addresses. A token is told once, when it is made; the catalog has its
hash.
"""

import hashlib
import secrets
import time
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from console.api.asking import REASON_MAX, Asked, Body, Given, Name, ReasonText
from console.hooks.accepting import Receipt
from console.hooks.alerts import accept
from console.paging import Page
from console.parts import Parts
from console.problems import Problem
from console.times import duration_ms
from console.writing import change_catalog
from schemas.catalog import EndpointSet

TOKEN_BYTES = 24


class EndpointBody(Body, frozen=True, kw_only=True):
    """An endpoint to be made."""

    name: Name
    reason: ReasonText = ""


class RotateBody(Body, frozen=True, kw_only=True):
    """A new token."""

    keep_old: str = "24h"
    """How long the old one is accepted."""
    reason: ReasonText = ""


class EndpointMade(msgspec.Struct, frozen=True, kw_only=True):
    """Shown once: neither the token nor the URL can be had again."""

    name: str
    token: str
    url: str


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint in a list."""

    name: str
    actor: str
    at_ms: int
    reason: str
    old_valid_until_ms: int | None
    """Until when the token before a rotation is accepted."""


@get("/endpoints", summary="Webhook endpoints, by name")
async def list_all(parts: Given) -> Page[EndpointView]:
    """All of them; there is no next page."""
    held = [each for _, each in sorted(parts.catalog.catalog.endpoints.items()) if not each.deleted]
    return Page(
        items=[
            EndpointView(
                name=each.name,
                actor=each.actor,
                at_ms=each.at_ms,
                reason=each.reason,
                old_valid_until_ms=each.old_valid_until_ms or None,
            )
            for each in held
        ]
    )


@post("/endpoints", status_code=201, opt={"role": "admin"}, summary="Make an endpoint")
async def create(parts: Given, request: Asked, data: JSONBody[EndpointBody]) -> EndpointMade:
    """The URL is shown in this answer and never again."""
    if _find(parts, data.name):
        raise Problem(409, f"there is an endpoint {data.name} already")
    return await _with_new_token(parts, request, data.name, data.reason, "", 0)


@post(
    "/endpoints/{name:str}/rotate",
    status_code=200,
    opt={"role": "admin"},
    summary="Give an endpoint a new token",
)
async def rotate(
    parts: Given, request: Asked, name: FromPath[str], data: JSONBody[RotateBody | None] = None
) -> EndpointMade:
    """The old token is accepted until its grace is over."""
    held = held_endpoint(parts, name)
    asked = data or RotateBody()
    until_ms = _now_ms() + duration_ms(asked.keep_old)
    return await _with_new_token(parts, request, name, asked.reason, held.token_sha256, until_ms)


@delete("/endpoints/{name:str}", status_code=204, opt={"role": "admin"}, summary="Remove an endpoint")
async def remove(
    parts: Given,
    request: Asked,
    name: FromPath[str],
    reason: Annotated[str, QueryParameter(max_length=REASON_MAX)] = "",
) -> None:
    """Its address answers 404 from now on."""
    held_endpoint(parts, name)
    gone = EndpointSet(
        name=name, token_sha256="", deleted=True, actor=request.user.name, at_ms=_now_ms(), reason=reason
    )
    await change_catalog(parts, gone)


@post(
    "/endpoints/{name:str}/alerts",
    status_code=202,
    opt={"role": "operator"},
    summary="Send an alert as this endpoint",
)
async def send_alert(parts: Given, request: Asked, name: FromPath[str]) -> Receipt:
    """The body is what Datadog would send; without a token of the endpoint, for those who may use the API."""
    held_endpoint(parts, name)
    body = await request.body()
    settings = parts.settings
    if len(body) > settings.body_bytes_max:
        raise Problem(413, f"the body is larger than {settings.body_bytes_max} bytes")
    content_type = request.headers.get("content-type", "")
    got = await accept(parts, name, body, content_type, settings.durable_within_s)
    return Receipt(got.alert_id, got.parsed)


def held_endpoint(parts: Parts, name: str) -> EndpointSet:
    """What the catalog holds of an endpoint. Raises Problem 404."""
    held = _find(parts, name)
    if held is None:
        raise Problem(404, f"there is no endpoint {name[:100]}")
    return held


def _find(parts: Parts, name: str) -> EndpointSet | None:
    held = parts.catalog.catalog.endpoints.get(name)
    return held if held and not held.deleted else None


async def _with_new_token(
    parts: Parts, request: Asked, name: str, reason: str, old_sha256: str, old_until_ms: int
) -> EndpointMade:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    change = EndpointSet(
        name=name,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        old_token_sha256=old_sha256,
        old_valid_until_ms=old_until_ms,
        actor=request.user.name,
        at_ms=_now_ms(),
        reason=reason,
    )
    await change_catalog(parts, change)
    base = parts.settings.public_url or str(request.base_url)
    return EndpointMade(name=name, token=token, url=f"{base.rstrip('/')}/hooks/{name}/{token}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
