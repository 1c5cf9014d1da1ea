"""Pauses and mutes as the catalog's switches."""

from typing import Any

import pytest

from engine.catalog import Catalog
from engine.holds import Holds, Muting, muting_value
from schemas.catalog import SwitchSet
from tests.engine.alert.builders import an_alert

ALERT = an_alert(tag_list=("service:checkout", "env:prod", "env:eu", "urgent"))
NOW_MS = 1_000


def switch(name: str, value: Any, **fields: Any) -> SwitchSet:
    return SwitchSet(**{"name": name, "value": value, "actor": "mira", "at_ms": 5, "reason": "why"} | fields)


def holds(*switches: SwitchSet) -> Holds:
    made = Holds()
    assert [made.apply(one) for one in switches] == [""] * len(switches)
    return made


def mute(name: str, until_ms: int = 9_000, **what: Any) -> SwitchSet:
    return switch(f"mute/{name}", muting_value(Muting(until_ms=until_ms, **what)))


def test_a_playbooks_own_pause_counts_before_that_of_all_and_both_can_be_lifted() -> None:
    both = [switch("pause", True), switch("pause/a", True, actor="ann")]

    def paused(*switches: SwitchSet) -> list[str | None]:
        found = holds(*switches)
        return [hold.name if (hold := found.paused(name)) else None for name in ("a", "b")]

    assert paused() == [None, None]
    assert paused(*both) == ["pause/a", "pause"]
    assert paused(*both, switch("pause", False)) == ["pause/a", None]
    assert paused(*both, switch("pause/a", False)) == ["pause", "pause"]


def test_a_hold_says_who_when_why_and_until_when() -> None:
    hold = holds(mute("m-1", until_ms=9_000)).muted(ALERT, "a", NOW_MS)

    assert hold is not None
    assert (hold.name, hold.actor, hold.at_ms, hold.reason, hold.until_ms) == (
        "mute/m-1",
        "mira",
        5,
        "why",
        9_000,
    )


@pytest.mark.parametrize(
    ("what", "fits"),
    [
        ({"tags": {"service": ("checkout",)}}, True),
        ({"tags": {"service": ("cart", "checkout"), "env": ("eu",)}}, True),
        ({"tags": {"urgent": ("",)}}, True),
        ({"tags": {"service": ("checkout",), "env": ("dev",)}}, False),
        ({"tags": {"team": ("pay",)}}, False),
        ({"playbooks": ("a", "b")}, True),
        ({"playbooks": ("b",)}, False),
        ({"playbooks": ("a",), "tags": {"env": ("dev",)}}, False),
    ],
)
def test_a_mute_fits_as_on_alert_does_every_tag_with_one_of_its_values(
    what: dict[str, Any], fits: bool
) -> None:
    assert (holds(mute("m-1", **what)).muted(ALERT, "a", NOW_MS) is not None) is fits


def test_a_mute_ends_by_itself_at_its_time() -> None:
    made = holds(mute("m-1", until_ms=9_000))

    assert made.muted(ALERT, "a", 8_999) is not None
    assert made.muted(ALERT, "a", 9_000) is None


def test_of_several_mutes_that_fit_the_one_that_ends_last_is_named() -> None:
    made = holds(mute("short", 2_000), mute("long", 9_000), mute("other", 99_000, playbooks=("b",)))

    hold = made.muted(ALERT, "a", NOW_MS)

    assert hold is not None and hold.name == "mute/long"
    assert [one.name for one in made.mutes] == ["other", "long", "short"]


def test_a_deleted_mute_holds_nothing_back_and_one_that_is_set_again_counts_as_new() -> None:
    assert holds(mute("m-1"), switch("mute/m-1", None)).mutes == ()
    again = holds(mute("m-1", 2_000), mute("m-1", 9_000))
    assert [one.what.until_ms for one in again.mutes] == [9_000]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("pause/a", "yes", "a pause is true or false"),
        ("mute/m-1", {"tags": {}}, "this is no mute: Object missing required field `until_ms`"),
    ],
)
def test_a_switch_that_makes_no_sense_is_a_problem_of_the_catalog_and_changes_nothing(
    name: str, value: Any, problem: str
) -> None:
    catalog = Catalog()
    catalog.apply(0, mute("m-1"))

    catalog.apply(1, switch(name, value))

    assert [(one.offset, one.about, one.reason) for one in catalog.problems] == [
        (1, f"switch/{name}", problem)
    ]
    assert catalog.holds.paused("a") is None
    assert [one.name for one in catalog.holds.mutes] == ["m-1"]


def test_other_switches_are_none_of_its_business() -> None:
    made = holds(switch("partitions", 12))

    assert (made.paused("partitions"), made.mutes, made.all_paused) == (None, (), None)
