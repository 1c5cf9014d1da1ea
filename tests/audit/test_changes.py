"""The catalog's changes, told against what held before."""

from typing import Any

import pytest

from audit.changes import Change, changes
from schemas.catalog import EndpointSet, PlaybookSet, RebuildReported, RevisionAdded, SwitchSet, TokenSet
from schemas.fields import Record
from schemas.topics import CATALOG
from tests.audit.entries import FIRST_MS, entries_of

BY: dict[str, Any] = {"actor": "mira", "at_ms": 5_000, "reason": "INC-7"}
OLD, NEW = "a" * 64, "b" * 64


def told(*records: Record | bytes) -> list[Change]:
    return list(changes(entries_of(CATALOG, records)))


def playbook(digest: str, enabled: bool = True) -> PlaybookSet:
    return PlaybookSet(**BY, name="disk-full", digest=digest, enabled=enabled)


def endpoint(token: str, **more: Any) -> EndpointSet:
    return EndpointSet(**BY, name="prod", token_sha256=token, **more)


def token(secret: str, role: Any = "viewer", deleted: bool = False) -> TokenSet:
    return TokenSet(**BY, name="ci", token_sha256=secret, role=role, deleted=deleted)


def switch(name: str, value: Any) -> SwitchSet:
    return SwitchSet(**BY, name=name, value=value)


def test_a_change_says_where_it_lies_when_who_what_and_why() -> None:
    change = told(RevisionAdded(**BY, digest=NEW, playbook="disk-full", canonical="{}", source=""))[0]
    assert change == Change(
        offset=0,
        at_ms=FIRST_MS,
        said_at_ms=5_000,
        actor="mira",
        kind="revision",
        name="disk-full",
        what="revision bbbbbbbbbbbb added",
        reason="INC-7",
    )


@pytest.mark.parametrize(
    ("records", "what"),
    [
        ([playbook(OLD)], "revision aaaaaaaaaaaa made active"),
        ([playbook(OLD, enabled=False)], "revision aaaaaaaaaaaa made active, disabled"),
        ([playbook(OLD), playbook(NEW)], "revision aaaaaaaaaaaa replaced by bbbbbbbbbbbb"),
        ([playbook(OLD), playbook(OLD, enabled=False)], "disabled"),
        ([playbook(OLD, enabled=False), playbook(OLD)], "enabled"),
        (
            [playbook(OLD), playbook(NEW, enabled=False)],
            "revision aaaaaaaaaaaa replaced by bbbbbbbbbbbb, disabled",
        ),
        ([playbook(OLD), playbook(OLD)], "set again, unchanged"),
        ([playbook(OLD), playbook("")], "removed"),
        ([playbook(OLD), playbook(""), playbook(OLD)], "revision aaaaaaaaaaaa made active"),
        ([endpoint(OLD)], "created"),
        ([endpoint(OLD), endpoint(NEW)], "token rotated, the old one is refused"),
        (
            [endpoint(OLD), endpoint(NEW, old_token_sha256=OLD, old_valid_until_ms=86_405_000)],
            "token rotated, the old one is valid for 1d more",
        ),
        ([endpoint(OLD), endpoint(OLD)], "set again, its token unchanged"),
        ([endpoint(OLD), endpoint("", deleted=True)], "deleted"),
        ([endpoint(OLD), endpoint("", deleted=True), endpoint(NEW)], "created"),
        ([token(OLD)], "created, role viewer"),
        ([token(OLD), token(OLD, "admin")], "role viewer changed to admin"),
        ([token(OLD), token(NEW, "admin")], "role viewer changed to admin, a new secret"),
        ([token(OLD), token(OLD)], "set again, unchanged"),
        ([token(OLD), token("", deleted=True)], "deleted"),
        ([token(OLD), token("", deleted=True), token(NEW, "owner")], "created, role owner"),
        ([switch("partitions", 4)], "set to 4"),
        ([switch("partitions", 4), switch("partitions", 8)], "changed from 4 to 8"),
        ([switch("partitions", 4), switch("partitions", 4)], "set to 4"),
        ([switch("pause", True)], "paused"),
        ([switch("pause/disk-full", True), switch("pause/disk-full", False)], "resumed"),
        ([switch("pause", "yes")], 'set to "yes"'),
        (
            [switch("mute/x", {"until_ms": 1, "tags": {"env": ["dev"]}})],
            'set to {"tags":{"env":["dev"]},"until_ms":1}',
        ),
        (
            [switch("mute/x", {"until_ms": 7_205_000, "tags": {"env": ["dev", "qa"], "team": ["a"]}})],
            "muted env dev or qa, team a for 2h",
        ),
        (
            [switch("mute/x", {"until_ms": 65_000, "playbooks": ["disk-full"]})],
            "muted playbook disk-full for 1m",
        ),
        ([switch("mute/x", {"until_ms": "soon"})], 'set to {"until_ms":"soon"}'),
        ([switch("mute/x", {"until_ms": 1}), switch("mute/x", None)], "mute deleted"),
    ],
)
def test_a_change_is_told_against_what_held_before(records: list[Record], what: str) -> None:
    assert told(*records)[-1].what == what


def test_what_one_name_had_says_nothing_about_another_kind_of_that_name() -> None:
    found = told(token(OLD), EndpointSet(**BY, name="ci", token_sha256=OLD))
    assert [one.what for one in found] == ["created, role viewer", "created"]


def test_a_record_that_is_no_change_is_listed_and_stops_nothing() -> None:
    found = told(b"garbage", playbook(OLD))
    assert [one.kind for one in found] == ["", "playbook"]
    assert found[0].what.startswith("cannot be read as a change: not in Avro single-object encoding")


def test_no_hash_of_a_token_is_told() -> None:
    assert all(OLD not in str(one) for one in told(token(OLD), endpoint(OLD)))


def test_a_rebuild_is_told_from_its_request_on_with_who_asked_and_why() -> None:
    report: dict[str, Any] = {
        "actor": "web-a",
        "requested_at": 1,
        "at_ms": 6_000,
        "rows": 3,
        "differing": 0,
        "kept": 0,
    }
    found = told(
        switch("rebuild/read-models", True),
        RebuildReported(table="read-model", partition=-1, state="done", **report),
        RebuildReported(table="runs", partition=0, state="begun", **report),
    )
    assert [(one.kind, one.name, one.actor, one.what) for one in found] == [
        ("rebuild", "read-models", "mira", "asked for"),
        ("rebuild", "read-model", "web-a", "done: 3 rows, 0 differed, 0 kept as they were"),
        ("rebuild", "runs/0", "web-a", "begun"),
    ]
    assert found[0].reason == "INC-7"
