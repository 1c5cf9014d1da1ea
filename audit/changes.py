"""Every change of the catalog, in words: who, when, what, why.

Pure. A change is told against what held before it, so the catalog is read from its beginning whatever the
period.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never, get_args

import msgspec

from audit.log import Entry
from engine.holds import MUTE, PAUSE, PAUSE_ALL, Muting
from engine.playbook.durations import as_duration
from engine.rebuilds import REBUILD
from schemas.catalog import (
    CatalogChange,
    EndpointSet,
    PlaybookSet,
    RebuildReported,
    RevisionAdded,
    SwitchSet,
    TokenSet,
)
from schemas.errors import MalformedMessage
from schemas.fields import Json
from schemas.json import canonical

KINDS = ("playbook", "revision", "endpoint", "token", "switch", "rebuild")
SHORT_DIGEST = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One record of the catalog. `at_ms`: the broker's time; `said_at_ms`: the writer's own clock."""

    offset: int
    at_ms: int
    said_at_ms: int
    actor: str
    kind: str
    """One of `KINDS`; empty for a record that could not be read."""
    name: str
    what: str
    reason: str


def changes(entries: Iterable[Entry]) -> Iterator[Change]:
    """All changes, in order. `entries`: the catalog's, from its beginning."""
    before: dict[tuple[str, str], CatalogChange] = {}
    for entry in entries:
        record = entry.record
        if isinstance(record, RebuildReported):
            # A read model is whole: it has no partition.
            name = record.table if record.partition < 0 else f"{record.table}/{record.partition}"
            what, actor = _came_to(record), record.actor
            yield Change(entry.offset, entry.at_ms, record.at_ms, actor, "rebuild", name, what, record.reason)
            continue
        if not isinstance(record, get_args(CatalogChange)):
            what = str(record) if isinstance(record, MalformedMessage) else type(record).__name__
            yield Change(entry.offset, entry.at_ms, 0, "", "", "", f"cannot be read as a change: {what}", "")
            continue
        kind, name = _about(record)
        what = _what(record, before.get((kind, name)))
        before[kind, name] = record
        yield Change(entry.offset, entry.at_ms, record.at_ms, record.actor, kind, name, what, record.reason)


def _about(record: CatalogChange) -> tuple[str, str]:
    match record:
        case RevisionAdded():
            return "revision", record.playbook
        case PlaybookSet():
            return "playbook", record.name
        case EndpointSet():
            return "endpoint", record.name
        case TokenSet():
            return "token", record.name
        case SwitchSet():
            if record.name.startswith(REBUILD):
                return "rebuild", record.name.removeprefix(REBUILD)
            return "switch", record.name
        case _:
            assert_never(record)


def _what(record: CatalogChange, before: CatalogChange | None) -> str:
    match record:
        case RevisionAdded():
            return f"revision {record.digest[:SHORT_DIGEST]} added"
        case PlaybookSet():
            return _of_playbook(record, before if isinstance(before, PlaybookSet) else None)
        case EndpointSet():
            return _of_endpoint(record, before if isinstance(before, EndpointSet) else None)
        case TokenSet():
            return _of_token(record, before if isinstance(before, TokenSet) else None)
        case SwitchSet():
            return _of_switch(record, before if isinstance(before, SwitchSet) else None)
        case _:
            assert_never(record)


def _of_playbook(record: PlaybookSet, before: PlaybookSet | None) -> str:
    now = record.digest[:SHORT_DIGEST]
    state = "" if record.enabled else ", disabled"
    if not record.digest:
        return "removed"
    if before is None or not before.digest:
        return f"revision {now} made active{state}"
    told = []
    if before.digest != record.digest:
        told.append(f"revision {before.digest[:SHORT_DIGEST]} replaced by {now}")
    if before.enabled != record.enabled:
        told.append("enabled" if record.enabled else "disabled")
    return ", ".join(told) or "set again, unchanged"


def _of_endpoint(record: EndpointSet, before: EndpointSet | None) -> str:
    if record.deleted:
        return "deleted"
    if before is None or before.deleted:
        return "created"
    if before.token_sha256 == record.token_sha256:
        return "set again, its token unchanged"
    grace_ms = record.old_valid_until_ms - record.at_ms
    if record.old_token_sha256 and grace_ms > 0:
        return f"token rotated, the old one is valid for {as_duration(grace_ms)} more"
    return "token rotated, the old one is refused"


def _of_token(record: TokenSet, before: TokenSet | None) -> str:
    if record.deleted:
        return "deleted"
    if before is None or before.deleted:
        return f"created, role {record.role}"
    told = []
    if before.role != record.role:
        told.append(f"role {before.role} changed to {record.role}")
    if before.token_sha256 != record.token_sha256:
        told.append("a new secret")
    return ", ".join(told) or "set again, unchanged"


def _of_switch(record: SwitchSet, before: SwitchSet | None) -> str:
    name, value = record.name, record.value
    if name.startswith(REBUILD):
        return "asked for"
    if name == PAUSE_ALL or name.startswith(PAUSE):
        return "paused" if value is True else "resumed" if value is False else f"set to {_json(value)}"
    if name.startswith(MUTE) and value is None:
        return "mute deleted"
    if name.startswith(MUTE) and (muted := _muted(value, record.at_ms)):
        return muted
    if before is None or before.value == value:
        return f"set to {_json(value)}"
    return f"changed from {_json(before.value)} to {_json(value)}"


def _muted(value: Json, at_ms: int) -> str:
    """What a mute mutes, and for how long; empty where it is none that can be read."""
    try:
        muting = msgspec.convert(value, Muting)
    except msgspec.ValidationError:
        return ""
    if muting.until_ms <= at_ms:
        return ""
    asks = [f"{key} {' or '.join(values)}" for key, values in muting.tags.items()]
    asks += [f"playbook {' or '.join(muting.playbooks)}"] if muting.playbooks else []
    return f"muted {', '.join(asks) or 'everything'} for {as_duration(muting.until_ms - at_ms)}"


def _came_to(report: RebuildReported) -> str:
    if report.state == "begun":
        return "begun"
    return f"done: {report.rows} rows, {report.differing} differed, {report.kept} kept as they were"


def _json(value: Json) -> str:
    return canonical(value).decode()
