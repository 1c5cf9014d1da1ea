"""Which steps the journal leaves open, and what it says about them."""

import pytest

from executor.open_steps import Closed, Granted, Opened, OpenSteps, Refused
from schemas.events import (
    BlockEntered,
    RunEvent,
    RunFinished,
    RunForgotten,
    StepAsked,
    StepCancelled,
    StepClaimRefused,
    StepFailed,
    StepLate,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
)
from tests.executor.records import ME, OTHER, granted, journal, requested

SUCCEEDED = StepSucceeded(step="restart", attempt=1)
FAILED = StepFailed(step="restart", attempt=1, kind="timeout", message="slow")
RETRY = StepRetryScheduled(
    step="restart", attempt=1, kind="timeout", message="slow", due_ms=5, reason="1 of 3"
)
ASKED = StepAsked(step="restart", attempt=1, question="?", choices=("a",), due_ms=5, on_timeout="fail")
CANCELLED = StepCancelled(step="restart", attempt=1, reason="cancel")
ENTERED = BlockEntered(block="finally", due_ms=5, status="cancelled")
FINISHED = RunFinished(status="failed", forget_ms=5)


def given(*events: RunEvent) -> OpenSteps:
    """A partition whose journal holds one record per event."""
    steps = OpenSteps(0)
    for i, event in enumerate(events):
        steps.apply(10 + i, journal(1 + i, event), 100)
    return steps


def open_names(steps: OpenSteps) -> list[tuple[str, int]]:
    return [(step.request.step, step.request.attempt) for step in steps]


def test_a_requested_step_is_open() -> None:
    steps = OpenSteps(0)
    [change] = steps.apply(10, journal(1, requested()), 100)
    assert isinstance(change, Opened)
    assert (change.step.offset, change.step.seq, change.step.key) == (10, 1, ("r-1", "restart", 1))
    assert open_names(steps) == [("restart", 1)]


@pytest.mark.parametrize("event", [SUCCEEDED, FAILED, RETRY, ASKED])
def test_an_outcome_closes_a_step(event: RunEvent) -> None:
    steps = given(requested())
    [change] = steps.apply(20, journal(5, event), 100)
    assert isinstance(change, Closed) and not change.cancelled
    assert open_names(steps) == []


@pytest.mark.parametrize("event", [CANCELLED, ENTERED, FINISHED, RunForgotten()])
def test_a_step_that_is_no_longer_wanted_is_cancelled(event: RunEvent) -> None:
    steps = given(requested())
    [change] = steps.apply(20, journal(5, event), 100)
    assert isinstance(change, Closed) and change.cancelled
    assert not change.step.open


@pytest.mark.parametrize(
    "event",
    [StepLate(step="restart", attempt=1, status="failed"), StepSkipped(step="restart")],
)
def test_what_does_not_end_a_step_leaves_it_open(event: RunEvent) -> None:
    steps = given(requested())
    assert steps.apply(20, journal(5, event), 100) == []
    assert open_names(steps) == [("restart", 1)]


def test_the_steps_of_a_block_that_is_entered_in_the_same_record_stay_open() -> None:
    steps = given(requested())
    steps.apply(20, journal(5, ENTERED, requested("unlock")), 100)
    assert open_names(steps) == [("unlock", 1)]


def test_other_runs_are_left_alone() -> None:
    steps = given(requested())
    steps.apply(20, journal(1, requested(), run_id="r-2"), 100)
    steps.apply(21, journal(2, FINISHED, run_id="r-2"), 100)
    assert [step.run_id for step in steps] == ["r-1"]


def test_a_later_attempt_is_not_closed_by_the_outcome_of_an_earlier_one() -> None:
    steps = given(requested(attempt=1), RETRY, requested(attempt=2))
    assert steps.apply(20, journal(9, SUCCEEDED), 100) == []
    assert open_names(steps) == [("restart", 2)]


def test_a_repeated_record_changes_nothing() -> None:
    steps = given(requested(), SUCCEEDED)
    assert steps.apply(20, journal(1, requested()), 100) == []
    assert open_names(steps) == []


def test_a_grant_is_told_with_the_step_it_is_for() -> None:
    steps = given(requested(repeatable=False))
    [change] = steps.apply(20, journal(2, granted(to=OTHER)), 100)
    assert isinstance(change, Granted)
    assert change.step.grant is not None and change.step.grant.instance == OTHER.instance


def test_a_refused_claim_is_told_and_leaves_the_step_open() -> None:
    steps = given(requested(repeatable=False))
    event = StepClaimRefused(step="restart", attempt=1, instance=ME.instance, boot=ME.boot, reason="granted")
    [change] = steps.apply(20, journal(2, event), 100)
    assert isinstance(change, Refused)
    assert (change.instance, change.boot) == (ME.instance, ME.boot)
    assert open_names(steps) == [("restart", 1)]


def test_open_steps_come_in_the_order_of_their_requests() -> None:
    steps = OpenSteps(0)
    steps.apply(1, journal(1, requested("a"), run_id="r-2"), 100)
    steps.apply(2, journal(1, requested("b"), run_id="r-1"), 100)
    steps.apply(3, journal(2, requested("c"), run_id="r-2"), 100)
    assert [step.request.step for step in steps] == ["a", "b", "c"]
