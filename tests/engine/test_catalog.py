from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.catalog import PROBLEMS_MAX, Catalog
from engine.playbook.canonical import canonical_json
from engine.playbook.model import Playbook
from schemas.catalog import EndpointSet, PlaybookSet, RevisionAdded, SwitchSet, TokenSet
from schemas.errors import MalformedMessage, SchemasError
from schemas.fields import Record
from schemas.ids import digest
from schemas.inbox import TimerFired

BY: dict[str, Any] = {"actor": "mira", "at_ms": 1_000}


def added(name: str, description: str = "") -> RevisionAdded:
    text = canonical_json(Playbook(name=name, description=description))
    return RevisionAdded(
        **BY, digest=digest(text), playbook=name, canonical=text, source=f"playbook: {name}\n"
    )


def given_records(*records: Record | SchemasError) -> Catalog:
    catalog = Catalog()
    for offset, record in enumerate(records):
        catalog.apply(offset, record)
    return catalog


def activated(revision: RevisionAdded, enabled: bool = True) -> PlaybookSet:
    return PlaybookSet(**BY, name=revision.playbook, digest=revision.digest, enabled=enabled)


def an_endpoint(token: str, **more: Any) -> EndpointSet:
    return EndpointSet(**BY, name="prod", token_sha256=digest(token), **more)


DISK, LATENCY = added("disk-full"), added("checkout-latency")


def names(catalog: Catalog) -> list[str]:
    return [one.playbook.name for one in catalog.active()]


def test_an_activated_revision_is_active_under_its_name() -> None:
    catalog = given_records(DISK, activated(DISK))
    (compiled,) = catalog.active()
    assert (compiled.playbook.name, compiled.digest) == ("disk-full", DISK.digest)
    assert catalog.compiled(DISK.digest) is compiled
    assert catalog.offset == 2


def test_the_active_playbooks_come_by_name_whatever_their_order_in_the_log() -> None:
    catalog = given_records(DISK, LATENCY, activated(DISK), activated(LATENCY))
    assert names(catalog) == ["checkout-latency", "disk-full"]


def test_a_revision_that_nobody_activated_is_known_and_not_active() -> None:
    catalog = given_records(DISK)
    assert catalog.active() == []
    assert catalog.revisions[DISK.digest] == DISK
    assert catalog.compiled(DISK.digest) is not None


def test_a_disabled_or_removed_playbook_is_not_active_and_its_revision_stays() -> None:
    disabled = given_records(DISK, activated(DISK), activated(DISK, enabled=False))
    removed = given_records(DISK, activated(DISK), PlaybookSet(**BY, name="disk-full", digest=""))
    assert disabled.active() == removed.active() == []
    assert disabled.compiled(DISK.digest) and removed.compiled(DISK.digest)
    assert removed.problems == ()


def test_the_latest_revision_of_a_name_holds() -> None:
    newer = added("disk-full", "better")
    catalog = given_records(DISK, activated(DISK), newer, activated(newer))
    assert [one.digest for one in catalog.active()] == [newer.digest]
    assert catalog.playbooks["disk-full"].digest == newer.digest


def test_the_list_of_active_playbooks_is_the_same_object_until_one_changes() -> None:
    catalog = given_records(DISK, activated(DISK))
    before = catalog.active()
    catalog.apply(2, an_endpoint("t"))
    assert catalog.active() is before
    catalog.apply(3, activated(DISK, enabled=False))
    assert catalog.active() == []
    assert names(given_records(DISK, activated(DISK))) == ["disk-full"]


def test_a_record_that_was_applied_already_changes_nothing() -> None:
    catalog = given_records(DISK, activated(DISK))
    catalog.apply(0, activated(DISK, enabled=False))
    assert names(catalog) == ["disk-full"]
    assert catalog.offset == 2


def test_gaps_in_the_log_count_as_known() -> None:
    catalog = given_records(DISK)
    catalog.passed(7)
    catalog.passed(3)
    assert catalog.offset == 7
    catalog.apply(9, activated(DISK))
    assert catalog.offset == 10


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (msgspec.structs.replace(DISK, canonical="{}"), "another digest"),
        (msgspec.structs.replace(DISK, canonical="{", digest=digest("{")), None),
        (msgspec.structs.replace(DISK, canonical='{"name":1}', digest=digest('{"name":1}')), None),
    ],
)
def test_a_broken_revision_is_a_problem_and_the_rest_goes_on(
    broken: RevisionAdded, reason: str | None
) -> None:
    catalog = given_records(broken, activated(broken), LATENCY, activated(LATENCY))
    assert names(catalog) == ["checkout-latency"]
    assert catalog.compiled(broken.digest) is None
    assert catalog.problems[-1].about == "playbook/disk-full"
    assert reason is None or reason in catalog.problems[0].reason


def test_a_playbook_whose_revision_comes_later_is_active_from_then_on() -> None:
    catalog = given_records(activated(DISK))
    assert catalog.active() == []
    assert "is not known" in catalog.problems[0].reason
    catalog.apply(1, DISK)
    assert names(catalog) == ["disk-full"]


def test_what_could_not_be_read_or_is_no_change_is_a_problem_with_its_offset() -> None:
    catalog = given_records(MalformedMessage("garbage"), TimerFired(row="r", timer="t", due_ms=1))
    assert [(one.offset, one.about) for one in catalog.problems] == [(0, "record"), (1, "record")]
    assert catalog.problems[0].reason == "garbage"
    assert catalog.offset == 2


def test_only_the_latest_problems_are_kept() -> None:
    catalog = given_records(*[MalformedMessage("garbage")] * (PROBLEMS_MAX + 5))
    assert len(catalog.problems) == PROBLEMS_MAX
    assert catalog.problems[0].offset == 5


def test_an_endpoint_is_opened_by_its_token_only() -> None:
    catalog = given_records(an_endpoint("right"))
    assert catalog.endpoint_for("prod", "right", now_ms=0)
    assert not catalog.endpoint_for("prod", "wrong", now_ms=0)
    assert not catalog.endpoint_for("other", "right", now_ms=0)
    assert not catalog.endpoint_for("prod", "", now_ms=0)
    assert not catalog.endpoint_for("other", "", now_ms=0)


def test_a_rotated_token_is_good_until_its_grace_is_over() -> None:
    catalog = given_records(an_endpoint("new", old_token_sha256=digest("old"), old_valid_until_ms=5_000))
    assert catalog.endpoint_for("prod", "new", now_ms=9_000)
    assert catalog.endpoint_for("prod", "old", now_ms=4_999)
    assert not catalog.endpoint_for("prod", "old", now_ms=5_000)


def test_an_empty_token_opens_nothing_even_where_no_old_token_is_kept() -> None:
    catalog = given_records(an_endpoint("new", old_valid_until_ms=5_000))
    assert not catalog.endpoint_for("prod", "", now_ms=0)


def test_a_deleted_endpoint_is_opened_by_nothing_and_can_come_back() -> None:
    catalog = given_records(an_endpoint("a"), an_endpoint("a", deleted=True))
    assert not catalog.endpoint_for("prod", "a", now_ms=0)
    catalog.apply(2, an_endpoint("b"))
    assert catalog.endpoint_for("prod", "b", now_ms=0)


def test_a_token_has_a_name_and_a_role_until_it_is_deleted() -> None:
    ci = TokenSet(**BY, name="ci", token_sha256=digest("s3cret"), role="operator")
    catalog = given_records(ci, TokenSet(**BY, name="me", token_sha256=digest("mine"), role="owner"))
    assert catalog.token_role("s3cret") == ("ci", "operator")
    assert catalog.token_role("mine") == ("me", "owner")
    assert catalog.token_role("wrong") is None
    catalog.apply(2, msgspec.structs.replace(ci, deleted=True))
    assert catalog.token_role("s3cret") is None


@given(st.text())
def test_any_text_may_be_tried_as_a_token(token: str) -> None:
    odd = TokenSet(**BY, name="odd", token_sha256="é", role="viewer")
    assert given_records(odd).token_role(token + "\ud800") is None
    assert not given_records(an_endpoint("right")).endpoint_for("prod", token, now_ms=0)


def test_a_switch_has_its_latest_value() -> None:
    catalog = given_records(
        SwitchSet(**BY, name="partitions", value=4), SwitchSet(**BY, name="partitions", value=12)
    )
    assert catalog.switch("partitions") == 12
    assert catalog.switches["partitions"].value == 12
    assert catalog.switch("other", otherwise=1) == 1


def test_what_the_catalog_holds_cannot_be_changed_from_outside() -> None:
    catalog = given_records(DISK)
    revisions: Any = catalog.revisions
    with pytest.raises(TypeError):
        revisions[DISK.digest] = LATENCY


CHANGES: list[Record | SchemasError] = [
    DISK,
    LATENCY,
    activated(DISK),
    activated(DISK, enabled=False),
    PlaybookSet(**BY, name="disk-full", digest=""),
    activated(LATENCY),
    an_endpoint("a"),
    an_endpoint("a", deleted=True),
    MalformedMessage("garbage"),
    msgspec.structs.replace(DISK, canonical="{"),
]


@given(st.lists(st.sampled_from(CHANGES)), st.integers(0, 10))
def test_reading_again_from_any_place_ends_in_the_same_catalog(
    records: list[Record | SchemasError], again_from: int
) -> None:
    once = given_records(*records)
    twice = given_records(*records)
    for offset in range(again_from, len(records)):
        twice.apply(offset, records[offset])
    assert names(once) == names(twice)
    assert (once.offset, once.problems, dict(once.playbooks)) == (
        twice.offset,
        twice.problems,
        dict(twice.playbooks),
    )
