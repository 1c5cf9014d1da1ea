"""The edges of `advance`: which rules it can follow, stale rows, faults of our own."""

from typing import Any

from msgspec.structs import replace

from engine.run.advancing import Advanced, advance, expects_newer, failed_internally, refold
from schemas.admissions import RunEnded
from schemas.events import JournalRecord, Reported, RunFinished, RunStarted
from schemas.inbox import CancelRequested, RunRequested, StepClaimed, TimerFired
from schemas.outgoing import Cause
from tests.engine.run.given import NOON_MS, RUN_ID, Life, a_playbook, a_request, a_step, compiled, names, one

CAUSE = Cause("run-inbox", 4, 1_000, NOON_MS)
BOOK = compiled(a_playbook())


def requested(**fields: Any) -> RunRequested:
    return a_request(BOOK, **fields)


def journal_of(advanced: Advanced) -> JournalRecord:
    assert advanced.journal is not None
    return advanced.journal


def ended_of(advanced: Advanced) -> RunEnded:
    (sent,) = advanced.sends
    assert isinstance(sent.record, RunEnded)
    return sent.record


def test_the_record_says_what_caused_it() -> None:
    record = journal_of(advance(None, requested(), CAUSE, BOOK))
    assert (record.run_id, record.playbook, record.seq, record.at_ms) == (RUN_ID, "demo", 1, NOON_MS)
    assert (record.cause_topic, record.cause_partition, record.cause_offset) == ("run-inbox", 4, 1_000)


def test_an_input_whose_offset_was_applied_is_never_taken_for_a_new_one() -> None:
    life = Life(a_playbook(a_step("kill", action="touch", on_unknown="ask")))
    life.fail("timeout", status="unknown")
    life.reply("retry")
    first_answer, cause = life.inputs[-1]
    life.fail("timeout", status="unknown")
    assert life.live.steps["kill"].phase == "asking"
    again = advance(life.row, first_answer, cause, life.book)
    assert again.row is life.row and again.journal is None


def test_a_run_of_an_engine_number_that_is_not_known_fails_clearly() -> None:
    advanced = advance(None, requested(engine=99), CAUSE, BOOK)
    record = journal_of(advanced)
    assert names(record.events) == ["RunStarted", "Reported", "RunFinished"]
    assert one(RunFinished, record.events).kind == "internal"
    assert (
        one(RunFinished, record.events).message == "the run follows engine number 99; this version knows 1, 2"
    )
    assert one(RunStarted, record.events).engine == 99
    assert advanced.row is not None and advanced.row.status == "failed"
    assert refold([record]) == advanced.row


def test_a_live_run_of_an_engine_number_that_is_not_known_fails_clearly() -> None:
    row = advance(None, requested(), CAUSE, BOOK).row
    assert row is not None and row.started is not None
    newer = replace(row, started=replace(row.started, engine=99))
    record = journal_of(advance(newer, CancelRequested(run_id=RUN_ID, actor=""), replace_offset(1_001), BOOK))
    assert names(record.events) == ["StepCancelled", "Reported", "RunFinished"]


def test_a_revision_that_is_not_in_the_catalog_fails_the_run() -> None:
    record = journal_of(advance(None, requested(), CAUSE, None))
    assert "is not in the catalog" in one(RunFinished, record.events).message


def test_a_run_is_never_carried_on_with_another_revision() -> None:
    other = compiled(a_playbook(a_step("other")))
    record = journal_of(advance(None, requested(), CAUSE, other))
    assert "was handed" in one(RunFinished, record.events).message


def test_the_end_of_a_run_needs_no_playbook() -> None:
    life = Life(a_playbook())
    life.succeed()
    forget = TimerFired(row=RUN_ID, timer="forget", due_ms=life.finished.forget_ms)
    cause = Cause("run-inbox", 4, 9_000, life.finished.forget_ms)
    assert advance(life.row, forget, cause, None).forgotten


def test_an_input_for_a_run_that_is_not_there_changes_nothing() -> None:
    for record in (
        CancelRequested(run_id=RUN_ID, actor=""),
        TimerFired(row=RUN_ID, timer="timeout", due_ms=1),
    ):
        advanced = advance(None, record, CAUSE, BOOK)
        assert (advanced.row, advanced.journal, advanced.sends, advanced.forgotten) == (None, None, (), False)


def test_a_second_request_of_a_live_run_is_a_repeat() -> None:
    life = Life(a_playbook())
    assert life.feed(a_request(life.book)) == ()


def test_a_fault_of_ours_ends_the_run_and_is_reported() -> None:
    life = Life(a_playbook(report=()))
    record = CancelRequested(run_id=RUN_ID, actor="ann")
    advanced = failed_internally(
        life.row, record, Cause("run-inbox", 4, 500, NOON_MS), "ZeroDivisionError in x"
    )
    journal = journal_of(advanced)
    assert names(journal.events) == ["StepCancelled", "Reported", "RunFinished"]
    finished = one(RunFinished, journal.events)
    assert (finished.kind, finished.message) == ("internal", "ZeroDivisionError in x")
    assert "ZeroDivisionError in x" in one(Reported, journal.events).text
    assert refold([*life.journal, journal]) == advanced.row
    assert ended_of(advanced).status == "failed"


def test_a_fault_at_the_very_start_leaves_a_whole_run_behind() -> None:
    advanced = failed_internally(None, requested(), CAUSE, "broken")
    journal = journal_of(advanced)
    assert names(journal.events) == ["RunStarted", "Reported", "RunFinished"]
    assert refold([journal]) == advanced.row
    assert ended_of(advanced).key == "monitor/group"


def test_a_fault_changes_nothing_where_there_is_no_live_run() -> None:
    life = Life(a_playbook())
    life.succeed()
    record = CancelRequested(run_id=RUN_ID, actor="ann")
    assert failed_internally(life.row, record, replace_offset(9_000), "broken").journal is None
    assert failed_internally(None, record, CAUSE, "broken").journal is None


def test_a_fault_in_an_input_that_was_applied_already_changes_nothing() -> None:
    life = Life(a_playbook())
    advanced = failed_internally(life.row, a_request(life.book), replace_offset(life.live.applied), "broken")
    assert advanced.row is life.row and advanced.journal is None


def test_an_input_that_answers_what_the_row_has_not_seen_shows_that_the_row_is_stale() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    stale = life.row
    life.succeed()
    answer = life.answer(status="succeeded")
    claim = life.claim()
    assert isinstance(claim, StepClaimed)
    assert expects_newer(stale, answer) and expects_newer(stale, claim)
    assert expects_newer(None, answer)
    assert not expects_newer(life.row, answer)
    assert not expects_newer(None, CancelRequested(run_id=RUN_ID, actor=""))
    assert not expects_newer(stale, TimerFired(row=RUN_ID, timer="timeout", due_ms=1))


def test_a_stale_row_is_made_good_by_the_journal() -> None:
    life = Life(a_playbook(a_step("one"), a_step("two")))
    life.succeed()
    answer = life.answer(status="succeeded")
    rebuilt = refold(life.journal)
    cause = Cause("run-inbox", 4, 5_000, NOON_MS)
    assert advance(rebuilt, answer, cause, life.book) == advance(life.row, answer, cause, life.book)


def replace_offset(offset: int) -> Cause:
    return Cause("run-inbox", 4, offset, NOON_MS)
