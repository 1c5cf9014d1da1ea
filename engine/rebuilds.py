"""Requests to make tables or read models again, of the switches that were applied.

Each process that keeps such rows compares the latest request with what its rows say of themselves. A request
is known by its place in the catalog: a later one has a higher offset, whoever wrote it and by whatever clock.
"""

from dataclasses import dataclass
from typing import Literal

from schemas.catalog import SwitchSet

Kind = Literal["tables", "read-models"]
KINDS: tuple[Kind, ...] = ("tables", "read-models")
REBUILD = "rebuild/"
"""Prefix of the switches `rebuild/tables` and `rebuild/read-models`."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `offset` is its place in the catalog."""

    offset: int
    actor: str
    at_ms: int
    reason: str


class Rebuilds:
    """The latest request of each kind."""

    def __init__(self) -> None:
        self._latest: dict[str, Request] = {}

    def apply(self, offset: int, record: SwitchSet) -> None:
        """Take in a switch of any name. Its value means nothing: that it was set is the request."""
        if record.name.startswith(REBUILD):
            kind = record.name.removeprefix(REBUILD)
            self._latest[kind] = Request(offset, record.actor, record.at_ms, record.reason)

    def latest(self, kind: Kind) -> Request | None:
        """The latest request to make these again; None: nobody ever asked."""
        return self._latest.get(kind)


def switch_of(kind: Kind) -> str:
    """The name of the switch that asks for it."""
    return REBUILD + kind
