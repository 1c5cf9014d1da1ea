"""docs/runs.md shows the tables of the engine. Run this module to write its generated part again."""

from pathlib import Path

from engine.run.moves import RUN_MOVES, STEP_MOVES
from engine.run.picture import RUN_WORDS, STEP_WORDS, page
from engine.run.state import ENDED, OVER
from schemas.events import RunForgotten, StepLate

DOCS = Path(__file__).parents[3] / "docs" / "runs.md"
BEGIN = "<!-- generated from engine/run/moves.py: python -m tests.engine.run.test_docs -->\n"
END = "<!-- end -->"


def test_the_states_in_the_docs_are_those_of_the_tables() -> None:
    text = DOCS.read_text(encoding="utf-8")
    generated = text.partition(BEGIN)[2].partition(END)[0]
    assert generated == page(), "stale: run `python -m tests.engine.run.test_docs`"


def test_every_state_and_every_phase_is_explained() -> None:
    assert list(RUN_WORDS) == list(RUN_MOVES)
    assert list(STEP_WORDS) == [None, *(phase for phase in STEP_WORDS if phase)]
    assert set(STEP_WORDS) == set(STEP_MOVES)


def test_every_phase_but_the_first_can_be_reached() -> None:
    reached = {after for moves in STEP_MOVES.values() for after in moves.values()} | {"unknown"}
    assert reached == set(STEP_MOVES) - {None}


def test_nothing_may_follow_an_end_but_a_late_result_and_being_forgotten() -> None:
    assert all(
        set(RUN_MOVES[status]) == {StepLate, RunForgotten} for status in ("succeeded", "failed", "cancelled")
    )
    assert {status for status in RUN_MOVES if StepLate in RUN_MOVES[status]} == set(RUN_MOVES)
    assert {"succeeded", "failed", "cancelled"} == ENDED


def test_nothing_may_follow_the_end_of_a_step() -> None:
    assert {phase for phase, moves in STEP_MOVES.items() if not moves} == OVER


if __name__ == "__main__":
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    DOCS.write_text(before + BEGIN + page() + END + rest.partition(END)[2], encoding="utf-8")
