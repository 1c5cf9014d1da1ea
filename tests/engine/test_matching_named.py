"""Which playbooks a decision names: all of few; of many those that match or came near."""

from typing import Any

from engine.matching import LOOKED_MAX, NEAR_MAX, matched_records
from engine.playbook.model import Playbook
from schemas.catalog import PlaybookSet
from schemas.decisions import AlertMatched
from tests.engine.alert.builders import an_alert
from tests.engine.test_matching_records import CAUSE, STEPS, a_catalog, a_playbook, matched, received


def test_a_hundred_playbooks_are_all_named_however_far_off() -> None:
    far = [a_playbook(f"far-{at:03}", endpoint=("x",)) for at in range(LOOKED_MAX)]

    decision = matched(matched_records(received(an_alert()), CAUSE, a_catalog(*far)))

    assert (len(decision.looked), decision.ruled_out) == (LOOKED_MAX, 0)


def of_many(*playbooks: Playbook, disabled: tuple[str, ...] = (), **alert: Any) -> AlertMatched:
    """What is recorded of an alert where there are, besides, more than a hundred that are far off."""
    far = [a_playbook(f"far-{at:03}", monitor=(str(at),), kind=("other",)) for at in range(LOOKED_MAX + 1)]
    catalog = a_catalog(*far, *playbooks, disabled=disabled)
    return matched(matched_records(received(an_alert(**alert)), CAUSE, catalog))


def named(decision: AlertMatched) -> list[tuple[str, str]]:
    return [(one.playbook, one.clause) for one in decision.looked]


def test_of_many_playbooks_those_that_ask_for_something_else_are_counted() -> None:
    decision = of_many(a_playbook("restart"), Playbook(name="called", steps=STEPS))

    assert (named(decision), decision.ruled_out) == ([("restart", "")], LOOKED_MAX + 2)


def test_of_many_playbooks_those_that_came_near_are_named_with_what_was_false() -> None:
    service = {"service": ("checkout",)}
    decision = of_many(
        a_playbook("a-match"),
        a_playbook("disabled", tags=service),
        a_playbook("endpoint", tags=service, endpoint=("x",)),
        a_playbook("kind", monitor=("12345",), kind=("x",)),
        a_playbook("monitor", tags=service, monitor=("1",)),
        a_playbook("priority", priority=("P1",)),
        a_playbook("tags", tags=service | {"env": ("dev",)}),
        a_playbook("transition", transition=("Recovered",)),
        a_playbook("when", when="alert.title == 'x'"),
        a_playbook("other-service", tags={"service": ("cart",)}),
        a_playbook("two-things", tags=service | {"env": ("dev",)}, priority=("P1",)),
        disabled=("disabled",),
    )

    assert named(decision) == [("a-match", "")] + [
        (clause, clause)
        for clause in ("disabled", "endpoint", "kind", "monitor", "priority", "tags", "transition", "when")
    ]


def test_of_many_playbooks_one_that_waits_for_real_alerts_is_named_for_a_test() -> None:
    decision = of_many(a_playbook("restart"), a_playbook("elsewhere", endpoint=("x",)), test=True)

    assert named(decision) == [("restart", "test")]


def test_of_many_playbooks_that_came_near_the_nearest_are_named() -> None:
    when = [a_playbook(f"when-{at:02}", when="false") for at in range(15)]
    priority = [a_playbook(f"priority-{at:02}", priority=("P1",)) for at in range(15)]
    transition = [a_playbook(f"a-transition-{at:02}", transition=("x",)) for at in range(15)]

    decision = of_many(*transition, *priority, *when, a_playbook("restart"))

    assert [one.playbook for one in decision.looked] == [
        *(f"priority-{at:02}" for at in range(NEAR_MAX - 15)),
        "restart",
        *(f"when-{at:02}" for at in range(15)),
    ]
    assert decision.ruled_out == LOOKED_MAX + 1 + 10 + 15


def test_of_many_playbooks_those_that_would_have_fitted_an_event_of_our_own_are_named() -> None:
    decision = of_many(a_playbook("restart"), tag_list=("source:pulsebook",))

    assert named(decision) == [("restart", "own_event")]


def test_of_many_playbooks_one_that_cannot_be_read_is_named() -> None:
    catalog = a_catalog(*(a_playbook(f"far-{at:03}", endpoint=("x",)) for at in range(LOOKED_MAX)))
    catalog.apply(catalog.offset, PlaybookSet(actor="ann", at_ms=1, name="broken", digest="f" * 64))

    assert named(matched(matched_records(received(an_alert()), CAUSE, catalog))) == [("broken", "revision")]
