"""`pulsebook run show` says what a run asks, `run answer` answers it."""

import shlex
from collections.abc import Callable

import pytest

from schemas.events import StepAnswered, StepAsked
from schemas.ids import digest
from schemas.inbox import Answered
from schemas.topics import RUN_INBOX, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.nested_run import nested_life
from tests.console.samples import REQUESTED, RUN, STARTED, journal, with_fields
from tests.engine.run.given import RUN_ID

ASKED = StepAsked(
    step="look",
    attempt=1,
    question="did it take effect?",
    choices=("retry", "fail", "continue"),
    due_ms=1_795_000_000_000,
    on_timeout="fail",
)


@pytest.fixture
def asking(web: Served) -> Served:
    web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, ASKED))
    return web


def test_a_question_is_shown_with_its_choices_and_how_to_answer(asking: Served, pulsebook: Pulsebook) -> None:
    shown = pulsebook("run", "show", RUN).stdout

    assert "asks      look: did it take effect?" in shown
    assert "one of retry, fail, continue; without an answer by 2026-11-18" in shown
    assert f"answer with: pulsebook run answer {RUN} look retry" in shown


def test_an_answer_is_sent_with_who_gave_it(asking: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("run", "answer", RUN, "look", "continue", "--comment", "it is up")

    assert (done.exit_code, done.stdout) == (0, f"run {RUN}: the step look is answered with continue\n")
    assert asking.records(RUN_INBOX) == [
        Answered(run_id=RUN, step="look", choice="continue", actor="local", comment="it is up")
    ]


@pytest.mark.parametrize(
    ("step", "choice", "exit_code", "says"),
    [
        ("lok", "fail", 2, "the run has no step lok so far; the steps that ask are: look"),
        ("look", "maybe", 2, "the step look can be answered with: retry, fail, continue"),
    ],
)
def test_an_unknown_step_or_choice_is_refused_with_those_there_are(
    asking: Served, pulsebook: Pulsebook, step: str, choice: str, exit_code: int, says: str
) -> None:
    done = pulsebook("run", "answer", RUN, step, choice)
    assert (done.exit_code, done.stderr) == (exit_code, says + "\n")


def test_a_second_answer_is_the_answer_no_and_says_whose_was_the_first(
    asking: Served, pulsebook: Pulsebook
) -> None:
    asking.written(RUN_JOURNAL, RUN, journal(3, StepAnswered(step="look", choice="fail", actor="ann")))

    done = pulsebook("run", "answer", RUN, "look", "retry")

    assert done.exit_code == 1
    assert done.stderr == "the step look was answered already, by ann: fail\n"
    assert "answer with" not in pulsebook("run", "show", RUN).stdout


def test_a_question_of_an_iteration_is_shown_so_that_a_shell_takes_its_answer(
    web: Served, pulsebook: Pulsebook
) -> None:
    web.written(RUN_JOURNAL, RUN_ID, *nested_life().journal)
    shown = pulsebook("run", "show", RUN_ID).stdout

    assert "asks      restart[0].approve: Restart web-1?" in shown
    assert "may answer: admin, ann" in shown
    (line,) = (each for each in shown.splitlines() if "answer with: " in each)
    words = shlex.split(line.partition("answer with: ")[2])
    assert words == ["pulsebook", "run", "answer", RUN_ID, "restart[0].approve", "restart"]

    done = pulsebook(*words[1:-1], "leave it")

    assert (done.exit_code, done.stderr) == (0, "")
    assert [(each.step, each.choice) for each in web.records(RUN_INBOX)] == [
        ("restart[0].approve", "leave it")
    ]


def test_somebody_else_than_is_asked_is_told_who_may_answer(
    make_served: Callable[..., Served], pulsebook: Pulsebook
) -> None:
    web = make_served(auth=True, owner_token_sha256=digest("secret"))
    asks = with_fields(ASKED, attempt=0, by=("ann",))
    web.written(RUN_JOURNAL, RUN, journal(1, STARTED, REQUESTED), journal(2, asks))

    given = {"PULSEBOOK_URL": web.url, "PULSEBOOK_TOKEN": "secret"}
    done = pulsebook("run", "answer", RUN, "look", "fail", env=given)

    assert done.exit_code == 2
    assert done.stderr.startswith("the step look can be answered by: ann; owner is owner")
    assert not web.records(RUN_INBOX)
