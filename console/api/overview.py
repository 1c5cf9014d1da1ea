"""/api/v1/overview: how things stand, in one answer."""

import time
from typing import Any

import msgspec
from litestar import get

from console.api.asking import Given, model_of
from console.holds_view import PauseView, pause_view
from console.read_model.letters import counts
from console.read_model.runs import runs_by_status


class ReadModelView(msgspec.Struct, frozen=True, kw_only=True):
    """How far the read model is. `problem`: why it does not follow; empty while it does."""

    caught_up: bool
    problem: str
    lag_ms: int
    behind: int
    """Records not read yet, when last looked (every 10 s)."""
    since_commit_ms: int | None
    records: int
    unreadable: int
    conflicts: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand."""

    version: str
    at_ms: int
    catalog_ready: bool
    catalog_offset: int
    playbooks: dict[str, int]
    paused: PauseView | None
    """What pauses all playbooks; null: nothing does."""
    mutes: int
    """Mutes in force."""
    endpoints: int
    runs: dict[str, int]
    """By status, of all runs that are kept."""
    alerts: int
    publications: int
    dead_letters: int
    dead_letters_open: int
    """Those that nobody has dealt with."""
    read_model: ReadModelView


@get("/overview", summary="How things stand")
async def overview(parts: Given) -> Overview:
    """Counts of what is kept, and how far this process has read."""
    model = model_of(parts)
    known: dict[str, Any] = await model.query(
        lambda connection: {"runs": runs_by_status(connection), **counts(connection)}
    )
    catalog, state, now_ms = parts.catalog.catalog, model.state, time.time_ns() // 1_000_000
    active = [each for each in catalog.playbooks.values() if each.digest]
    enabled = sum(each.enabled for each in active)
    return Overview(
        version=parts.settings.version,
        at_ms=now_ms,
        catalog_ready=parts.catalog.ready,
        catalog_offset=catalog.offset,
        playbooks={
            "enabled": enabled,
            "disabled": len(active) - enabled,
            "paused": sum(catalog.holds.paused(each.name) is not None for each in active),
        },
        paused=pause_view(catalog.holds.all_paused),
        mutes=sum(each.what.until_ms > now_ms for each in catalog.holds.mutes),
        endpoints=sum(not each.deleted for each in catalog.endpoints.values()),
        **known,
        read_model=ReadModelView(
            caught_up=state.caught_up,
            problem=state.problem or state.unreachable,
            lag_ms=state.lag_ms,
            behind=state.behind,
            since_commit_ms=now_ms - state.committed_at_ms if state.committed_at_ms else None,
            records=state.records,
            unreadable=state.unreadable,
            conflicts=state.conflicts,
        ),
    )
