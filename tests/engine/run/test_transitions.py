"""Every legal move of a step, a run and a block is walked by a run, from given by when to then."""

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from engine.run.evolving import evolve
from engine.run.moves import BLOCK_MOVES, MAY_BE_UNKNOWN, RUN_MOVES, STEP_MOVES
from engine.run.state import ENDED, Run, Stamp
from engine.run.stepping import StepEvent
from schemas.events import JournalRecord, RunEvent, StepFailed
from tests.engine.run.given import names
from tests.engine.run.stories import STORIES
from tests.engine.run.transitions import STEP_WALKS, UNKNOWN_WALKS, Walk
from tests.engine.run.transitions_run import NEVER, RUN_WALKS
from tests.schemas.sample_events import EVENTS


class Moved(NamedTuple):
    """The row before an event, and after it."""

    before: Run
    event: RunEvent
    after: Run | None

    def phases(self) -> tuple[str | None, str | None]:
        """Of the step that the event is about."""
        path = getattr(self.event, "step", "")
        return phase_of(self.before, path), phase_of(self.after, path)


def phase_of(run: Run | None, path: str) -> str | None:
    state = run.steps.get(path) if run else None
    return state.phase if state else None


def moves(run: Run | None, journal: list[JournalRecord]) -> Iterator[Moved]:
    """Event by event."""
    for record in journal:
        for event in record.events:
            before = run
            run = evolve(run, event, Stamp(record.run_id, record.seq, record.cause_offset, record.at_ms))
            if before is not None:
                yield Moved(before, event, run)


@pytest.mark.parametrize(
    ("phase", "event"),
    [(phase, event) for phase, found in STEP_MOVES.items() for event in found],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_a_step_moves_as_the_table_says(phase: Any, event: Any) -> None:
    moved = [
        each.phases()
        for each in walked(STEP_WALKS[phase, event])
        if type(each.event) is event and each.phases()[0] == phase
    ]
    assert moved[0] in ((phase, STEP_MOVES[phase][event]), (phase, "unknown"))


def walked(walk: Walk) -> list[Moved]:
    """What its input leads to, which must be what it says."""
    life = walk.given()
    row, told = life.row, len(life.journal)
    walk.when(life)
    assert names(life.journal[-1].events) == walk.then.split()
    return list(moves(row, life.journal[told:]))


@pytest.mark.parametrize("phase", STEP_MOVES)
def test_an_event_that_no_move_of_the_table_takes_leaves_the_same_row(phase: Any) -> None:
    run, path = standing(phase)
    stamp = Stamp(run.run_id, run.seq, run.applied, run.at_ms)
    attempt = run.steps[path].attempt if path in run.steps else 0
    illegal = {type(each): each for each in EVENTS if isinstance(each, StepEvent)}
    for event in (each for kind, each in illegal.items() if kind not in STEP_MOVES[phase]):
        there = {"step": path, "attempt": attempt}
        about = replace(event, **{key: there[key] for key in there if hasattr(event, key)})
        assert evolve(run, about, stamp) is run, type(event)


def standing(phase: Any) -> tuple[Run, str]:
    """A live row that has a step in that phase, and its path."""
    for each in all_moves():
        path = getattr(each.event, "step", "")
        if each.before.status not in ENDED and path and phase_of(each.before, path) == phase:
            return each.before, path
        if each.after and each.after.status not in ENDED and path and phase_of(each.after, path) == phase:
            return each.after, path
    raise AssertionError(f"no walk leads to {phase}")


def test_every_walk_is_a_move_of_the_table() -> None:
    assert set(STEP_WALKS) == {(phase, event) for phase, found in STEP_MOVES.items() for event in found}


@pytest.mark.parametrize("phase", UNKNOWN_WALKS)
def test_a_failure_may_leave_a_step_unknown(phase: Any) -> None:
    moved = [each.phases() for each in walked(UNKNOWN_WALKS[phase]) if type(each.event) is StepFailed]
    assert moved == [(phase, "unknown")]
    assert set(UNKNOWN_WALKS) == MAY_BE_UNKNOWN


@pytest.mark.parametrize("walk", RUN_WALKS, ids=lambda walk: walk.then)
def test_a_run_does_what_is_told_of_it(walk: Walk) -> None:
    assert walked(walk)


@cache
def all_moves() -> list[Moved]:
    """Of all stories and walks."""
    lives = [story() for story in STORIES.values()]
    for walk in (*STEP_WALKS.values(), *RUN_WALKS):
        lives.append(walk.given())
        walk.when(lives[-1])
    return list(chain.from_iterable(moves(None, life.journal) for life in lives))


def test_a_run_makes_every_move_of_its_table() -> None:
    walked = {(each.before.status, type(each.event)) for each in all_moves()}
    legal = {(status, event) for status, found in RUN_MOVES.items() for event in found}
    unseen = legal - walked - NEVER
    assert not unseen, sorted((status, event.__name__) for status, event in unseen)
    assert walked <= legal - NEVER


def test_a_run_enters_every_block_from_every_block_that_may_come_before_it() -> None:
    walked = {
        (each.before.block, each.after.block)
        for each in all_moves()
        if each.after and each.after.status not in ENDED and each.after.block != each.before.block
    }
    assert walked == {(block, after) for block, found in BLOCK_MOVES.items() for after in found}
