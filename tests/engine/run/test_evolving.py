"""The fold alone: it is total, and an event without a legal move leaves the very same run."""

import pytest
from msgspec.structs import replace

from engine.run.evolving import evolve, refold
from engine.run.state import Run, Stamp, decode_row, encode_row
from schemas.events import (
    BlockEntered,
    RunEvent,
    RunFinished,
    RunForgotten,
    RunStarted,
    StepAnswered,
    StepCancelled,
    StepFailed,
    StepGranted,
    StepRequested,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)
from tests.engine.run.given import NOON_MS, RUN_ID, Life, a_playbook, a_step

STARTED = RunStarted(
    playbook="demo", revision="d", engine=1, request_id="a-1", via="alert", due_ms=NOON_MS + 60_000
)


def requested(attempt: int = 1) -> StepRequested:
    return StepRequested(
        step="pods",
        attempt=attempt,
        action="look",
        repeatable=False,
        timeout_ms=10,
        start_by_ms=NOON_MS + 10,
        deadline_ms=NOON_MS + 20,
        idempotency_key="k",
    )


def folded(*events: RunEvent) -> Run:
    run: Run | None = None
    for event in (STARTED, *events):
        run = evolve(run, event, Stamp(RUN_ID, 1, 7, NOON_MS))
    assert run is not None
    return run


def granted(attempt: int = 1) -> StepGranted:
    return StepGranted(
        step="pods", attempt=attempt, instance="e", boot="b", booted_at_ms=1, until_ms=NOON_MS + 15
    )


def succeeded(attempt: int = 1, step: str = "pods") -> StepSucceeded:
    return StepSucceeded(step=step, attempt=attempt, output="x")


def failed(attempt: int = 1) -> StepFailed:
    return StepFailed(step="pods", attempt=attempt, kind="timeout", message="m")


RETRY = StepRetryScheduled(
    step="pods", attempt=1, kind="timeout", message="m", due_ms=NOON_MS + 5, reason="r"
)
FINISHED = RunFinished(status="succeeded", forget_ms=NOON_MS + 100)
FINALLY = BlockEntered(block="finally", due_ms=NOON_MS + 50, status="succeeded")
ON_FAILURE = BlockEntered(block="on_failure", due_ms=NOON_MS + 50, status="failed")


@pytest.mark.parametrize(
    ("before", "event"),
    [
        ((), STARTED),
        ((), RunForgotten()),
        ((), succeeded()),
        ((), granted()),
        ((), requested(2)),
        ((), StepAnswered(step="pods", choice="retry")),
        ((requested(),), requested(1)),
        ((requested(),), succeeded(2)),
        ((requested(),), succeeded(1, "other")),
        ((requested(),), StepSkipped(step="pods")),
        ((requested(), granted()), granted()),
        ((requested(), succeeded()), succeeded()),
        ((requested(), succeeded()), failed()),
        ((requested(), succeeded()), requested(2)),
        ((requested(), succeeded()), VarsSet(step="pods", values={"a": 1})),
        ((requested(), failed()), StepCancelled(step="pods", attempt=1, reason="")),
        ((requested(), RETRY), granted()),
        ((FINALLY,), ON_FAILURE),
        ((FINALLY,), FINALLY),
        ((FINISHED,), requested()),
        ((FINISHED,), FINISHED),
        ((FINISHED,), STARTED),
        ((FINISHED,), replace(FINISHED, status="failed")),
    ],
)
def test_an_event_without_a_legal_move_leaves_the_same_run(
    before: tuple[RunEvent, ...], event: RunEvent
) -> None:
    run = folded(*before)
    assert evolve(run, event, Stamp(RUN_ID, 1, 7, NOON_MS)) is run


def test_nothing_comes_of_nothing_but_a_start() -> None:
    assert evolve(None, FINISHED, Stamp(RUN_ID, 1, 7, NOON_MS)) is None
    assert folded().status == "running"


def test_each_timer_goes_when_what_it_was_for_is_over() -> None:
    assert folded(requested()).timers == {"timeout": NOON_MS + 60_000, "deadline/pods/1": NOON_MS + 20}
    assert folded(requested(), granted()).timers["deadline/pods/1"] == NOON_MS + 15
    assert folded(requested(), RETRY).timers == {"timeout": NOON_MS + 60_000, "retry/pods/1": NOON_MS + 5}
    assert folded(requested(), RETRY, requested(2)).timers == {
        "timeout": NOON_MS + 60_000,
        "deadline/pods/2": NOON_MS + 20,
    }
    assert folded(requested(), succeeded()).timers == {"timeout": NOON_MS + 60_000}
    assert folded(requested(), succeeded(), FINALLY).timers == {"finally": NOON_MS + 50}
    assert folded(requested(), FINISHED).timers == {"forget": NOON_MS + 100}


def test_what_only_matters_under_way_is_dropped_at_the_end_of_a_step() -> None:
    state = folded(requested(), granted(), succeeded()).steps["pods"]
    assert (state.phase, state.attempt, state.output) == ("succeeded", 1, "x")
    assert (state.grant, state.deadline_ms, state.first_at_ms, state.requested_seq) == (None, 0, 0, 0)


def test_within_counts_from_the_first_attempt() -> None:
    run = folded(requested(), RETRY)
    later = evolve(run, requested(2), Stamp(RUN_ID, 2, 8, NOON_MS + 9_000))
    assert later is not None
    assert later.steps["pods"].first_at_ms == NOON_MS
    assert later.steps["pods"].requested_seq == 2


def test_seq_offset_and_time_are_those_of_the_last_record() -> None:
    run = evolve(folded(), requested(), Stamp(RUN_ID, 2, 19, NOON_MS + 3))
    assert run is not None
    assert (run.seq, run.applied, run.at_ms, run.started_at_ms) == (2, 19, NOON_MS + 3, NOON_MS)


def test_a_refold_drops_repeated_records() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    life.succeed()
    doubled = [record for record in life.journal for _ in range(2)] + life.journal[:1]
    assert refold(doubled) == life.row
    assert refold([]) is None


def test_rows_come_back_from_their_bytes_and_rubbish_does_not() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")), inputs={})
    life.succeed({"z": 1, "a": [2**70, None, "\u2603"]})
    data = encode_row(life.live)
    assert decode_row(data) == life.live
    for rubbish in (b"", b"\x00", data[:-1], b"{}", b'{"run_id": 1}'):
        with pytest.raises(ValueError, match=r"."):
            decode_row(rubbish)


def test_equal_rows_have_equal_bytes_whatever_the_order_of_their_maps() -> None:
    one = folded(VarsSet(step="#1", values={"a": 1}), VarsSet(step="#2", values={"b": {"x": 1, "y": 2}}))
    two = replace(
        one, variables={"b": {"y": 2, "x": 1}, "a": 1}, steps=dict(reversed(list(one.steps.items())))
    )
    assert one == two
    assert encode_row(one) == encode_row(two)
