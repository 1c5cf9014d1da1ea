"""Why did this playbook match, and why did that one not."""

from typing import Any

import pytest

from engine.matching import match, recovery_fits
from engine.playbook.compiled import Compiled
from engine.playbook.model import AlertTrigger, Playbook
from schemas.decisions import Looked
from tests.engine.alert.builders import a_recovery, an_alert


def a_book(*triggers: AlertTrigger, name: str = "restart") -> Compiled:
    return Compiled(Playbook(name=name, alerts=triggers), f"digest-{name}")


def looked(trigger: AlertTrigger, **alert: Any) -> Looked:
    (one,) = match(an_alert(**alert), [a_book(trigger)])
    return one


def test_a_trigger_that_asks_nothing_matches_a_triggered_alert() -> None:
    assert looked(AlertTrigger()) == Looked(playbook="restart", revision="digest-restart", matched=True)


@pytest.mark.parametrize(
    ("trigger", "alert"),
    [
        (AlertTrigger(endpoint=("other", "datadog-prod")), {}),
        (AlertTrigger(kind=("query_alert_monitor",)), {}),
        (AlertTrigger(monitor=("12345",)), {}),
        (AlertTrigger(tags={"service": ("checkout",), "env": ("prod", "staging")}), {}),
        (AlertTrigger(tags={"env": ("staging",)}), {"tag_list": ("env:prod", "env:staging")}),
        (AlertTrigger(tags={"monitor": ("",)}), {}),  # a bare tag
        (AlertTrigger(tags={"url": ("https://a:1/b?c=d:e",)}), {"tag_list": ("url:https://a:1/b?c=d:e",)}),
        (AlertTrigger(tags={"env": ("null",)}), {"tag_list": ("env:null",)}),
        (AlertTrigger(), {"transition": ""}),  # counts as Triggered
        (AlertTrigger(), {"transition": "No Data"}),
        (AlertTrigger(transition=("recovered",)), {"transition": "Recovered"}),
        (AlertTrigger(transition=("Recovered",)), {"transition": "", "type": "success"}),
        (AlertTrigger(transition=("Brand New",)), {"transition": "Brand New"}),
        (AlertTrigger(priority=("p1", "P2")), {"priority": "P1"}),
        (AlertTrigger(when="alert.title.contains('latency') && 'env:prod' in alert.tag_list"), {}),
        (AlertTrigger(when="alert.group.service == 'checkout'"), {}),
        (AlertTrigger(test=True), {"test": True}),
        (AlertTrigger(test=True), {}),
    ],
)
def test_an_alert_matches_where_every_given_clause_holds(
    trigger: AlertTrigger, alert: dict[str, Any]
) -> None:
    one = looked(trigger, **alert)

    assert one.matched, one


@pytest.mark.parametrize(
    ("trigger", "alert", "clause", "detail"),
    [
        (
            AlertTrigger(endpoint=("demo",)),
            {},
            "endpoint",
            "wanted endpoint demo, alert has datadog-prod",
        ),
        (
            AlertTrigger(),
            {"test": True},
            "test",
            "wanted real alerts (no `test: true`), alert is a [TEST] notification",
        ),
        (AlertTrigger(kind=("log_alert",)), {"kind": ""}, "kind", "wanted kind log_alert, alert has none"),
        (AlertTrigger(monitor=("1", "2", "3")), {}, "monitor", "wanted monitor 1, 2 or 3, alert has 12345"),
        (
            AlertTrigger(tags={"env": ("prod", "staging")}),
            {"tag_list": ("env:dev",)},
            "tags",
            "wanted env prod or staging, alert has env dev",
        ),
        (
            AlertTrigger(tags={"env": ("prod",)}),
            {"tag_list": ("env:dev", "env:qa")},
            "tags",
            "wanted env prod, alert has env dev and qa",
        ),
        (AlertTrigger(tags={"team": ("a",)}), {}, "tags", "wanted team a, alert has no team"),
        (
            AlertTrigger(tags={"monitor": ("x",)}),
            {},
            "tags",
            "wanted monitor x, alert has monitor (no value)",
        ),
        (
            AlertTrigger(),
            {"transition": "Renotify"},
            "transition",
            "wanted transition Triggered, Warn or No Data, alert has Renotify",
        ),
        (
            AlertTrigger(),
            {"transition": "", "type": "success"},
            "transition",
            "wanted transition Triggered, Warn or No Data, alert has Recovered",
        ),
        (
            AlertTrigger(priority=("P1",)),
            {"priority": "normal"},
            "priority",
            "wanted priority P1, alert has normal",
        ),
        (AlertTrigger(when="alert.title == 'x'"), {}, "when", "`alert.title == 'x'` is false"),
        (
            AlertTrigger(monitor=tuple(str(at) for at in range(12))),
            {},
            "monitor",
            "wanted monitor 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 or 2 others, alert has 12345",
        ),
    ],
)
def test_the_first_false_clause_is_named_and_explained(
    trigger: AlertTrigger, alert: dict[str, Any], clause: str, detail: str
) -> None:
    one = looked(trigger, **alert)

    assert (one.matched, one.clause, one.detail) == (False, clause, detail)


@pytest.mark.parametrize("when", ["alert.tags['nope'] == 'x'", "alert.tags['env'] == 'prod'", "alert.title"])
def test_an_error_in_when_means_not_matched_with_the_error_as_the_reason(when: str) -> None:
    one = looked(AlertTrigger(when=when), tag_list=("env:a", "env:b"))

    assert (one.matched, one.clause) == (False, "when")
    assert one.detail.startswith(f"`{when}` failed: ")
    assert len(one.detail) > len(f"`{when}` failed: ")


def test_any_one_of_several_triggers_is_enough() -> None:
    triggers = AlertTrigger(monitor=("1",)), AlertTrigger(monitor=("12345",))

    (one,) = match(an_alert(), [a_book(*triggers)])

    assert one.matched


def test_of_several_triggers_the_one_that_came_nearest_is_explained() -> None:
    triggers = AlertTrigger(endpoint=("x",)), AlertTrigger(priority=("P1",)), AlertTrigger(kind=("y",))

    (one,) = match(an_alert(), [a_book(*triggers)])

    assert (one.clause, one.detail) == (
        "priority",
        "wanted priority P1, alert has none (nearest of 3 triggers)",
    )


def test_an_event_of_our_own_never_matches() -> None:
    one = looked(AlertTrigger(test=True), tag_list=("pulsebook_id:r-1/7",))

    assert (one.matched, one.clause) == (False, "own_event")


def test_a_playbook_without_alert_triggers_is_not_looked_at() -> None:
    assert match(an_alert(), [a_book()]) == ()


def test_a_long_detail_is_cut() -> None:
    one = looked(AlertTrigger(tags={"k": ("v" * 1_000,)}))

    assert len(one.detail) == 300
    assert one.detail.endswith("…")


@pytest.mark.parametrize(
    ("trigger", "fits"),
    [
        (AlertTrigger(when="alert.title.contains('Triggered')", kind=("other",), priority=("P1",)), True),
        (AlertTrigger(transition=("Triggered",), monitor=("12345",), tags={"env": ("prod",)}), True),
        (AlertTrigger(monitor=("1",)), False),
        (AlertTrigger(endpoint=("demo",)), False),
        (AlertTrigger(tags={"env": ("dev",)}), False),
    ],
)
def test_a_recovery_concerns_a_playbook_by_endpoint_monitor_and_tags_alone(
    trigger: AlertTrigger, fits: bool
) -> None:
    assert recovery_fits(a_recovery(), a_book(trigger).playbook) is fits


def test_the_recovery_of_a_test_concerns_only_who_is_triggered_by_tests() -> None:
    assert not recovery_fits(a_recovery(test=True), a_book(AlertTrigger()).playbook)
    assert recovery_fits(a_recovery(test=True), a_book(AlertTrigger(test=True)).playbook)


def test_a_playbook_for_calls_only_is_no_recoverys_concern() -> None:
    assert not recovery_fits(a_recovery(), a_book().playbook)
