"""/api/v1/playbooks/{name}/rollback: an earlier revision of a playbook becomes the active one again."""

import time
from typing import Annotated, Any

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from console.api.asking import Asked, Body, Given, ReasonText
from console.api.playbooks import held_playbook
from console.applying import Applied, checked, problem_views
from console.parts import Parts
from console.problems import Problem
from console.writing import change_catalog
from schemas.catalog import PlaybookSet

DIGEST_CHARS = 12
"""Of a revision that is shown to people."""


class RollbackBody(Body, frozen=True, kw_only=True):
    """Which revision; none: the one that was active before."""

    to: Annotated[str, msgspec.Meta(max_length=64, description="The beginning of its digest.")] = ""
    reason: ReasonText = ""


@post(
    "/playbooks/{name:str}/rollback",
    status_code=200,
    opt={"role": "admin"},
    summary="Make an earlier revision of a playbook active again",
)
async def rollback(
    parts: Given, request: Asked, name: FromPath[str], data: JSONBody[RollbackBody | None] = None
) -> Applied:
    """Checked like a file that is applied; runs in flight go on with what they pinned."""
    held = held_playbook(parts, name)
    asked = data or RollbackBody()
    digest = _earlier(parts, held, asked.to)
    source = parts.catalog.catalog.revisions[digest].source
    found = await checked(parts, source, f"{name}@{digest[:DIGEST_CHARS]}")
    warnings = problem_views(found.problems)
    if digest == held.digest:
        return Applied(outcome="unchanged", name=name, digest=digest, problems=warnings)
    change = PlaybookSet(
        name=name,
        digest=digest,
        enabled=held.enabled,
        actor=request.user.name,
        at_ms=time.time_ns() // 1_000_000,
        reason=asked.reason or f"rolled back from {held.digest[:DIGEST_CHARS]}",
    )
    await change_catalog(parts, change)
    return Applied(outcome="applied", name=name, digest=digest, problems=warnings)


def _earlier(parts: Parts, held: PlaybookSet, to: str) -> str:
    """The digest that is meant. Raises Problem where there is none, or more than one."""
    earlier = parts.catalog.catalog.earlier(held.name)
    digests = [each.digest for each in earlier]
    known: dict[str, Any] = {"revisions": digests}
    if not to:
        if not earlier:
            raise Problem(409, f"{held.name} has had no other revision", **known)
        return earlier[0].digest
    found = [digest for digest in (held.digest, *digests) if digest.startswith(to)]
    if len(found) != 1:
        short = ", ".join(digest[:DIGEST_CHARS] for digest in found or digests) or "none"
        what = "more than one revision" if found else "no revision"
        raise Problem(422, f"{what} of {held.name} begins with {to}; there are: {short}", **known)
    return found[0]
