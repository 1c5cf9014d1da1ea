"""What a test does not say of its alert is as the playbook's trigger asks, and what it says is as it says."""

import pytest

from tests.engine.simulation.worlds import book_of, judged

ASKS = (
    "{endpoint: prod, kind: query_alert_monitor, monitor: [12, 34], priority: [P1, P2], "
    "tags: {service: checkout}, transition: TRANSITION}"
)
STEPS = """
- publish:
    title: "${{ [alert.endpoint, alert.kind, alert.monitor_id, alert.priority].join(' ') }}"
"""
FITS = "alert: {tags: {service: checkout}}\n"


def asking(transition: str = "[Triggered]", more: str = "") -> str:
    return f"on: {{alert: [{ASKS.replace('TRANSITION', transition)}{more}]}}\n"


def test_endpoint_kind_monitor_and_priority_are_the_first_that_are_asked_for() -> None:
    book = book_of(STEPS, on=asking())
    told = judged(book, FITS + "expect: {published: [{title: prod query_alert_monitor 12 P1}]}")
    assert told.differences == ()


@pytest.mark.parametrize(
    ("transition", "is_"), [("[Recovered, Warn]", "Recovered"), ("[Warn, Triggered]", "")]
)
def test_a_transition_is_made_up_only_where_none_would_not_do(transition: str, is_: str) -> None:
    book = book_of('- {publish: {title: "is ${{ alert.transition }}"}}\n', on=asking(transition))
    told = judged(book, FITS + f"expect: {{published: [{{title: 'is {is_}'}}]}}")
    assert told.differences == ()


@pytest.mark.parametrize(
    "alert",
    [
        "{tags: {service: checkout}, kind: log}",
        "{tags: {service: checkout}, kind: ''}",
        "{tags: {service: checkout}, monitor_id: 56}",
        "{tags: {service: checkout}, transition: Recovered}",
        "{tags: {service: search}}",
        "{}",
    ],
)
def test_what_it_says_counts_and_tags_are_never_made_up(alert: str) -> None:
    book = book_of(STEPS, on=asking())
    assert judged(book, f"alert: {alert}\nexpect: {{matches: false}}").passed


def test_of_several_triggers_it_is_the_first_that_then_fits() -> None:
    other = ", {endpoint: other, kind: log, tags: {service: search}}"
    book = book_of(STEPS, on=asking(more=other))
    alert = "alert: {tags: {service: search}}\n"
    told = judged(book, alert + "expect: {published: [{title: 'other log  '}]}")
    assert told.differences == ()
