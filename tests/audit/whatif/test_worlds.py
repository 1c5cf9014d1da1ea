"""The two catalogs: what differs, and what is linked with it."""

from typing import Any

import pytest

from audit.whatif.worlds import NotApplicable, worlds
from engine.catalog import Catalog
from engine.playbook.canonical import digest
from engine.playbook.model import Playbook
from tests.audit.whatif.history import active_records, playbook


def a_book(name: str, runs: str = "", message: str = "x") -> Playbook:
    step = (
        f"{{id: call, run: {runs}}}" if runs else "{id: note, action: log, with: {message: " + message + "}}"
    )
    return playbook(f"playbook: {name}\non: {{alert: {{}}, call: {{}}}}\nsteps: [{step}]\n")


def now(*books: Playbook, **more: Any) -> Catalog:
    catalog = Catalog()
    for offset, record in enumerate(active_records(books, **more)):
        catalog.apply(offset, record)
    return catalog


def test_each_takes_the_place_of_its_name_and_the_others_stay() -> None:
    both = worlds(now(a_book("a"), a_book("b")), [a_book("a", message="y"), a_book("c")])
    assert dict(both.standing) == {"a": "changed", "b": "same", "c": "new"}
    assert both.looked_at == {"a", "c"}
    assert both.active.playbooks.keys() == {"a"}
    assert both.wanted.playbooks.keys() == {"a", "c"}
    assert both.wanted.playbooks["a"].digest == digest(a_book("a", message="y"))


def test_pruned_ones_are_gone() -> None:
    both = worlds(now(a_book("a"), a_book("b")), [a_book("a")], prune=True)
    assert dict(both.standing) == {"a": "same", "b": "gone"}
    assert both.looked_at == {"b"}


def test_what_runs_a_changed_one_and_what_that_runs_is_looked_at_too() -> None:
    active = now(a_book("top", "middle"), a_book("middle", "low"), a_book("low"), a_book("else"))
    for changed in ("low", "middle"):
        both = worlds(active, [a_book(changed, "low" if changed == "middle" else "", "y")])
        assert both.looked_at == (frozenset() if changed == "middle" else {"top", "middle", "low"})
    assert worlds(active, [a_book("middle")]).looked_at == {"top", "middle", "low"}
    assert worlds(active, [a_book("else", "low")]).looked_at == {"top", "middle", "low", "else"}


def test_a_disabled_one_stays_disabled_and_pauses_and_mutes_are_in_neither() -> None:
    both = worlds(now(a_book("a"), disabled=["a"]), [a_book("a", message="y")])
    assert [world.playbooks["a"].enabled for world in (both.active, both.wanted)] == [False, False]
    assert both.wanted.holds.all_paused is None


def test_a_circle_with_an_active_one_is_refused_as_apply_would_refuse_it() -> None:
    with pytest.raises(NotApplicable, match="call each other in a circle: a → b → a"):
        worlds(now(a_book("a"), a_book("b", "a")), [a_book("a", "b")])


def test_one_that_was_removed_before_is_new() -> None:
    assert worlds(now(), [a_book("a")]).standing == {"a": "new"}
