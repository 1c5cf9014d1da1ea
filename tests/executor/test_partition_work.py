"""Open steps and offsets of one partition stay in agreement."""

from executor.partition_work import PartitionWork
from schemas.events import RunFinished, StepSucceeded
from tests.executor.records import journal, requested

SUCCEEDED = StepSucceeded(step="restart", attempt=1)


def test_nothing_is_open_before_the_first_record_and_the_end_may_be_here_already() -> None:
    assert PartitionWork(0, 7, "", 7).at_end
    assert not PartitionWork(0, 7, "", 8).at_end


def test_an_ended_step_lets_the_offset_go_on() -> None:
    work = PartitionWork(0, 7, "", 7)
    work.read(7, journal(1, requested()), 300)
    assert (work.progress.position().offset, work.open_bytes) == (7, 300)
    [step] = work.steps
    work.end(step)
    work.end(step)
    assert (work.progress.position().offset, work.open_bytes) == (8, 0)


def test_a_step_that_the_journal_closed_lets_the_offset_go_on() -> None:
    work = PartitionWork(0, 7, "", 7)
    work.read(7, journal(1, requested()), 300)
    work.read(8, journal(2, SUCCEEDED), 200)
    assert (work.progress.position().offset, work.open_bytes) == (9, 0)


def test_a_step_that_opens_and_closes_in_one_record_is_finished() -> None:
    work = PartitionWork(0, 7, "", 7)
    work.read(7, journal(1, requested(), RunFinished(status="failed", forget_ms=1)), 300)
    assert (work.progress.position().offset, work.open_bytes) == (8, 0)


def test_what_the_last_commit_knew_as_finished_is_not_open_again() -> None:
    before = PartitionWork(0, 0, "", 0)
    before.read(0, journal(1, requested(), run_id="r-1"), 100)
    before.read(1, journal(1, requested(), run_id="r-2"), 100)
    before.end(next(step for step in before.steps if step.run_id == "r-2"))
    position = before.progress.position()

    work = PartitionWork(0, position.offset, position.metadata, 2)
    work.read(0, journal(1, requested(), run_id="r-1"), 100)
    work.read(1, journal(1, requested(), run_id="r-2"), 100)
    assert [step.run_id for step in work.steps] == ["r-1"]
    assert work.at_end


def test_a_record_known_as_finished_still_closes_the_steps_before_it() -> None:
    before = PartitionWork(0, 0, "", 0)
    before.read(0, journal(1, requested()), 100)
    before.read(1, journal(1, run_id="r-2"), 100)
    position = before.progress.position()

    work = PartitionWork(0, position.offset, position.metadata, 2)
    work.read(0, journal(1, requested()), 100)
    work.read(1, journal(2, SUCCEEDED, requested("verify")), 100)
    assert list(work.steps) == []
    assert work.progress.position().offset == 2


def test_the_steps_of_an_abandoned_partition_are_over() -> None:
    work = PartitionWork(0, 0, "", 0)
    work.read(0, journal(1, requested()), 100)
    [step] = work.steps
    work.abandon()
    assert not step.open
