"""What is wrong with a test file is said with its place and what would be right."""

import pytest

from engine.simulation.reading import read_suite
from tests.engine.playbook.builders import ACTIONS
from tests.engine.simulation.worlds import book_of, problems_of

BOOK = book_of(
    '- {id: look, action: http.request, with: {url: "https://a.b"}}\n'
    "- {id: approve, ask: {question: Restart?, choices: [restart, leave], on_timeout: leave}}\n"
    "- {id: healed, wait: {until: recovered, timeout: 10m}}\n"
    "- {id: nap, wait: {for: 1s}}\n"
    "- {id: each, foreach: steps.look.output, as: pod, steps: "
    '[{id: kill, action: http.request, with: {url: "https://a.b"}}]}\n',
    "inputs: {n: {type: int, default: 1}}\n",
)


@pytest.mark.parametrize(
    ("case", "line", "says"),
    [
        ("expcet: {}", 4, "a test has no key `expcet` (did you mean `expect`?)"),
        ("alert: {}", 3, "a test needs the key `expect`"),
        ("expect: {}", 4, "a test that expects nothing shows nothing"),
        ("expect: {status: sucess}", 4, "`status` cannot be 'sucess'"),
        ("expect: {steps: {lok: failed}}", 4, "no step `lok` (did you mean `look`?)"),
        ("expect: {steps: {look: faild}}", 4, "does not end as 'faild' (did you mean `failed`?)"),
        ("expect: {outputs: {p95: 1}}", 4, "no output `p95` (it has none)"),
        ("expect: {published: [{titel: a}]}", 4, "has no key `titel` (did you mean `title`?)"),
        ("expect: {published: {title: a}}", 4, "`published` should be a list"),
        ("expect: {matches: false}", 4, "`matches` needs an alert"),
        ("alert: {}\nexpect: {matches: false, status: failed}", 5, "there is no run to look at"),
        (
            "alert: {titel: a}\nexpect: {status: failed}",
            4,
            "`alert` has no key `titel` (did you mean `title`?)",
        ),
        ("alert: {at: noon}\nexpect: {status: failed}", 4, "`at` should be a time"),
        ("alert: {tags: {a: 1}, tag_list: [a]}\nexpect: {status: failed}", 4, "say the same"),
        ("expect: {events: []}", 4, "`events` should be a list of events"),
        ("expect: {events: StepFailed}", 4, "`events` should be a list of events"),
        ("expect: {events: [StepFaild]}", 4, "names no event of a run (did you mean `StepFailed`?)"),
        ("expect: {events: [{step: a}]}", 4, "this names no event of a run"),
        ("expect: {events: [{event: StepFailed, stp: a}]}", 4, "has no `stp` (did you mean `step`?)"),
        ("inputs: {m: 1}\nexpect: {status: failed}", 4, "the playbook has no input `m`"),
        ("answers: {lok: timeout}\nexpect: {status: failed}", 4, "no step `lok` (did you mean `look`?)"),
        ("answers: {look: {error: htp_5xx}}\nexpect: {status: failed}", 4, "did you mean `http_5xx`?"),
        ("answers: {look: {outptu: 1}}\nexpect: {status: failed}", 4, "did you mean `output`?"),
        ("answers: {look: {output: 1, error: timeout}}\nexpect: {status: failed}", 4, "exclude each other"),
        ("answers: {look: restart}\nexpect: {status: failed}", 4, "cannot be told text"),
        ("answers: {look: []}\nexpect: {status: failed}", 4, "an empty list of answers"),
        ("answers: {approve: restrat}\nexpect: {status: failed}", 4, "did you mean `restart`?"),
        ("answers: {approve: {output: 1}}\nexpect: {status: failed}", 4, "takes no `output`"),
        (
            "answers: {healed: {output: 1}}\nexpect: {status: failed}",
            4,
            "it takes recovered, recovered_after",
        ),
        ("answers: {nap: timeout}\nexpect: {status: failed}", 4, "asks nothing of the world"),
        ("answers: {each: timeout}\nexpect: {status: failed}", 4, "asks nothing of the world"),
        ("answers: {each.kill: timeout}\nexpect: {status: failed}", 4, "write each[0].kill"),
        ("answers: {'kill[0]': timeout}\nexpect: {status: failed}", 4, "write each[0].kill"),
    ],
)
def test_a_slip_is_named_with_its_line_and_the_mend(case: str, line: int, says: str) -> None:
    found = problems_of(BOOK, case)
    assert any(one.startswith(f"demo.test.yaml:{line}:") and says in one for one in found), found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("playbook: dem\ntests: [{name: a, expect: {status: failed}}]", "did you mean `demo`?"),
        ("playbook: demo\ntests: []", "`tests` is a list with at least one test"),
        ("playbook: demo", "a test file needs the key `tests`"),
        ("tests: [", "demo.test.yaml:1:9: this does not fit here"),
        ("[]", "a test file is a map"),
    ],
)
def test_a_file_without_tests_of_a_playbook_that_is_there_says_so(text: str, says: str) -> None:
    suite = read_suite(text, "demo.test.yaml", {"demo": BOOK}, ACTIONS)
    assert suite.cases == ()
    assert any(says in str(problem) for problem in suite.problems), suite.problems
