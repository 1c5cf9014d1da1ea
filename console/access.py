"""Who asks, and whether they may: bearer tokens with a role, or, on loopback, everybody on this machine."""

import base64
import binascii
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from console.parts import Parts
from console.problems import Problem
from schemas.catalog import Role

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin", "owner")
"""Each may do what those before it may."""
BASIC = 'Basic realm="Pulsebook: any name, a token as password", charset="UTF-8"'
NOT_READY = "the catalog has not been read to its end yet; try again shortly"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is the actor in every record the request writes."""

    name: str
    role: Role


ANSWERS_BY_DEFAULT: tuple[str, ...] = ("operator",)
"""Who answers a question that does not say so itself."""
Connection = ASGIConnection[Any, Any, Any, Any]


def check(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of the API: sets the request's user, or raises Problem 401, 403 or 503. A handler's role:
    `opt`.
    """
    parts: Parts = connection.app.state.parts
    principal = _principal(connection, parts, bearer(connection.headers.get("authorization", "")))
    needed: Role = handler.opt.get("role", "viewer")
    if ROLES.index(principal.role) < ROLES.index(needed):
        raise Problem(403, f"this needs the role {needed}; {principal.name} is {principal.role}")
    connection.scope["user"] = principal


def check_page(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard of pages, for viewers: as `check`, and the token may be the password of HTTP Basic.

    A browser that follows a link can send nothing else. Only pages that read take it, so that no page
    elsewhere can use a browser's memory of it to change anything.
    """
    parts: Parts = connection.app.state.parts
    value = connection.headers.get("authorization", "")
    try:
        _principal(connection, parts, bearer(value) or _password(value))
    except Problem as problem:
        if problem.status_code == 401:
            raise Problem(
                401, "this page needs a token of Pulsebook", {"WWW-Authenticate": BASIC}
            ) from problem
        raise


def is_among(principal: Principal, by: tuple[str, ...]) -> bool:
    """Whether one of these words means the principal: a role that it has, or a higher one has; or its name.

    A word that is a role is never a name: nobody gets in by calling a token `admin`.
    """
    rank = ROLES.index(principal.role)
    return any(ROLES.index(word) <= rank if word in ROLES else word == principal.name for word in by)


def wait_for_catalog(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard of what reads or changes the catalog: raises Problem 503 until it has been read to its end."""
    parts: Parts = connection.app.state.parts
    if not parts.catalog.ready:
        raise Problem(503, NOT_READY)


def bearer(value: str) -> str:
    """The token of an Authorization header; empty where there is none."""
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _password(value: str) -> str:
    """The password of an Authorization header of HTTP Basic; empty where there is none."""
    kind, _, encoded = value.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _principal(connection: Connection, parts: Parts, token: str) -> Principal:
    if not parts.settings.auth:
        _refuse_strangers(connection)
        return Principal("local", "owner")
    if not token:
        raise Problem(401, "send a token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
    hashed = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    owner = parts.settings.owner_token_sha256
    if owner and hmac.compare_digest(hashed, owner.lower()):
        return Principal("owner", "owner")
    if not parts.catalog.ready:
        raise Problem(503, NOT_READY)
    found = parts.catalog.catalog.token_role(token)
    if not found:
        raise Problem(401, "the token is not known", {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return Principal(*found)


def _refuse_strangers(connection: Connection) -> None:
    """Without tokens, only this machine, and no web page that a browser on it happens to show.

    A page elsewhere can make a browser send requests here: its Origin gives it away, or, where it had its own
    name point to 127.0.0.1, the Host.
    """
    host = connection.headers.get("host", "")
    origin = connection.headers.get("origin")
    client = connection.client
    if not _is_loopback(_name(host)) or (origin is not None and urlsplit(origin).netloc != host):
        raise Problem(403, "without tokens (auth is off) this is for this machine only; open it as 127.0.0.1")
    if client and not _is_loopback(client.host):
        raise Problem(403, "without tokens (auth is off) only this machine may ask")


def _name(host: str) -> str:
    """The name or address in a Host header."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
