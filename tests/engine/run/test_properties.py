"""Walk legally to the end, then disturb: what must hold of any playbook, any answers, any noise.

`Life` checks after every input that it is deterministic, that a redelivery changes nothing, that the row
is the refold of the journal and that both come back from their bytes.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.playbook.model import Playbook
from engine.run.evolving import evolve, fold
from engine.run.state import ENDED, Run, Stamp
from schemas.admissions import RunEnded
from schemas.events import RunForgotten, StepLate
from schemas.inbox import Answered, CancelRequested, InboxRecord, RunRecovered, StepFinished, TimerFired
from tests.engine.run.given import RUN_ID, Life, an_alert
from tests.engine.run.worlds import World, flowing, playbooks

INPUTS_MAX = 2_000
"""Of a run of some steps, 4 attempts each, with some inputs per attempt, in loops within loops."""

ALERT = an_alert(body="a @mention", tag_list=("env:prod", "team:a", "team:b"), metadata={"big": 2**80})
thorough = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def walk(data: st.DataObject, life: Life) -> None:
    """Feed what may happen until the run has ended."""
    world = World(data.draw, life)
    for _ in range(INPUTS_MAX):
        if life.row is None or life.ended:
            return
        record, at_ms = world.step()
        life.feed(record, at_ms=at_ms)
    raise AssertionError("the run does not end")


@thorough
@given(playbooks() | flowing(), st.data())
def test_every_run_comes_to_an_end(playbook: Playbook, data: st.DataObject) -> None:
    life = Life(playbook, alert=ALERT)
    walk(data, life)
    assert [record.seq for record in life.journal] == list(range(1, len(life.journal) + 1))
    ended = [sent.record for sent in life.sends if isinstance(sent.record, RunEnded)]
    assert len(ended) == 1
    assert life.finished.status == life.status
    life.fire("forget")
    assert life.row is None


@thorough
@given(playbooks() | flowing(), st.data())
def test_a_repeat_of_a_recorded_input_changes_nothing(playbook: Playbook, data: st.DataObject) -> None:
    life = Life(playbook, alert=ALERT)
    world = World(data.draw, life)
    recorded: list[InboxRecord] = [life.inputs[0][0]]
    while not life.ended and len(life.inputs) < INPUTS_MAX:
        record, at_ms = world.step()
        if life.feed(record, at_ms=at_ms):
            recorded.append(record)
        repeat = data.draw(st.sampled_from(recorded))
        before = life.row
        # A second question about the same step may be answered by the words of the first answer.
        if not isinstance(repeat, Answered):
            assert life.feed(repeat, at_ms=life.at_ms) == ()
            assert life.row is before
    for record in recorded:
        assert life.feed(record, at_ms=life.at_ms) == ()


@thorough
@given(playbooks() | flowing(), st.data())
def test_no_noise_keeps_a_run_from_its_end_or_moves_it_after(playbook: Playbook, data: st.DataObject) -> None:
    life = Life(playbook, alert=ALERT)
    world = World(data.draw, life)
    for _ in range(data.draw(st.integers(0, 12))):
        if life.ended:
            break
        record, at_ms = world.step()
        life.feed(record, at_ms=at_ms)
    life.feed(data.draw(st.sampled_from(noises(life))), at_ms=life.at_ms)
    walk(data, life)
    end = life.live
    for noise in noises(life):
        for event in life.feed(noise, at_ms=life.at_ms):
            assert isinstance(event, StepLate)
        assert life.live.status == end.status
        assert life.live.timers == end.timers


@thorough
@given(playbooks() | flowing(), st.data())
def test_events_in_any_order_never_break_the_fold(playbook: Playbook, data: st.DataObject) -> None:
    life = Life(playbook, alert=ALERT)
    walk(data, life)
    events = data.draw(st.permutations(life.events))
    run: Run | None = fold(None, life.journal[0])
    for at, event in enumerate(events):
        ended = run is not None and run.status in ENDED
        after = evolve(run, event, Stamp(RUN_ID, 100 + at, 100 + at, life.at_ms))
        if ended and after is not None and run is not None:
            assert after.status == run.status, "a finished run never moves"
        if ended and after is None:
            assert isinstance(event, RunForgotten)
        run = after


def noises(life: Life) -> list[InboxRecord]:
    """Late, early, out of order, foreign, and what people do at any time."""
    past: list[InboxRecord] = [record for record, _ in life.inputs]
    timers = [TimerFired(row=RUN_ID, timer=timer, due_ms=0) for timer in life.live.timers]
    foreign: list[Any] = [
        answer(path, attempt, seq, status)
        for path in [*life.book.steps, "nowhere"]
        for attempt, seq, status in [(0, 0, "succeeded"), (1, 1, "failed"), (2, life.live.seq, "unknown")]
    ]
    people: list[InboxRecord] = [
        CancelRequested(run_id=RUN_ID, actor="ann"),
        RunRecovered(run_id=RUN_ID, alert_id="a-9", recovered_at_ms=1, cancel=True),
        Answered(run_id=RUN_ID, step="s1", choice="retry", actor="bob"),
    ]
    return [*past, *timers, *foreign, *people]


def answer(path: str, attempt: int, seq: int, status: Any) -> StepFinished:
    return StepFinished(run_id=RUN_ID, step=path, attempt=attempt, answers_seq=seq, status=status)
