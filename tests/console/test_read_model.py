"""What the read model makes of records: repeats, conflicts, orders, garbage, age."""

import asyncio

import pytest

from console.read_model.pruning import prune
from console.read_model.runs import run_records, run_row
from schemas.events import StepAnswered, StepAsked, StepRetryScheduled
from schemas.topics import ALERTS, DECISIONS, RUN_JOURNAL
from tests.console.memory_log import MemoryLog
from tests.console.model_bench import Open, everything, fill, status, until
from tests.console.samples import (
    ALERT,
    FINISHED,
    REQUESTED,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    matched,
    with_fields,
)


async def test_what_comes_twice_counts_once(log: MemoryLog, open_model: Open) -> None:
    model = await open_model()
    await log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await until(lambda: model.state.records == 2)
    before = await everything(model)

    await log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await until(lambda: model.state.records == 4)

    after = await everything(model)
    assert {**after, "positions": []} == {**before, "positions": []}
    assert model.state.conflicts == 0


async def test_a_journal_record_that_comes_again_with_other_content_is_an_alarm_and_the_first_stays(
    log: MemoryLog, open_model: Open, caplog: pytest.LogCaptureFixture
) -> None:
    model = await open_model()
    await log.write(RUN_JOURNAL, RUN, WHOLE_RUN[0], with_fields(WHOLE_RUN[0], at_ms=5))
    await until(lambda: model.state.records == 2)

    assert model.state.conflicts == 1
    assert "ALARM" in caplog.text
    (row,) = (await everything(model))["run_records"]
    assert row[2] == WHOLE_RUN[0].at_ms


async def test_a_run_is_waiting_while_a_retry_or_a_person_is_waited_for(
    log: MemoryLog, open_model: Open
) -> None:
    model = await open_model()
    retry = StepRetryScheduled(step="look", attempt=1, kind="timeout", message="slow", due_ms=9, reason="why")
    ask = StepAsked(step="look", question="again?", choices=("yes",), due_ms=9, on_timeout="fail")
    answer = StepAnswered(step="look", choice="yes", actor="ann")
    seen = []
    for seq, events in enumerate(
        [(STARTED, REQUESTED), (retry,), (REQUESTED,), (ask,), (answer,), (FINISHED,)]
    ):
        await log.write(RUN_JOURNAL, RUN, journal(seq + 1, *events))
        await until(lambda seq=seq: model.state.records == seq + 1)  # type: ignore[misc]  # a bound default
        seen.append(await status(model))

    assert seen == ["running", "waiting", "running", "waiting", "running", "succeeded"]


@pytest.mark.parametrize("order", ["decisions first", "journal first"])
async def test_the_journal_has_the_last_word_in_whatever_order_the_topics_come(
    log: MemoryLog, open_model: Open, order: str
) -> None:
    model = await open_model()
    decisions = [decided("queued", 5, rule="max_running", reason="20 are running"), decided("started", 9)]
    if order == "decisions first":
        await log.write(DECISIONS, ALERT, *decisions)
    await log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await until(lambda: model.state.records >= 2)
    if order == "journal first":
        await log.write(DECISIONS, ALERT, *decisions)
    await until(lambda: model.state.records == 4)

    row = await model.query(lambda connection: run_row(connection, RUN))
    assert row is not None
    assert (row["status"], row["message"], row["started_at_ms"]) == ("succeeded", "", 1_000)


async def test_a_candidate_that_never_runs_says_by_which_rule(log: MemoryLog, open_model: Open) -> None:
    model = await open_model()
    queued = decided("queued", 5, rule="max_running", reason="20 are running")
    dropped = decided("dropped", 6, rule="on_recovered", reason="the alert recovered")
    # The first decision comes once more: a redelivered alert is answered again.
    await log.write(DECISIONS, ALERT, queued, dropped, queued)
    await until(lambda: model.state.records == 3)

    row = await model.query(lambda connection: run_row(connection, RUN))
    assert row is not None
    assert (row["status"], row["message"]) == ("dropped", "on_recovered: the alert recovered")


async def test_garbage_on_a_topic_is_passed_over(log: MemoryLog, open_model: Open) -> None:
    model = await open_model()
    await log.append(RUN_JOURNAL, RUN.encode(), b"\xc3\x01 garbage")
    await log.append(RUN_JOURNAL, RUN.encode(), b"")
    await log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await until(lambda: model.state.records == 4)

    assert model.state.unreadable == 2
    assert await status(model) == "succeeded"


async def test_other_records_than_it_knows_change_nothing(log: MemoryLog, open_model: Open) -> None:
    from schemas.alerts import AlertReceived

    model = await open_model()
    stranger = AlertReceived(alert_id=ALERT, endpoint="demo", received_at_ms=1, raw=b"")
    await log.write(DECISIONS, ALERT, stranger)
    await log.write(ALERTS, ALERT, stranger)
    await until(lambda: model.state.records == 1)

    assert (await everything(model))["alerts"] == []


async def test_watchers_are_told_after_the_commit_and_only_of_their_run(
    log: MemoryLog, open_model: Open
) -> None:
    model = await open_model()
    with model.watchers.watch(RUN) as mine, model.watchers.watch("r-other") as others:
        await log.write(RUN_JOURNAL, RUN, WHOLE_RUN[0])
        async with asyncio.timeout(5):
            await mine.wait()
        records = await model.query(lambda connection: run_records(connection, RUN, 0, 9))
        assert len(records) == 1
        assert not others.is_set()
    assert len(model.watchers) == 0


async def test_rows_go_when_their_topic_has_let_go_of_them(log: MemoryLog, open_model: Open) -> None:
    await fill(log)
    await log.write(
        DECISIONS, "a-late", matched("a-late", summary=with_fields(matched().summary, received_at_ms=9_000))
    )
    await log.write(RUN_JOURNAL, "r-live", journal(1, STARTED, run_id="r-live"))
    model = await open_model()
    kept: dict[str, int | None] = {
        "decisions": 1_000,
        "run-journal": 1_000,
        "publications": None,
        "dead-letters": None,
    }

    gone = await asyncio.to_thread(lambda: prune(model._writer, kept, 6_000))

    rows = await everything(model)
    assert gone == 5
    assert [row[0] for row in rows["alerts"]] == ["a-late"]
    assert [row[0] for row in rows["runs"]] == ["r-live"]
    assert [row[0] for row in rows["run_records"]] == ["r-live"]
    assert len(rows["publications"]) == len(rows["dead_letters"]) == 1
