"""/api/v1/tokens: API tokens with a role. A token is told once; the catalog has its hash."""

import hashlib
import secrets
import time
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from console.access import ROLES
from console.api.asking import REASON_MAX, Asked, Body, Given, Name, ReasonText
from console.paging import Page
from console.parts import Parts
from console.problems import Problem
from console.writing import change_catalog
from schemas.catalog import Role, TokenSet

PREFIX = "pb_"
"""Starts every token, so that scanners for leaked secrets can know them."""
TOKEN_BYTES = 32
RESERVED = frozenset({"local", "owner"})
"""Actors that are no tokens."""


class TokenBody(Body, frozen=True, kw_only=True):
    """A token to be made."""

    name: Name
    role: Role
    reason: ReasonText = ""


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """Shown once."""

    name: str
    role: Role
    token: str


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token in a list, without its value."""

    name: str
    role: Role
    actor: str
    at_ms: int
    reason: str


@get("/tokens", opt={"role": "admin"}, summary="API tokens, by name")
async def list_all(parts: Given) -> Page[TokenView]:
    """All of them; there is no next page."""
    held = [each for _, each in sorted(parts.catalog.catalog.tokens.items()) if not each.deleted]
    return Page(
        items=[
            TokenView(name=each.name, role=each.role, actor=each.actor, at_ms=each.at_ms, reason=each.reason)
            for each in held
        ]
    )


@post("/tokens", status_code=201, opt={"role": "admin"}, summary="Make an API token")
async def create(parts: Given, request: Asked, data: JSONBody[TokenBody]) -> TokenMade:
    """Nobody can make a token that may do more than they may themselves."""
    if data.name in RESERVED or _find(parts, data.name):
        raise Problem(409, f"there is a token {data.name} already")
    _refuse_above(request, data.role)
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    change = TokenSet(
        name=data.name,
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        role=data.role,
        actor=request.user.name,
        at_ms=time.time_ns() // 1_000_000,
        reason=data.reason,
    )
    await change_catalog(parts, change)
    return TokenMade(name=data.name, role=data.role, token=token)


@delete("/tokens/{name:str}", status_code=204, opt={"role": "admin"}, summary="Remove an API token")
async def remove(
    parts: Given,
    request: Asked,
    name: FromPath[str],
    reason: Annotated[str, QueryParameter(max_length=REASON_MAX)] = "",
) -> None:
    """It is refused from now on."""
    held = _find(parts, name)
    if held is None:
        raise Problem(404, f"there is no token {name[:100]}")
    _refuse_above(request, held.role)
    gone = TokenSet(
        name=name,
        token_sha256="",
        role=held.role,
        deleted=True,
        actor=request.user.name,
        at_ms=time.time_ns() // 1_000_000,
        reason=reason,
    )
    await change_catalog(parts, gone)


def _find(parts: Parts, name: str) -> TokenSet | None:
    held = parts.catalog.catalog.tokens.get(name)
    return held if held and not held.deleted else None


def _refuse_above(request: Asked, role: Role) -> None:
    if ROLES.index(role) > ROLES.index(request.user.role):
        raise Problem(
            403, f"{request.user.name} is {request.user.role} and cannot make or remove a token of {role}"
        )
