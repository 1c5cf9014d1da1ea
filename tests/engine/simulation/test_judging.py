"""A wrong expectation fails its test and says what was expected, what came, and where it is written."""

import pytest

from tests.engine.simulation.worlds import book_of, judged

BOOK = book_of(
    '- {id: look, action: http.request, with: {url: "https://a.b"}, continue_on_error: true}\n'
    '- {publish: {title: first, text: "one\\ntwo", tags: [enrichment]}}\n'
    "- {publish: {title: second}}\n"
    "- {id: approve, ask: {question: Restart?, choices: [restart, leave], on_timeout: fail}}\n"
    "- {id: each, foreach: '[1, 2]', as: n, steps: "
    '[{id: kill, action: http.request, if: n == 1, with: {url: "https://a.b"}}]}\n'
    '- {if: "false", set: {a: 1}}\n',
    "outputs: {answer: \"${{ {'a': 1, 'b': [1, 2], 'yes': true} }}\"}\n",
)
GOOD = "answers: {look: {output: 1}, approve: restart, kill: {output: 1}}\n"
BAD = "answers: {look: {error: refused, message: no way}, approve: timeout}\n"


@pytest.mark.parametrize(
    "expect",
    [
        "status: succeeded",
        "steps: {look: succeeded, each: succeeded, 'each[0].kill': succeeded, 'each[1].kill': skipped}",
        "outputs: {answer: {b: [1, 2]}}",
        "outputs: {answer: {a: 1.0, yes: true}}",
        "published: [{title: second}]",
        'published: [{text: "one\\ntwo", tags: [enrichment]}, {title: second}]',
        "asked: [{step: approve, question: Restart?, choices: [restart, leave]}]",
        "events: [StepSucceeded, {event: StepAsked, step: approve}, RunFinished]",
        "events: [{event: StepSkipped, step: 'each[1].kill'}, StepSkipped]",
    ],
)
def test_what_is_not_written_is_not_compared(expect: str) -> None:
    assert judged(BOOK, f"{GOOD}expect: {{{expect}}}").differences == ()


@pytest.mark.parametrize(
    ("answers", "expect", "says"),
    [
        (GOOD, "status: failed", "status: expected failed, got succeeded"),
        (BAD, "status: succeeded", "got failed (step approve: timeout: nobody answered in time)"),
        (BAD, "steps: {look: succeeded}", "steps.look: expected succeeded, got failed (refused: no way)"),
        (BAD, "steps: {each: succeeded}", "steps.each: expected succeeded, got not_reached"),
        (GOOD, "steps: {kill: succeeded}", "steps.each[1].kill: expected succeeded, got skipped"),
        (GOOD, "outputs: {answer: {a: 2}}", "outputs.answer.a: expected 2, got 1"),
        (GOOD, "outputs: {answer: {b: [1]}}", "outputs.answer.b: expected [1], got [1,2]"),
        (GOOD, "outputs: {answer: {yes: 1}}", "outputs.answer.yes: expected 1, got true"),
        (
            GOOD,
            "outputs: {answer: {c: 2}}",
            "outputs.answer.c: expected 2, got no such key (there is: a, b, yes)",
        ),
        (GOOD, "published: [{title: third}]", 'published[0].title: expected "third", got "first"'),
        (
            GOOD,
            "published: [{title: second}, {title: first}]",
            'published[1]: expected {"title":"first"}, got nothing; before it: ["first","second"]',
        ),
        (
            GOOD,
            "published: [{title: first, tags: [urgent]}]",
            "published[0].tags: expected urgent among them",
        ),
        (GOOD, "published: []", 'published: expected nothing, got ["first","second"]'),
        (GOOD, "asked: []", 'asked: expected nothing, got ["Restart?"]'),
        (GOOD, "asked: [{choices: [restart]}]", 'expected ["restart"], got ["restart","leave"]'),
        (GOOD, "failure: {kind: timeout}", 'expected {"kind":"timeout"}, got none: the run succeeded'),
        (
            GOOD,
            "events: [{event: StepAnswered, choice: leave}]",
            'events[0].choice: expected "leave", got "restart"',
        ),
        (
            GOOD,
            "events: [StepRetryScheduled]",
            'expected "StepRetryScheduled", got nothing; before it: ["Run',
        ),
        (GOOD, "events: [RunFinished, StepAsked]", 'events[1]: expected "StepAsked", got nothing'),
        (BAD, "failure: {kind: refused}", 'failure.kind: expected "refused", got "timeout"'),
        (BAD, "failure: {message: often}", 'expected "often" in it, got "nobody answered in time"'),
    ],
)
def test_a_wrong_expectation_fails_with_both_sides(answers: str, expect: str, says: str) -> None:
    found = judged(BOOK, f"{answers}expect: {{{expect}}}").differences
    assert any(says in str(one) for one in found), found
    assert {one.mark.line for one in found} == {5}


def test_an_alert_that_does_not_fit_fails_unless_that_is_expected() -> None:
    other = "alert: {tags: {service: search}}\n"
    assert judged(BOOK, f"{other}expect: {{matches: false}}").passed
    (found,) = judged(BOOK, f"{other}expect: {{status: succeeded}}").differences
    assert str(found).startswith("matches: expected true, got false: ")
    assert "search" in found.got
    fits = "alert: {tags: {service: checkout}}\n"
    assert judged(BOOK, f"{fits}{GOOD}expect: {{matches: true}}").passed
    (found,) = judged(BOOK, f"{fits}expect: {{matches: false}}").differences
    assert str(found) == "matches: expected false, got true: the alert fits `on.alert`"


def test_a_playbook_that_no_alert_starts_can_be_given_one_and_matches_none() -> None:
    book = book_of('- {publish: {title: "${{ alert.title }}"}}\n', on="on: {call: {}}\n")
    alert = "alert: {title: old news}\n"
    assert judged(book, f"{alert}expect: {{published: [{{title: old news}}]}}").passed
    (found,) = judged(book, f"{alert}expect: {{matches: true}}").differences
    assert "has no `on.alert`" in found.got
