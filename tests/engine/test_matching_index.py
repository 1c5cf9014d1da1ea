"""The index leaves exactly what a look at every playbook leaves."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alert.facts import is_recovery
from engine.matching import LOOKED_MAX, match, matched_records, recovery_fits
from engine.matching_clauses import Facts, first_false
from engine.matching_index import AlertIndex, Offered
from engine.playbook.compiled import Compiled
from engine.playbook.model import AlertTrigger, Playbook
from schemas.admissions import AlertRecovered, Candidate
from schemas.alerts import Alert
from tests.engine.alert.builders import an_alert
from tests.engine.test_matching_records import CAUSE, STEPS, a_catalog, a_playbook, matched, received

ENDPOINTS, KINDS, MONITORS = ("", "demo", "prod"), ("", "metric", "log"), ("", "1", "2", "12")
TAGS = ("env:prod", "env:dev", "env:", "env", "service:cart", "service:pay", "service:a:b", "team:x")
TRANSITIONS = (
    "",
    "Triggered",
    "triggered",
    "Recovered",
    "Warn",
    "No Data",
    "Renotify",
    "\u017ftrange",
    "STRANGE",
)
PRIORITIES = ("", "P1", "p1", "P2", "normal")
WHENS = ("", "alert.title == 'x'", "alert.title != 'x'", "alert.tags['env'] == 'prod'")


def some(random_: random.Random, of: Sequence[str], likely: float) -> tuple[str, ...]:
    """None of them, mostly one, or several."""
    if random_.random() > likely:
        return ()
    return tuple(random_.choices(of, k=random_.choice((1, 1, 2, 3))))


def a_trigger(random_: random.Random) -> AlertTrigger:
    tags: dict[str, tuple[str, ...]] = {}
    for tag in some(random_, TAGS, 0.5):
        key, _, value = tag.partition(":")
        tags[key] = (*tags.get(key, ()), value) if random_.random() < 0.9 else ()
    default = AlertTrigger().transition
    return AlertTrigger(
        endpoint=some(random_, ENDPOINTS, 0.4),
        kind=some(random_, KINDS, 0.3),
        monitor=some(random_, MONITORS, 0.4),
        tags=tags,
        transition=some(random_, TRANSITIONS, 0.8) if random_.random() < 0.4 else default,
        priority=some(random_, PRIORITIES, 0.2),
        when=random_.choice(WHENS),
        test=random_.random() < 0.3,
    )


def alert_of(random_: random.Random) -> Alert:
    return an_alert(
        endpoint=random_.choice(ENDPOINTS),
        kind=random_.choice(KINDS),
        monitor_id=random_.choice(MONITORS),
        tag_list=tuple(random_.sample(TAGS, random_.randrange(4))),
        transition=random_.choice(TRANSITIONS),
        priority=random_.choice(PRIORITIES),
        title=random_.choice(("x", "y")),
        test=random_.random() < 0.3,
    )


def playbooks(random_: random.Random, count: int) -> list[Playbook]:
    return [
        Playbook(
            name=f"p-{at:03}",
            alerts=tuple(a_trigger(random_) for _ in range(random_.choice((0, 1, 1, 2, 3)))),
            steps=STEPS,
        )
        for at in range(count)
    ]


RANDOM = st.integers(0, 2**32).map(random.Random)


@given(RANDOM)
def test_what_the_index_leaves_is_what_a_look_at_every_playbook_leaves(random_: random.Random) -> None:
    books = [Compiled(one, one.name) for one in playbooks(random_, random_.choice((0, 1, 3, 40)))]
    index = AlertIndex(Offered(one.digest, one.digest, one, True) for one in books)
    for _ in range(5):
        facts = Facts(alert_of(random_))
        sifted = index.sift(facts)
        assert [one.name for one in sifted.fits] == fitting(books, facts, first_false)
        assert [one.name for one in index.recovering(facts)] == [
            one.digest for one in books if recovery_fits(facts.alert, one.playbook)
        ]
        assert {one.name for one in sifted.near} & {one.name for one in sifted.fits} == set()
        assert len({one.name for one in sifted.near}) == len(sifted.near)


def fitting(books: Sequence[Compiled], facts: Facts, false: Callable[..., Any]) -> list[str]:
    """Playbooks of which no clause but `when` is false."""
    misses = {one.digest: [false(facts, trigger, one) for trigger in one.playbook.alerts] for one in books}
    return [
        name for name, found in misses.items() if any(not miss or miss.clause == "when" for miss in found)
    ]


@settings(max_examples=20)
@given(RANDOM)
def test_the_same_playbooks_start_in_the_same_order_with_the_index_and_without(
    random_: random.Random,
) -> None:
    books = playbooks(random_, LOOKED_MAX * 2)
    disabled = tuple(one.name for one in random_.sample(books, 10))
    catalog = a_catalog(*books, disabled=disabled)
    assert len(catalog.alert_index.all) > LOOKED_MAX
    alert = alert_of(random_)

    sent = matched_records(received(alert, endpoint=alert.endpoint), CAUSE, catalog)

    enabled = [Compiled(one, one.name) for one in books if one.name not in disabled]
    starting = [one.playbook for one in match(alert, enabled) if one.matched]
    concerned = [one.name for one in books if recovery_fits(alert, one)] if is_recovery(alert) else []
    assert [(type(one.record), one.key) for one in sent[1:]] == [
        *((AlertRecovered, name) for name in concerned),
        *((Candidate, name) for name in starting),
    ]
    looked = {one.playbook: one for one in matched(sent).looked}
    everything = [catalog.compiled(catalog.playbooks[one.name].digest) for one in books]
    by_name = {one.playbook: one for one in match(alert, filter(None, everything))}
    assert [name for name, one in looked.items() if one.matched] == starting
    assert all(one == by_name[name] for name, one in looked.items() if name not in disabled)
    assert list(looked) == sorted(looked)
    assert matched(sent).ruled_out + len(looked) == len(books)


def test_the_index_is_made_anew_only_when_a_playbook_changed() -> None:
    catalog = a_catalog(a_playbook("p-000"), a_playbook("p-001"))
    before = catalog.alert_index
    catalog.passed(catalog.offset + 1)
    assert catalog.alert_index is before
    catalog.apply(catalog.offset, catalog.playbooks["p-000"])
    assert catalog.alert_index is not before
