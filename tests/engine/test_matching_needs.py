"""What a `when` needs is never more than what it asks: an alert for which it is true has all of it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alert.scope import alert_scope
from engine.matching import NEAR_MAX, matched_records
from engine.matching_clauses import Facts
from engine.matching_index import AlertIndex, Offered
from engine.matching_needs import Atom, Need, Source, passing, texts_of
from engine.matching_when import Whens, asked
from engine.playbook.compiled import Compiled
from engine.playbook.model import AlertTrigger, Playbook
from schemas.alerts import Alert
from tests.engine.alert.builders import an_alert
from tests.engine.test_matching_records import CAUSE, STEPS, a_catalog, matched, received

TITLE, ENV = Source("text", "alert.title"), Source("tag", "alert.tags", "env")


@pytest.mark.parametrize(
    ("when", "needs"),
    [
        ("alert.title == 'a'", [(Atom(TITLE, "is", "a"),)]),
        ("'a' == alert.title", [(Atom(TITLE, "is", "a"),)]),
        ("alert.title in ['a', 'b']", [(Atom(TITLE, "is", "a"), Atom(TITLE, "is", "b"))]),
        ("alert.title.contains('a')", [(Atom(TITLE, "contains", "a"),)]),
        ("alert.title.startsWith('a')", [(Atom(TITLE, "startsWith", "a"),)]),
        ("alert.title.endsWith('é')", [(Atom(TITLE, "endsWith", "é"),)]),
        (
            "alert.title.lowerAscii().contains('a')",
            [(Atom(Source("lower", "alert.title"), "contains", "a"),)],
        ),
        ("alert.tags['env'] == 'prod'", [(Atom(ENV, "is", "prod"),)]),
        ("alert.tags.env.startsWith('prod')", [(Atom(ENV, "startsWith", "prod"),)]),
        ("alert.tags[?'env'].orValue('x') == 'x'", [(Atom(ENV._replace(otherwise="x"), "is", "x"),)]),
        ("alert.tags.?env.orValue('x') in ['x']", [(Atom(ENV._replace(otherwise="x"), "is", "x"),)]),
        ("'a:b' in alert.tag_list", [(Atom(Source("items", "alert.tag_list"), "is", "a:b"),)]),
        ("'env' in alert.group", [(Atom(Source("keys", "alert.group"), "is", "env"),)]),
        ("has(alert.tags.env)", [(Atom(Source("keys", "alert.tags"), "is", "env"),)]),
        (
            "alert.title.contains('a') && alert.host != 'h' && alert.tags['env'] == 'prod'",
            [(Atom(ENV, "is", "prod"),), (Atom(TITLE, "contains", "a"),)],
        ),
        (
            "alert.title == 'a' || (alert.title == 'b' && size(alert.body) > 3)",
            [(Atom(TITLE, "is", "a"), Atom(TITLE, "is", "b"))],
        ),
        ("alert.title == 'a' || size(alert.body) > 3", []),
        ("!(alert.title == 'a')", []),
        ("alert.title != 'a'", []),
        ("alert.title == alert.host", []),
        ("alert.title in [alert.host, 'a']", []),
        ("alert.tags['env'] != 'dev'", [(Atom(Source("keys", "alert.tags"), "is", "env"),)]),
        ("!(alert.tags.env == 'dev')", [(Atom(Source("keys", "alert.tags"), "is", "env"),)]),
        ("size(alert.group['env']) > 3", [(Atom(Source("keys", "alert.group"), "is", "env"),)]),
        ("alert.tags['env'] == 'a' ? true : false", [(Atom(Source("keys", "alert.tags"), "is", "env"),)]),
        ("!(alert.test || alert.tags.env == 'dev')", []),
        ("alert.tags[?'env'].orValue('x') != 'dev'", []),
        ("alert.tags[?'a'].orValue(alert.tags['env']) != 'dev'", []),
        ("!has(alert.tags.env)", []),
        ("alert.tag_list.exists(t, alert.tags['env'] == t)", []),
        ("alert.title.matches('a')", []),
        ("alert.test ? alert.title == 'a' : alert.title == 'b'", []),
        ("alert.tag_list.exists(title, title == 'a')", []),
        ("alert.metadata.title == 'a'", []),
        ("true", []),
    ],
)
def test_what_an_expression_cannot_be_true_without(when: str, needs: list[Need]) -> None:
    found = asked(when)
    assert found is not None
    assert list(found.needs) == needs


def test_an_expression_that_is_wrong_or_sees_more_than_the_alert_is_left_to_its_playbook() -> None:
    assert asked("steps.a.skipped") is None
    assert asked("alert.title ==") is None
    assert asked("alert.titel == 'a'") is None


NAMES = ("alert.title", "alert.host", "alert.title.lowerAscii()", "alert.tags['env']", "alert.group.env")
MORE = (
    "alert.tags[?'env'].orValue(alert.tags['team'])",
    "(alert.test ? alert.tags['env'] : alert.tags.team)",
    "string(size(alert.tags['env']))",
    *("alert.tags[?'env'].orValue('none')", "alert.tags.?team.orValue('')", "alert.tags['team']"),
)
WORDS = ("a", "A", "ab", "", "prod", "none", "\u0130", "\ufffd", "prod,dev")
TAGS = ("env:prod", "env:dev", "env:", "team:a", "team", "a:b", "x\0y:z")
WHOLES = (
    "'env:prod' in alert.tag_list",
    "'env' in alert.tags",
    "has(alert.tags.team)",
    "alert.test",
    "size(alert.host) > 1",
    "alert.metadata.deep == 'a'",
    "true",
    "false",
    "1 / size(alert.host) > 0",
)


def a_when(random_: random.Random, depth: int = 3) -> str:
    """An expression of all that is understood, and of much that is not."""
    if depth and random_.random() < 0.6:
        one, other = a_when(random_, depth - 1), a_when(random_, depth - 1)
        shape = random_.choice(
            ("({} && {})", "({} && {})", "({} || {})", "(!({}) || {})", "({} ? {} : false)")
        )
        return shape.format(one, other)
    if random_.random() < 0.3:
        return random_.choice(WHOLES)
    name, word = random_.choice(NAMES + MORE), f"'{random_.choice(WORDS)}'"
    test = random_.choice(("{} == {}", "{1} == {0}", "{} != {}", "{} in ['x', {}]", "{}.contains({})"))
    test = random_.choice((test, "{}.startsWith({})", "{}.endsWith({})", "{} == {}"))
    return f"({test.format(name, word)})"


def some_alert(random_: random.Random) -> Alert:
    texts = (*WORDS, "xaB", "x\0y", "prod dev")
    return an_alert(
        title=random_.choice(texts),
        host=random_.choice(texts),
        scope=random_.choice(("", "env:prod", "env:prod,env:dev", "*")),
        tag_list=tuple(random_.choices(TAGS, k=random_.randrange(4))),
        test=random_.random() < 0.2,
        metadata=random_.choice(({}, {"deep": "a"})),
    )


RANDOM = st.integers(0, 2**32).map(random.Random)


@given(RANDOM)
def test_an_alert_for_which_it_is_true_has_all_that_it_needs(random_: random.Random) -> None:
    when = a_when(random_)
    found = asked(when)
    assert found is not None, when
    book = Compiled(Playbook(name="p", steps=STEPS), "d")
    for _ in range(8):
        alert = some_alert(random_)
        if Whens(alert).why_false(when, book) == "":
            scope = alert_scope(alert)
            for need in found.needs:
                assert any(
                    passing(atom.test, text, [atom]) for atom in need for text in texts_of(atom.source, scope)
                ), (when, need, alert)


@given(RANDOM)
def test_each_expression_says_what_it_says_in_its_playbook(random_: random.Random) -> None:
    """However many are asked of the alert: the first few are given what they use, then all of it is ready."""
    alert, book = some_alert(random_), Compiled(Playbook(name="p", steps=STEPS), "d")
    whens = Whens(alert)
    for text in [a_when(random_, 1) for _ in range(30)]:
        try:
            expected = "" if book.boolean(text, alert_scope(alert)) else f"`{text}` is false"
        except Exception as error:
            expected = f"`{text}` failed: {error}"
        assert whens.why_false(text, book) == expected


def test_an_alert_that_holds_what_no_expression_can_is_asked_all_the_same() -> None:
    deep: object = "x"
    for _ in range(120):
        deep = [deep]
    whens, book = Whens(an_alert(title="a", metadata={"m": deep})), Compiled(Playbook(name="p"), "d")
    for at in range(40):
        assert whens.why_false(f"alert.title != '{at}'", book) == ""
    assert "more than 100 levels" in whens.why_false("size(alert.metadata) == 1", book)


@settings(max_examples=20)
@given(RANDOM)
def test_a_decision_about_many_playbooks_is_the_same_as_if_all_were_asked(random_: random.Random) -> None:
    books = [
        Playbook(
            name=f"p-{at:03}",
            alerts=tuple(AlertTrigger(when=a_when(random_, 2)) for _ in range(random_.choice((1, 1, 2)))),
            steps=STEPS,
        )
        for at in range(NEAR_MAX * 6)
    ]
    catalog = a_catalog(*books, disabled=("p-003",))
    everything = frozenset(one.name for one in books)
    for _ in range(3):
        alert = some_alert(random_)
        sent = matched_records(received(alert, endpoint=alert.endpoint), CAUSE, catalog)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AlertIndex, "hopeful", lambda *_: everything)
            assert matched_records(received(alert, endpoint=alert.endpoint), CAUSE, catalog) == sent
        assert matched(sent).ruled_out + len(matched(sent).looked) == len(books)


def test_playbooks_that_differ_in_when_only_are_told_apart_without_asking_each() -> None:
    books = [
        Compiled(
            Playbook(name=f"p-{at}", alerts=(AlertTrigger(when=f"alert.tags['service'] == 's-{at}'"),)), "d"
        )
        for at in range(1_000)
    ]
    index = AlertIndex(Offered(one.playbook.name, "d", one, True) for one in books)
    facts = Facts(an_alert(tag_list=("service:s-77",)))
    sifted = index.sift(facts)
    assert len(sifted.fits) == 1_000
    assert index.hopeful(facts, sifted) == {"p-77"}
