"""Which steps would run: with recorded answers where the same was asked, assumed ones where not, and it says
which.
"""

from collections.abc import Mapping
from typing import Any

from audit.whatif.answering import NOBODY, NOTHING_KNOWN, OTHER_INPUTS, OTHER_RUN
from audit.whatif.world import Word
from schemas.events import StepRequested
from tests.audit.whatif.history import MINUTE_MS, SECOND_MS, History

BOOK = """
playbook: fix
on: {alert: {}}
steps:
  - {id: look, action: log, with: {message: "${{ alert.host }}"}}
  - {id: page, if: "steps.look.output.message == 'web-1'", action: log, with: {message: page}}
"""


def change(old: str, new: str, text: str = BOOK) -> str:
    assert old in text
    return text.replace(old, new)


async def test_equal_questions_get_the_recorded_answers() -> None:
    past = History(BOOK)
    past.comes(0, host="web-1")
    past.comes(MINUTE_MS, host="web-2", cycle_key="c2", scope="service:b")
    told = await past.asked(change("'web-1'", "'web-2'"))
    assert [one.how for one in told.changes] == ["other_steps", "other_steps"]
    assert (told.steps(0), told.steps(1)) == ({"page": "no_longer_runs"}, {"page": "now_runs"})
    assert [one.assumed for one in told.changes] == [(), ("page",)]
    tally = told.report.tallies["fix"]
    assert (tally.steps[0]["page"], tally.steps[1]["page"]) == (1, 1)


async def test_a_step_that_only_got_another_name_is_answered_as_before() -> None:
    past = History(BOOK)
    past.comes(0, host="web-1")
    told = await past.asked(BOOK.replace("look", "see"))
    assert told.steps() == {"see": "now_runs", "look": "no_longer_runs"}
    assert told.changes[0].assumed == ()


async def test_other_inputs_are_assumed_to_get_the_answer_of_then_and_what_reads_it_depends() -> None:
    past = History(BOOK)
    past.comes(0, host="web-1")
    told = await past.asked(change('"${{ alert.host }}"', '"host ${{ alert.host }}"'))
    (look,) = told.changes[0].steps
    assert (look.step, look.how, look.detail) == ("look", "asks_otherwise", "with other inputs")
    assert look.assumed == OTHER_INPUTS
    otherwise = await past.asked(
        change("'web-1'", "'web-1x'", change('"${{ alert.host }}"', '"host ${{ alert.host }}"'))
    )
    page = next(one for one in otherwise.changes[0].steps if one.step == "page")
    assert (page.how, page.depends) == ("no_longer_runs", True)


async def test_a_step_not_done_then_is_assumed_to_answer_as_in_another_run() -> None:
    past = History(BOOK)
    past.comes(0, host="web-1")
    past.comes(MINUTE_MS, host="web-2", cycle_key="c2", scope="service:b")
    told = await past.asked(change(" == 'web-1'", " != ''"))
    (page,) = told.changes[0].steps
    assert (page.step, page.how, page.assumed) == ("page", "now_runs", OTHER_RUN)


async def test_a_step_that_never_was_answers_with_nothing_and_what_reads_it_says_so() -> None:
    more = (
        BOOK
        + """
  - {id: ask, action: http.request, with: {url: "https://x.internal/"}}
  - {id: tell, if: "steps.ask.output.body.found > 3", action: log}
"""
    )
    past = History(BOOK)
    past.comes(0, host="web-1")
    told = await past.asked(more)
    steps = {one.step: one for one in told.changes[0].steps}
    assert (steps["ask"].how, steps["ask"].assumed) == ("now_runs", NOTHING_KNOWN)
    assert (steps["tell"].how, steps["tell"].detail, steps["tell"].depends) == ("now_runs", "failed", True)


async def test_failures_are_repeated_as_they_were_and_so_are_the_attempts() -> None:
    def said(asked: StepRequested) -> Mapping[str, Any]:
        if asked.attempt < 3:
            return {"status": "failed", "kind": "http_5xx", "message": "503"}
        return {"output": {"status": 200}}

    book = """
playbook: fix
on: {alert: {}}
steps:
  - {id: get, action: http.request, with: {url: "https://x.internal/"}, retry: {attempts: 3, delay: 1s}}
on_failure: [{id: page, action: log}]
"""
    past = History(book, said=said)
    past.comes(0)
    same = await past.asked(book, every=True)
    assert (same.changes, same.report.tallies["fix"].steps[1]["get"]) == ([], 1)
    fewer = await past.asked(change("attempts: 3", "attempts: 2", book))
    steps = {one.step: (one.how, one.detail) for one in fewer.changes[0].steps}
    assert steps["get"] == ("ends_otherwise", "succeeded, now failed")
    assert steps["page"] == ("now_runs", "succeeded")
    assert fewer.changes[0].after.text.startswith("starts, failed (get: 503")


async def test_a_step_with_less_time_than_it_took_is_cut_off() -> None:
    book = """
playbook: fix
on: {alert: {}}
steps:
  - {id: do, action: http.request, with: {url: "https://x.internal/", method: POST}, timeout: 30s}
"""
    past = History(book, said=lambda asked: {"output": None, "after_ms": 10 * SECOND_MS})
    past.comes(0)
    told = await past.asked(change("timeout: 30s", "timeout: 5s", book))
    do, report = told.changes[0].steps
    assert (do.how, do.detail, do.assumed) == ("ends_otherwise", "succeeded, now unknown", "")
    assert (report.step, report.how) == ("(report)", "now_runs")
    longer = await past.asked(change("timeout: 30s", "timeout: 60s", book))
    assert longer.changes == []


async def test_a_person_says_what_she_said_then_and_nobody_answers_what_was_never_asked() -> None:
    book = """
playbook: fix
on: {alert: {}}
steps:
  - {id: sure, ask: {question: "Restart?", choices: [yes, no], timeout: 10m, on_timeout: no}}
  - {id: restart, if: steps.sure.output.choice == 'yes', action: log}
"""
    past = History(book, word=lambda asked: Word("yes", "mira", 5 * SECOND_MS))
    past.comes(0)
    told = await past.asked(change("timeout: 10m, on_timeout: no", "timeout: 2s, on_timeout: yes", book))
    # She took longer than she would be given.
    assert told.steps() == {"sure": "asks_otherwise"}
    gone = await past.asked(change("choices: [yes, no]", "choices: [now, no]", book))
    assert gone.steps() == {"sure": "asks_otherwise", "restart": "no_longer_runs"}
    assert gone.changes[0].steps[1].depends
    assert gone.changes[0].assumed == ("sure",)
    other = await past.asked(book.replace("sure", "really"))
    (really,) = [one for one in other.changes[0].steps if one.step == "really"]
    assert really.assumed == NOBODY


async def test_iterations_are_counted_and_what_differs_alike_is_said_once() -> None:
    book = """
playbook: fix
on: {alert: {}}
steps:
  - id: each
    foreach: "['a', 'b', 'c']"
    as: name
    steps: [{id: do, action: log, with: {message: "${{ name }}"}}]
"""
    past = History(book)
    past.comes(0)
    told = await past.asked(change("'c']", "'c', 'd', 'e']", book))
    (do,) = told.changes[0].steps
    assert (do.step, do.how, do.times) == ("each[].do", "now_runs", 2)
    assert told.report.tallies["fix"].steps[1]["each[].do"] == 5


async def test_published_texts_and_outputs_are_compared() -> None:
    book = """
playbook: fix
on: {alert: {}}
steps: [{publish: {title: "host ${{ alert.host }}"}}]
outputs: {host: "${{ alert.host }}"}
"""
    past = History(book)
    past.comes(0, host="web-1")
    told = await past.asked(change('title: "host', 'title: "on host', book))
    assert [(one.step, one.how, one.detail) for one in told.changes[0].steps] == [
        ("#1 (publish)", "asks_otherwise", "another text")
    ]
    quieter = await past.asked(change("outputs: {host", "report: [succeeded]\noutputs: {name", book))
    assert quieter.steps() == {"(report)": "now_runs", "(outputs)": "asks_otherwise"}


PARENT = """
playbook: parent
on: {alert: {}}
steps: [{id: call, run: child, with: {what: "${{ alert.host }}"}}, {id: after, action: log}]
"""
CHILD = """
playbook: child
on: {call: {}}
inputs: {what: {type: string}}
steps: [{id: do, action: log, with: {message: "${{ inputs.what }}"}}]
"""


async def test_steps_of_a_playbook_that_another_one_runs_are_those_of_its_alert() -> None:
    past = History(PARENT, CHILD)
    past.comes(0, host="web-1")
    told = await past.asked(change("[{id: do", "[{id: more, action: log}, {id: do", CHILD))
    assert [(one.playbook, one.how) for one in told.changes] == [("parent", "other_steps")]
    (more,) = told.changes[0].steps
    assert (more.step, more.how, more.assumed) == ("call > more", "now_runs", NOTHING_KNOWN)
    assert told.report.worlds.looked_at == {"parent", "child"}
    assert [children["child"] for children in told.report.children] == [1, 1]
    assert told.changes[0].assumed == ("call > more",)


async def test_what_reads_the_outputs_of_a_child_depends_on_what_its_steps_got() -> None:
    reads = change("action: log}", "if: steps.call.output.said != '', action: log}", PARENT)
    said = change("steps:", 'outputs: {said: "${{ steps.do.output.message }}"}\nsteps:', CHILD)
    past = History(PARENT, CHILD)
    past.comes(0, host="web-1")
    told = await past.asked(reads, change("inputs.what }}", "inputs.what }}!", said))
    assert told.steps() == {
        "call > do": "asks_otherwise",
        "call > (outputs)": "now_runs",
    } or told.steps() == {"call > do": "asks_otherwise"}
    failing = await past.asked(
        change("!= ''", "> 3", reads), change("inputs.what }}", "inputs.what }}!", said)
    )
    after = next(one for one in failing.changes[0].steps if one.step == "after")
    assert (after.detail, after.depends) == ("succeeded, now failed", True)


async def test_a_child_that_is_held_back_fails_the_step_that_wants_it() -> None:
    past = History(PARENT, CHILD)
    past.comes(0, host="web-1")
    past.comes(MINUTE_MS, host="web-1", cycle_key="c2", scope="service:b")
    told = await past.asked(change("inputs:", "admission: {key: \"'one'\", cooldown: 1h}\ninputs:", CHILD))
    (second,) = told.changes
    assert (second.alert_id, second.how) == (f"a-{MINUTE_MS}", "other_steps")
    steps = {one.step: one.how for one in second.steps}
    gone = {"call > do": "no_longer_runs", "after": "no_longer_runs"}
    assert steps == {"call": "ends_otherwise", "(report)": "now_runs"} | gone
    assert "cooldown" in second.after.text
