"""/api/v1/pause, resume, mutes, and those of one playbook: hold starts back. Every change is a record in the
catalog; what follows from it is `engine.admission`.
"""

import base64
import secrets
import time
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from console.api.asking import REASON_MAX, Asked, Body, Given, Reason, ReasonText
from console.api.playbooks import PlaybookSummary, held_playbook, summary_of
from console.holds_view import MuteView, PauseView, mute_view, pause_view
from console.paging import Page
from console.parts import Parts
from console.problems import Problem
from console.times import duration_ms
from console.writing import change_catalog
from engine.holds import MUTE, PAUSE, PAUSE_ALL, Muting, muting_value
from engine.playbook.durations import as_duration
from schemas.catalog import SwitchSet

FOR_MS_MIN, FOR_MS_MAX = 1_000, 31 * 86_400_000
Some = Annotated[str, msgspec.Meta(max_length=200)]
TagKey = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
TagValues = Annotated[tuple[Some, ...], msgspec.Meta(min_length=1, max_length=100)]
Tags = Annotated[dict[TagKey, TagValues], msgspec.Meta(max_length=50)]


class MuteBody(Body, frozen=True, kw_only=True):
    """A mute to be added: which alerts, and for how long."""

    tags: Annotated[
        Tags, msgspec.Meta(description="An alert has every one of them, with one of its values.")
    ] = msgspec.field(default_factory=dict)
    playbooks: Annotated[
        tuple[Some, ...], msgspec.Meta(max_length=100, description="Only what starts these; empty: all.")
    ] = ()
    for_: Annotated[str, msgspec.Meta(description="2h, 30m, 7d.")] = msgspec.field(name="for")
    reason: ReasonText = ""


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    """What is paused now."""

    everything: PauseView | None
    playbooks: list[str]
    """Playbooks with a pause of their own."""


@post("/pause", status_code=200, opt={"role": "operator"}, summary="Let nothing new start")
async def pause_all(parts: Given, request: Asked, data: JSONBody[Reason | None] = None) -> Paused:
    """Alerts that match are recorded as held back; runs in flight go on."""
    await _pause(parts, request, PAUSE_ALL, data, True)
    return _paused(parts)


@post("/resume", status_code=200, opt={"role": "operator"}, summary="Lift the pause of all playbooks")
async def resume_all(parts: Given, request: Asked, data: JSONBody[Reason | None] = None) -> Paused:
    """Playbooks with a pause of their own stay paused."""
    await _pause(parts, request, PAUSE_ALL, data, False)
    return _paused(parts)


@post(
    "/playbooks/{name:str}/pause",
    status_code=200,
    opt={"role": "operator"},
    summary="Let a playbook start nothing new for a while",
)
async def pause(
    parts: Given, request: Asked, name: FromPath[str], data: JSONBody[Reason | None] = None
) -> PlaybookSummary:
    """Alerts that match it are recorded as held back; what waits in its queue goes on waiting."""
    held = held_playbook(parts, name)
    await _pause(parts, request, PAUSE + name, data, True)
    return summary_of(parts.catalog.catalog, held)


@post(
    "/playbooks/{name:str}/resume",
    status_code=200,
    opt={"role": "operator"},
    summary="Lift the pause of a playbook",
)
async def resume(
    parts: Given, request: Asked, name: FromPath[str], data: JSONBody[Reason | None] = None
) -> PlaybookSummary:
    """While all playbooks are paused, so is this one: `paused` says so."""
    held = held_playbook(parts, name)
    await _pause(parts, request, PAUSE + name, data, False)
    return summary_of(parts.catalog.catalog, held)


@get("/mutes", summary="Mutes in force, the one that ends last first")
async def mutes(parts: Given) -> Page[MuteView]:
    """All of them; there is no next page."""
    now_ms = _now_ms()
    held = parts.catalog.catalog.holds.mutes
    return Page(items=[mute_view(each) for each in held if each.what.until_ms > now_ms])


@post("/mutes", status_code=201, opt={"role": "operator"}, summary="Mute alerts for a time")
async def add_mute(parts: Given, request: Asked, data: JSONBody[MuteBody]) -> MuteView:
    """Alerts with these tags start nothing, and are recorded as held back."""
    if not data.tags and not data.playbooks:
        raise Problem(422, "say which alerts: give tags, playbooks, or both (`pause` is for everything)")
    for_ms = duration_ms(data.for_)
    if not FOR_MS_MIN <= for_ms <= FOR_MS_MAX:
        least, most = as_duration(FOR_MS_MIN), as_duration(FOR_MS_MAX)
        raise Problem(422, f"`for` is {data.for_}, out of range ({least} to {most})")
    for playbook in data.playbooks:
        held_playbook(parts, playbook)
    what = Muting(tags=data.tags, playbooks=data.playbooks, until_ms=_now_ms() + for_ms)
    name = "m-" + base64.b32encode(secrets.token_bytes(5)).decode().lower()
    await _set(parts, request, MUTE + name, muting_value(what), data.reason)
    return next(mute_view(each) for each in parts.catalog.catalog.holds.mutes if each.name == name)


@delete("/mutes/{name:str}", status_code=204, opt={"role": "operator"}, summary="End a mute now")
async def delete_mute(
    parts: Given,
    request: Asked,
    name: FromPath[str],
    reason: Annotated[str, QueryParameter(max_length=REASON_MAX)] = "",
) -> None:
    """What it held back is not made up for."""
    if name not in {each.name for each in parts.catalog.catalog.holds.mutes}:
        raise Problem(404, f"there is no mute {name[:100]}")
    await _set(parts, request, MUTE + name, None, reason)


async def _pause(parts: Parts, request: Asked, switch: str, data: Reason | None, paused: bool) -> None:
    """Set or lift it, unless it is so already: whoever paused first stays the one who did."""
    if bool(parts.catalog.catalog.switch(switch, False)) != paused:
        await _set(parts, request, switch, paused, data.reason if data else "")


async def _set(parts: Parts, request: Asked, switch: str, value: Any, reason: str) -> None:
    change = SwitchSet(name=switch, value=value, actor=request.user.name, at_ms=_now_ms(), reason=reason)
    await change_catalog(parts, change)


def _paused(parts: Parts) -> Paused:
    holds = parts.catalog.catalog.holds
    return Paused(everything=pause_view(holds.all_paused), playbooks=holds.paused_alone)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
