"""/api/v1/playbooks: list, show, apply, diff, enable, disable, remove. Every change is a record in the
catalog.
"""

import time
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from console.api.asking import REASON_MAX, Asked, Body, Given, Reason, ReasonText
from console.applying import Applied, apply, checked, problem_views, unified
from console.holds_view import PauseView, pause_view
from console.paging import Page
from console.parts import Parts
from console.problems import Problem
from console.writing import change_catalog
from engine.catalog import Catalog
from schemas.catalog import PlaybookSet


class ApplyBody(Body, frozen=True, kw_only=True):
    """A playbook file."""

    source: Annotated[str, msgspec.Meta(description="The YAML text.")]
    file: Annotated[str, msgspec.Meta(max_length=1_000, description="Its name, for messages.")] = (
        "playbook.yaml"
    )
    reason: ReasonText = ""


class PlaybookSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook in a list. `digest`: its active revision."""

    name: str
    enabled: bool
    digest: str
    description: str
    owner: str
    labels: dict[str, str]
    actor: str
    """Who changed it last."""
    at_ms: int
    reason: str
    paused: PauseView | None = None
    """What pauses it; null: nothing does."""


class EarlierView(msgspec.Struct, frozen=True, kw_only=True):
    """A revision that was active before: when it last became so, by whom, why."""

    digest: str
    actor: str
    at_ms: int
    reason: str


class PlaybookView(PlaybookSummary, frozen=True, kw_only=True):
    """A playbook with its text as it was applied."""

    source: str
    playbook: Any
    """The playbook as it was understood, defaults filled in."""
    earlier: list[EarlierView]
    """Its other revisions, the latest first: `rollback` takes the first of them."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What applying a file would change. `outcome`: new, changed or unchanged."""

    outcome: str
    name: str
    digest: str
    diff: str
    problems: list[dict[str, Any]]


@get("/playbooks", summary="Active playbooks, by name")
async def list_all(parts: Given) -> Page[PlaybookSummary]:
    """All of them; there is no next page."""
    catalog = parts.catalog.catalog
    held = (each for _, each in sorted(catalog.playbooks.items()) if each.digest)
    return Page(items=[summary_of(catalog, each) for each in held])


@get("/playbooks/{name:str}", summary="A playbook as it was applied")
async def show(parts: Given, name: FromPath[str]) -> PlaybookView:
    """The active revision."""
    catalog = parts.catalog.catalog
    held = held_playbook(parts, name)
    book = catalog.compiled(held.digest)
    if book is None:
        raise Problem(404, f"the revision of {name} is not readable by this version")
    playbook = msgspec.to_builtins(book.playbook)
    return PlaybookView(
        **_summary(catalog, held),
        source=catalog.revisions[held.digest].source,
        playbook=playbook,
        earlier=[
            EarlierView(digest=each.digest, actor=each.actor, at_ms=each.at_ms, reason=each.reason)
            for each in catalog.earlier(name)
        ],
    )


@post("/playbooks", status_code=200, opt={"role": "admin"}, summary="Make a playbook active")
async def apply_one(parts: Given, request: Asked, data: JSONBody[ApplyBody]) -> Applied:
    """Checked first: with an error nothing changes, and the answer is 422 with all problems."""
    found = await checked(parts, data.source, data.file)
    return await apply(parts, found, data.source, request.user.name, data.reason)


@post(
    "/playbooks/diff",
    status_code=200,
    opt={"role": "viewer"},
    summary="What applying a playbook would change",
)
async def diff(parts: Given, data: JSONBody[ApplyBody]) -> Difference:
    """Changes nothing."""
    found = await checked(parts, data.source, data.file)
    catalog = parts.catalog.catalog
    held = catalog.playbooks.get(found.playbook.name)
    old = catalog.revisions[held.digest].source if held and held.digest else None
    same = held is not None and held.digest == found.digest
    return Difference(
        outcome="unchanged" if same else "new" if old is None else "changed",
        name=found.playbook.name,
        digest=found.digest,
        diff="" if same else unified(old or "", data.source, found.playbook.name, data.file),
        problems=problem_views(found.problems),
    )


@post(
    "/playbooks/{name:str}/enable",
    status_code=200,
    opt={"role": "operator"},
    summary="Let a playbook start again",
)
async def enable(
    parts: Given, request: Asked, name: FromPath[str], data: JSONBody[Reason | None] = None
) -> PlaybookSummary:
    """Alerts may start it from now on."""
    return await _switch(parts, request, name, data, True)


@post(
    "/playbooks/{name:str}/disable",
    status_code=200,
    opt={"role": "operator"},
    summary="Let a playbook start nothing new",
)
async def disable(
    parts: Given, request: Asked, name: FromPath[str], data: JSONBody[Reason | None] = None
) -> PlaybookSummary:
    """Alerts are recorded as not matched: it is disabled; runs in flight go on."""
    return await _switch(parts, request, name, data, False)


@delete("/playbooks/{name:str}", status_code=204, opt={"role": "admin"}, summary="Remove a playbook")
async def remove(
    parts: Given,
    request: Asked,
    name: FromPath[str],
    reason: Annotated[str, QueryParameter(max_length=REASON_MAX)] = "",
) -> None:
    """Its revisions stay, and runs in flight go on."""
    held = held_playbook(parts, name)
    gone = PlaybookSet(
        name=name, digest="", enabled=held.enabled, actor=request.user.name, at_ms=_now_ms(), reason=reason
    )
    await change_catalog(parts, gone)


def held_playbook(parts: Parts, name: str) -> PlaybookSet:
    """What the catalog holds of a playbook. Raises Problem 404."""
    held = parts.catalog.catalog.playbooks.get(name)
    if held is None or not held.digest:
        raise Problem(404, f"there is no playbook {name[:100]}")
    return held


async def _switch(
    parts: Parts, request: Asked, name: str, data: Reason | None, enabled: bool
) -> PlaybookSummary:
    held = held_playbook(parts, name)
    if held.enabled != enabled:
        change = PlaybookSet(
            name=name,
            digest=held.digest,
            enabled=enabled,
            actor=request.user.name,
            at_ms=_now_ms(),
            reason=data.reason if data else "",
        )
        await change_catalog(parts, change)
        held = change
    return summary_of(parts.catalog.catalog, held)


def summary_of(catalog: Catalog, held: PlaybookSet) -> PlaybookSummary:
    """A playbook in a list."""
    return PlaybookSummary(**_summary(catalog, held))


def _summary(catalog: Catalog, held: PlaybookSet) -> dict[str, Any]:
    book = catalog.compiled(held.digest)
    return {
        "name": held.name,
        "enabled": held.enabled,
        "digest": held.digest,
        "description": book.playbook.description if book else "",
        "owner": book.playbook.owner if book else "",
        "labels": book.playbook.labels if book else {},
        "actor": held.actor,
        "at_ms": held.at_ms,
        "reason": held.reason,
        "paused": pause_view(catalog.holds.paused(held.name)),
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
