"""The catalog as a fold over its topic: revisions, active playbooks, endpoints, tokens, switches.

Applying a record never fails: what makes no sense is kept among the problems, with its offset, and the rest
goes on. Reading the topic is `connectors.catalog_reader`; when a playbook may start is `engine.admission`.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, assert_never

import msgspec

from engine.catalog_past import Past
from engine.holds import Holds
from engine.matching_index import AlertIndex, Offered
from engine.playbook.canonical import from_canonical
from engine.playbook.compiled import Compiled
from engine.rebuilds import Rebuilds
from schemas.catalog import (
    CatalogChange,
    EndpointSet,
    PlaybookSet,
    RebuildReported,
    RevisionAdded,
    Role,
    SwitchSet,
    TokenSet,
)
from schemas.errors import SchemasError
from schemas.fields import Record
from schemas.ids import digest

PROBLEMS_MAX = 1_000
"""The latest problems are kept; there is no use in more."""
_NO_HASH = digest("")
"""Stands in where there is nothing to compare with, so that the answer takes as long."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that could not be applied as it is."""

    offset: int
    about: str
    """`revision/DIGEST`, `playbook/NAME`, or `record`."""
    reason: str


class Catalog:
    """What the catalog says before `offset`. The same records in the same order give the same catalog."""

    def __init__(self) -> None:
        self._offset = 0
        self._revisions: dict[str, RevisionAdded] = {}
        self._playbooks: dict[str, PlaybookSet] = {}
        self._earlier: dict[str, dict[str, PlaybookSet]] = {}
        self._endpoints: dict[str, EndpointSet] = {}
        self._tokens: dict[str, TokenSet] = {}
        self._switches: dict[str, SwitchSet] = {}
        self._holds = Holds()
        self._past = Past()
        self._rebuilds = Rebuilds()
        self._problems: list[Problem] = []
        self._compiled: dict[str, Compiled | str] = {}
        self._active: list[Compiled] | None = None
        self._alert_index: AlertIndex | None = None

    @property
    def offset(self) -> int:
        """The next offset: everything before it is known."""
        return self._offset

    @property
    def revisions(self) -> Mapping[str, RevisionAdded]:
        """Digest to revision, also those that cannot be compiled."""
        return MappingProxyType(self._revisions)

    @property
    def playbooks(self) -> Mapping[str, PlaybookSet]:
        """Name to what holds for it; its digest is empty once it was removed."""
        return MappingProxyType(self._playbooks)

    def earlier(self, name: str) -> tuple[PlaybookSet, ...]:
        """What made each other revision of a playbook active, the latest first; none twice."""
        active = self._playbooks[name].digest if name in self._playbooks else ""
        held = reversed(self._earlier.get(name, {}).values())
        return tuple(each for each in held if each.digest != active)

    @property
    def endpoints(self) -> Mapping[str, EndpointSet]:
        """Name to endpoint, deleted ones included."""
        return MappingProxyType(self._endpoints)

    @property
    def tokens(self) -> Mapping[str, TokenSet]:
        """Name to token, deleted ones included."""
        return MappingProxyType(self._tokens)

    @property
    def switches(self) -> Mapping[str, SwitchSet]:
        """Name to the latest change of that switch."""
        return MappingProxyType(self._switches)

    @property
    def holds(self) -> Holds:
        """Pauses and mutes: those of its switches."""
        return self._holds

    @property
    def past(self) -> Past:
        """Its playbooks as they were at earlier offsets."""
        return self._past

    @property
    def rebuilds(self) -> Rebuilds:
        """Requests to make rows again: those of its switches."""
        return self._rebuilds

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be applied, oldest first."""
        return tuple(self._problems)

    def apply(self, offset: int, record: Record | SchemasError) -> None:
        """Fold in the record at `offset`, or why it could not be read. A known offset changes nothing."""
        if offset < self._offset:
            return
        self._offset = offset + 1
        match record:
            case RevisionAdded() | PlaybookSet() | EndpointSet() | TokenSet() | SwitchSet():
                self._change(offset, record)
            case RebuildReported():
                pass  # for who asked, and for the record
            case SchemasError():
                self._problem(offset, "record", str(record))
            case _:
                self._problem(offset, "record", f"a {type(record).__name__} is no change of the catalog")

    def passed(self, offset: int) -> None:
        """There is nothing before `offset` that was not applied: gaps in the log count as known."""
        self._offset = max(self._offset, offset)

    def active(self) -> list[Compiled]:
        """The playbooks that may start: enabled, not removed, and readable; by name.

        The same list until one of them changes; not to be changed by others.
        """
        if self._active is None:
            held = (self._playbooks[name] for name in sorted(self._playbooks))
            found = (self.compiled(one.digest) for one in held if one.enabled and one.digest)
            self._active = [one for one in found if one is not None]
        return self._active

    @property
    def alert_index(self) -> AlertIndex:
        """Every playbook that was not removed, by name, disabled ones too. The same until one changes."""
        if self._alert_index is None:
            held = ((name, self._playbooks[name]) for name in sorted(self._playbooks))
            self._alert_index = AlertIndex(
                Offered(name, one.digest, self.compiled(one.digest), one.enabled)
                for name, one in held
                if one.digest
            )
        return self._alert_index

    def compiled(self, revision: str) -> Compiled | None:
        """The playbook of a revision; None where there is none or it cannot be read."""
        found = self._compile(revision)
        return found if isinstance(found, Compiled) else None

    def endpoint_for(self, name: str, token: str, now_ms: int) -> bool:
        """Whether that token opens that endpoint. Takes as long for any wrong name or token."""
        hashed = digest(token)
        held = self._endpoints.get(name)
        alive = held is not None and not held.deleted
        in_grace = held is not None and bool(held.old_token_sha256) and now_ms < held.old_valid_until_ms
        now = _equal(hashed, held.token_sha256 if held else _NO_HASH)
        before = _equal(hashed, held.old_token_sha256 if held and held.old_token_sha256 else _NO_HASH)
        return alive and (now or (before and in_grace))

    def token_role(self, token: str) -> tuple[str, Role] | None:
        """Name and role of an API token; None for an unknown or deleted one. Compares with every token."""
        hashed = digest(token)
        found: tuple[str, Role] | None = None
        for held in self._tokens.values():
            if _equal(hashed, held.token_sha256) and not held.deleted:
                found = held.name, held.role
        return found

    def switch(self, name: str, otherwise: Any = None) -> Any:
        """The value of a switch."""
        held = self._switches.get(name)
        return otherwise if held is None else held.value

    def _change(self, offset: int, record: CatalogChange) -> None:
        match record:
            case RevisionAdded():
                if digest(record.canonical) != record.digest:
                    self._problem(offset, f"revision/{record.digest}", "its content has another digest")
                elif record.digest not in self._revisions:
                    self._revisions[record.digest] = record
                    self._past.revision_added(offset, record)
                    self._compiled.pop(record.digest, None)
                    self._active = self._alert_index = None
            case PlaybookSet():
                before = self._playbooks.get(record.name)
                self._playbooks[record.name] = record
                if record.digest and (before is None or before.digest != record.digest):
                    earlier = self._earlier.setdefault(record.name, {})
                    earlier.pop(record.digest, None)
                    earlier[record.digest] = record
                self._past.playbook_set(offset, record)
                self._active = self._alert_index = None
                found = self._compile(record.digest) if record.digest else ""
                if isinstance(found, str) and found:
                    self._problem(offset, f"playbook/{record.name}", found)
            case EndpointSet():
                self._endpoints[record.name] = record
            case TokenSet():
                self._tokens[record.name] = record
            case SwitchSet():
                self._switches[record.name] = record
                self._rebuilds.apply(offset, record)
                if problem := self._holds.apply(record):
                    self._problem(offset, f"switch/{record.name}", problem)
            case _:
                assert_never(record)

    def _compile(self, revision: str) -> Compiled | str:
        """The compiled revision, or why there is none."""
        if revision not in self._compiled:
            held = self._revisions.get(revision)
            if held is None:
                return f"its revision {revision[:12]} is not known"
            self._compiled[revision] = compiled_of(held)
        return self._compiled[revision]

    def _problem(self, offset: int, about: str, reason: str) -> None:
        self._problems.append(Problem(offset, about, reason))
        del self._problems[:-PROBLEMS_MAX]


def compiled_of(added: RevisionAdded) -> Compiled | str:
    """The compiled revision, or why there is none."""
    try:
        return Compiled(from_canonical(added.canonical), added.digest)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"its revision {added.digest[:12]} cannot be read: {error}"


def _equal(one: str, other: str) -> bool:
    """In constant time, also for text that is no hash."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
