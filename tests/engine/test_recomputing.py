"""Why an alert did not fit the playbooks that nobody looked at."""

from engine.catalog import Catalog
from engine.matching import LOOKED_MAX, matched_records
from engine.matching_clauses import Facts
from engine.playbook.canonical import canonical_json
from engine.playbook.model import Playbook
from engine.recomputing import looked_again, ruled_out
from schemas.catalog import PlaybookSet, RevisionAdded
from schemas.decisions import Looked
from schemas.ids import digest
from tests.engine.alert.builders import an_alert
from tests.engine.test_matching_records import CAUSE, STEPS, a_catalog, a_playbook, matched, received


def again(catalog: Catalog, before: int, looked: set[str], **alert: str) -> dict[str, Looked]:
    facts = Facts(an_alert(**alert))
    found = ruled_out(catalog, before, looked)
    return {name: looked_again(facts, catalog, before, held) for name, held in found.items()}


def with_set(catalog: Catalog, book: Playbook, *, enabled: bool = True, revision: bool = True) -> int:
    """Another state of a playbook at the end of the catalog; the offset before which it holds."""
    text = canonical_json(book)
    if revision:
        added = RevisionAdded(
            actor="a", at_ms=1, digest=digest(text), playbook=book.name, canonical=text, source=""
        )
        catalog.apply(catalog.offset, added)
    set_ = PlaybookSet(actor="a", at_ms=1, name=book.name, digest=digest(text), enabled=enabled)
    catalog.apply(catalog.offset, set_)
    return catalog.offset


def test_every_playbook_that_was_only_counted_gets_its_clause() -> None:
    far = [a_playbook(f"far-{at:03}", monitor=(str(at),), kind=("other",)) for at in range(LOOKED_MAX + 1)]
    catalog = a_catalog(*far, a_playbook("restart"), Playbook(name="called", steps=STEPS))
    decision = matched(matched_records(received(an_alert()), CAUSE, catalog))
    assert len(decision.looked) + decision.ruled_out == LOOKED_MAX + 3

    found = again(catalog, decision.catalog_offset, {one.playbook for one in decision.looked})

    assert len(found) == decision.ruled_out
    assert {one.clause for name, one in found.items() if name.startswith("far-")} == {"kind"}
    assert found["far-007"].detail == "wanted kind other, alert has query_alert_monitor"
    assert (found["called"].clause, found["called"].matched) == ("on", False)
    assert "no alert starts it" in found["called"].detail


def test_the_catalog_counts_as_it_was_then_not_as_it_is_now() -> None:
    catalog = a_catalog(a_playbook("restart", kind=("other",)))
    then = catalog.offset
    now = with_set(catalog, a_playbook("restart", monitor=("1",)))

    assert again(catalog, then, set())["restart"].clause == "kind"
    assert again(catalog, now, set())["restart"].clause == "monitor"


def test_what_came_later_was_not_there_and_what_was_removed_later_was() -> None:
    catalog = a_catalog(a_playbook("first"))
    then = catalog.offset
    with_set(catalog, a_playbook("second"))
    catalog.apply(catalog.offset, PlaybookSet(actor="a", at_ms=1, name="first", digest=""))

    assert list(again(catalog, then, set())) == ["first"]
    assert list(again(catalog, catalog.offset, set())) == ["second"]
    assert again(catalog, 0, set()) == {}


def test_one_that_was_disabled_then_is_so_told_also_when_it_is_enabled_now() -> None:
    catalog = a_catalog()
    then = with_set(catalog, a_playbook("restart"), enabled=False)
    now = with_set(catalog, a_playbook("restart"))

    assert again(catalog, then, set())["restart"].clause == "disabled"
    assert again(catalog, now, set())["restart"].matched


def test_a_revision_that_was_not_known_yet_could_not_be_read() -> None:
    catalog = a_catalog()
    then = with_set(catalog, a_playbook("restart"), revision=False)
    now = with_set(catalog, a_playbook("restart"))

    assert again(catalog, then, set())["restart"].clause == "revision"
    assert again(catalog, now, set())["restart"].matched
