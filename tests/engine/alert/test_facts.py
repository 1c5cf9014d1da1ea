"""What follows from an alert."""

import pytest

from engine.alert.facts import (
    alert_key,
    cycle_of,
    happened_ms,
    is_own_event,
    is_recovery,
    summary,
    transition_of,
)
from tests.engine.alert.builders import a_recovery, an_alert


def test_trigger_and_recovery_share_their_key_however_little_they_say() -> None:
    for given in ({}, {"cycle_key": ""}, {"cycle_key": "", "monitor_id": "", "aggregation_key": "g"}):
        assert alert_key(an_alert(**given)) == alert_key(a_recovery(**given))


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, "cycle-1"),
        ({"cycle_key": ""}, "12345/service:checkout"),
        ({"cycle_key": "", "scope": ""}, "12345/"),
        ({"cycle_key": "", "monitor_id": "", "aggregation_key": "group"}, "group"),
        ({"cycle_key": "", "monitor_id": ""}, "a-1"),
    ],
)
def test_the_key_is_the_cycle_else_monitor_and_scope_else_aggregation_else_the_id(
    fields: dict[str, str], key: str
) -> None:
    assert alert_key(an_alert(**fields)) == key


def test_an_alert_without_any_link_has_no_cycle() -> None:
    assert cycle_of(an_alert(cycle_key="", monitor_id="")) == ""


@pytest.mark.parametrize(
    ("transition", "type_", "title", "recovery"),
    [
        ("Recovered", "success", "", True),
        ("recovered", "", "", True),
        ("Warn Recovered", "warning", "", True),
        ("No Data Recovered", "", "", True),
        ("Triggered", "success", "[Recovered] x", False),
        ("Re-Triggered", "", "", False),
        ("Renotify", "success", "", False),
        ("", "success", "[Triggered] x", True),
        ("", "Error", "[Recovered] x", False),
        ("", "", "[Recovered on {host:a}] x", True),
        ("", "", "[P1] [Warn Recovered] x", True),
        ("", "", "x [Recovered]", False),
        ("", "", "Recovered files are gone", False),
        ("", "", "", False),
    ],
)
def test_a_recovery_is_told_by_transition_then_type_then_title(
    transition: str, type_: str, title: str, recovery: bool
) -> None:
    alert = an_alert(transition=transition, type=type_, title=title)

    assert is_recovery(alert) is recovery


def test_a_missing_transition_counts_as_triggered_or_as_recovered() -> None:
    assert transition_of(an_alert(transition="")) == "Triggered"
    assert transition_of(a_recovery(transition="")) == "Recovered"
    assert transition_of(an_alert(transition="Warn")) == "Warn"


@pytest.mark.parametrize(
    ("tags", "scope", "own"),
    [
        (("env:prod", "source:pulsebook"), "", True),
        (("Source:Pulsebook",), "", True),
        (("pulsebook_id:r-abc/7",), "", True),
        ((), "host:a, pulsebook_id:r-abc/7", True),
        (("source:pulsebooks", "service:pulsebook", "team:pulsebook_id"), "service:pulsebook", False),
        ((), "", False),
    ],
)
def test_an_event_of_our_own_is_known_by_its_tags(tags: tuple[str, ...], scope: str, own: bool) -> None:
    assert is_own_event(an_alert(tag_list=tags, scope=scope)) is own


def test_when_it_happened_is_the_last_update_else_the_date() -> None:
    assert happened_ms(an_alert(last_updated_ms=5, at_ms=3)) == 5
    assert happened_ms(an_alert(last_updated_ms=0, at_ms=3)) == 3


def test_a_summary_cuts_long_texts() -> None:
    short = summary(an_alert(title="t" * 1000, scope="s" * 1000), received_at_ms=9)

    assert (len(short.title), len(short.scope), short.received_at_ms) == (300, 300, 9)
    assert (short.endpoint, short.monitor_id, short.cycle_key) == ("datadog-prod", "12345", "cycle-1")
