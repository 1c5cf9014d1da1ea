"""`pulsebook run show` says what a run asks, `run answer` answers it."""

import pytest

from schemas.events import StepAnswered, StepAsked
from schemas.inbox import Answered
from schemas.topics import RUN_INBOX, RUN_JOURNAL
from tests.cli.conftest import Pulsebook, Served
from tests.console.samples import REQUESTED, RUN, STARTED, journal

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
