"""What operators hold starts back with: pauses of a playbook or of all, and mutes, as the catalog's switches.

A pause ends when somebody lifts it, a mute at its time. What a hold does to a start is `engine.admission`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.matching_clauses import Facts
from schemas.admissions import Hold
from schemas.alerts import Alert
from schemas.catalog import SwitchSet

PAUSE_ALL = "pause"
PAUSE = "pause/"
MUTE = "mute/"
"""Names of switches, the last two before a playbook's name and a mute's."""


class Muting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The value of a mute's switch. Empty: asks nothing. `until_ms`: epoch ms."""

    tags: dict[str, tuple[str, ...]] = {}
    """As in `on.alert`: every key must be there with one of its values."""
    playbooks: tuple[str, ...] = ()
    until_ms: int


class Mute(msgspec.Struct, frozen=True):
    """A mute: which alerts, and the hold that they meet."""

    what: Muting
    hold: Hold

    @property
    def name(self) -> str:
        """Its own name, without that of its kind."""
        return self.hold.name.removeprefix(MUTE)


class Holds:
    """Pauses and mutes in force, of the switches that were applied."""

    def __init__(self) -> None:
        self._pauses: dict[str, Hold] = {}
        self._mutes: tuple[Mute, ...] = ()

    def branched(self) -> "Holds":
        """The same holds, to go on from without changing these."""
        other = Holds()
        other._pauses, other._mutes = dict(self._pauses), self._mutes
        return other

    @property
    def all_paused(self) -> Hold | None:
        """The pause of all playbooks."""
        return self._pauses.get(PAUSE_ALL)

    @property
    def paused_alone(self) -> list[str]:
        """Playbooks with a pause of their own, sorted."""
        return sorted(name.removeprefix(PAUSE) for name in self._pauses if name != PAUSE_ALL)

    @property
    def mutes(self) -> tuple[Mute, ...]:
        """Those that nobody deleted, also those that are over; the one that ends last is the first."""
        return self._mutes

    def apply(self, record: SwitchSet) -> str:
        """Take in a switch of any name. What is wrong with it; "" if nothing is."""
        name = record.name
        if name == PAUSE_ALL or name.startswith(PAUSE):
            if not isinstance(record.value, bool):
                return "a pause is true or false"
            self._pauses.pop(name, None)
            if record.value:
                self._pauses[name] = _hold(record)
        elif name.startswith(MUTE):
            others = tuple(mute for mute in self._mutes if mute.hold.name != name)
            try:
                what = None if record.value is None else msgspec.convert(record.value, Muting)
            except msgspec.ValidationError as error:
                return f"this is no mute: {error}"
            mutes = others if what is None else (*others, Mute(what, _hold(record, what.until_ms)))
            self._mutes = tuple(sorted(mutes, key=lambda mute: (-mute.what.until_ms, mute.hold.name)))
        return ""

    def paused(self, playbook: str) -> Hold | None:
        """What pauses a playbook: its own pause, else that of all."""
        return self._pauses.get(PAUSE + playbook) or self._pauses.get(PAUSE_ALL)

    def muted(self, alert: Alert, playbook: str, at_ms: int) -> Hold | None:
        """Of the mutes that fit an alert that came then, the one that ends last."""
        tags: Mapping[str, tuple[str, ...]] | None = None
        for mute in self._mutes:
            if mute.what.until_ms <= at_ms:  # and so are all that follow
                return None
            tags = Facts(alert).tags if tags is None else tags
            if _fits(mute.what, playbook, tags):
                return mute.hold
        return None


def muting_value(what: Muting) -> Any:
    """The value of its switch, as plain JSON."""
    return msgspec.to_builtins(what)


def _fits(what: Muting, playbook: str, tags: Mapping[str, tuple[str, ...]]) -> bool:
    if what.playbooks and playbook not in what.playbooks:
        return False
    return all(any(value in wanted for value in tags.get(key, ())) for key, wanted in what.tags.items())


def _hold(record: SwitchSet, until_ms: int | None = None) -> Hold:
    return Hold(
        name=record.name, actor=record.actor, at_ms=record.at_ms, reason=record.reason, until_ms=until_ms
    )
