"""How pauses and mutes are shown: who set them, when, why, until when."""

import msgspec

from engine.holds import PAUSE_ALL, Mute
from schemas.admissions import Hold


class PauseView(msgspec.Struct, frozen=True, kw_only=True):
    """A pause in force."""

    everything: bool
    """It is that of all playbooks."""
    actor: str
    at_ms: int
    reason: str


class MuteView(msgspec.Struct, frozen=True, kw_only=True):
    """A mute in force. Empty tags or playbooks: all."""

    name: str
    tags: dict[str, list[str]]
    """An alert has every one of them, with one of its values."""
    playbooks: list[str]
    until_ms: int
    actor: str
    at_ms: int
    reason: str


def pause_view(hold: Hold | None) -> PauseView | None:
    """A pause; None: there is none."""
    if hold is None:
        return None
    everything = hold.name == PAUSE_ALL
    return PauseView(everything=everything, actor=hold.actor, at_ms=hold.at_ms, reason=hold.reason)


def mute_view(mute: Mute) -> MuteView:
    """A mute."""
    return MuteView(
        name=mute.name,
        tags={key: list(values) for key, values in mute.what.tags.items()},
        playbooks=list(mute.what.playbooks),
        until_ms=mute.what.until_ms,
        actor=mute.hold.actor,
        at_ms=mute.hold.at_ms,
        reason=mute.hold.reason,
    )
