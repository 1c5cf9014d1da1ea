"""The catalog knows the latest request to make rows again, by its place."""

import pytest

from engine.catalog import Catalog
from engine.rebuilds import KINDS, Kind, Request, switch_of
from schemas.catalog import RebuildReported, SwitchSet


def asked(kind: Kind, reason: str = "") -> SwitchSet:
    return SwitchSet(name=switch_of(kind), value=True, actor="mira", at_ms=5, reason=reason)


@pytest.mark.parametrize("kind", KINDS)
def test_the_latest_request_of_a_kind_is_known_by_its_place(kind: Kind) -> None:
    catalog = Catalog()
    assert catalog.rebuilds.latest(kind) is None
    catalog.apply(3, asked(kind))
    catalog.apply(9, asked(kind, "again"))
    assert catalog.rebuilds.latest(kind) == Request(9, "mira", 5, "again")
    assert [catalog.rebuilds.latest(other) for other in KINDS if other != kind] == [None]


def test_other_switches_and_reports_ask_for_nothing_and_are_no_problem() -> None:
    catalog = Catalog()
    catalog.apply(0, SwitchSet(name="partitions", value=4, actor="mira", at_ms=5))
    catalog.apply(1, RebuildReported(actor="p", at_ms=5, requested_at=0, table="runs", state="done"))
    assert [catalog.rebuilds.latest(kind) for kind in KINDS] == [None, None]
    assert (catalog.problems, catalog.offset) == ((), 2)
