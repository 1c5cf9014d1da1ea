"""The read model: whatever is done to its file or its topics, it tells what the log tells."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from console.read_model.log import LogRecord, Place
from console.read_model.model import ReadModel, ReadModelUnavailable
from console.read_model.pruning import prune
from console.read_model.runs import list_runs, run_records, run_row
from schemas.events import StepAnswered, StepAsked, StepRetryScheduled
from schemas.topics import ALERTS, DEAD_LETTERS, DECISIONS, PUBLICATIONS, RUN_JOURNAL, TOPICS
from tests.console.memory_log import MemoryLog
from tests.console.samples import (
    ALERT,
    FINISHED,
    LETTER,
    PUBLISHED,
    REQUESTED,
    RUN,
    STARTED,
    WHOLE_RUN,
    decided,
    journal,
    matched,
    with_fields,
)

FOREVER: dict[str, int | None] = {}
Open = Callable[..., Awaitable[ReadModel]]


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
async def open_model(tmp_path: Path, log: MemoryLog) -> AsyncIterator[Open]:
    """Opens the read model of the test's folder, and waits until it has read everything."""
    opened: list[ReadModel] = []

    async def open_it(source: Any = log) -> ReadModel:
        model = ReadModel(tmp_path / "read-model.sqlite3", source, FOREVER)
        opened.append(model)
        await model.start()
        await until(lambda: model.state.caught_up)
        return model

    yield open_it
    for model in opened:
        await model.stop()


async def until(holds: Callable[[], bool]) -> None:
    """Wait for it, some seconds at most."""
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


async def everything(model: ReadModel) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""

    def ask(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        statements = {name: "SELECT * FROM " + name for name in names}  # noqa: S608  # names of our tables
        return {
            name: sorted(tuple(row) for row in connection.execute(statement))
            for name, statement in statements.items()
        }

    return await model.query(ask)


async def status(model: ReadModel) -> str:
    row = await model.query(lambda connection: run_row(connection, RUN))
    assert row is not None
    return str(row["status"])


async def fill(log: MemoryLog) -> None:
    await log.write(DECISIONS, ALERT, matched(), decided("started"))
    await log.write(RUN_JOURNAL, RUN, *WHOLE_RUN)
    await log.write(PUBLICATIONS, RUN, PUBLISHED)
    await log.write(DEAD_LETTERS, "k", LETTER)


async def test_it_is_the_same_whether_it_was_there_all_along_or_made_again(
    log: MemoryLog, open_model: Open, tmp_path: Path
) -> None:
    model = await open_model()
    await fill(log)
    await until(lambda: model.state.records == 6)
    before = await everything(model)
    await model.stop()
    for file in tmp_path.iterdir():
        file.unlink()

    again = await open_model()

    assert again.state.records == 6
    assert await everything(again) == before
    assert before["runs"] and before["alerts"] and before["publications"] and before["dead_letters"]


async def test_it_goes_on_where_it_stopped(log: MemoryLog, open_model: Open) -> None:
    await fill(log)
    await (await open_model()).stop()
    await log.write(RUN_JOURNAL, "r-other", journal(1, STARTED, run_id="r-other"))

    again = await open_model()

    assert again.state.records == 1
    rows = await again.query(
        lambda connection: list_runs(
            connection, status=None, playbook=None, alert_id=None, since_ms=None, mark=None, limit=9
        )
    )
    assert {row["run_id"] for row in rows} == {RUN, "r-other"}


@pytest.mark.parametrize("damage", ["garbage", "truncated", "middle"])
async def test_a_damaged_file_is_set_aside_and_made_again(
    log: MemoryLog, open_model: Open, tmp_path: Path, damage: str
) -> None:
    await fill(log)
    model = await open_model()
    before = await everything(model)
    await model.stop()
    file = tmp_path / "read-model.sqlite3"
    whole = file.read_bytes()
    damaged = {
        "garbage": b"this is no database" * 100,
        "truncated": whole[: len(whole) // 2 + 100],
        "middle": whole[:4096] + b"\xff" * 8192 + whole[12288:],
    }
    file.write_bytes(damaged[damage])

    again = await open_model()

    assert await everything(again) == before
    assert file.with_name("read-model.sqlite3.broken").exists()


async def test_a_file_of_another_form_is_made_again(log: MemoryLog, open_model: Open, tmp_path: Path) -> None:
    await fill(log)
    model = await open_model()
    before = await everything(model)
    await model.stop()
    with sqlite3.connect(tmp_path / "read-model.sqlite3") as connection:
        connection.execute("DELETE FROM runs")
        connection.execute("PRAGMA user_version = 999")
    connection.close()

    assert await everything(await open_model()) == before


async def test_topics_that_were_made_anew_under_their_names_make_it_begin_again(
    log: MemoryLog, open_model: Open
) -> None:
    await fill(log)
    await (await open_model()).stop()
    other = MemoryLog()
    other.ids = {topic.name: f"new-id-of-{topic.name}" for topic in TOPICS}
    await other.write(DEAD_LETTERS, "k", LETTER)

    rows = await everything(await open_model(other))

    assert len(rows["dead_letters"]) == 1
    assert rows["runs"] == rows["alerts"] == []


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


class FailingLog(MemoryLog):
    """Fails to follow so many times."""

    failures = 2

    async def follow(self, positions: Any) -> AsyncGenerator[Any, None]:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no broker")
        async for batch in super().follow(positions):
            yield batch


async def test_it_says_why_it_does_not_follow_and_goes_on_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.read_model.model.RETRY_S_MAX", 0.05)
    log = FailingLog()
    await fill(log)
    model = ReadModel(tmp_path / "model.sqlite3", log, FOREVER)
    await model.start()
    await until(lambda: "no broker" in model.state.problem)
    await until(lambda: model.state.caught_up)

    assert model.state.problem == ""
    assert await status(model) == "succeeded"
    await model.stop()


class SilentLog(MemoryLog):
    """A broker that does not answer."""

    async def topic_ids(self) -> dict[str, str]:
        raise TimeoutError("no answer")

    async def ends(self) -> dict[Place, int]:
        raise AssertionError("not asked before the ids are known")

    def follow(self, positions: Any) -> AsyncGenerator[list[LogRecord], None]:
        raise AssertionError("not asked before the ids are known")


async def test_what_was_read_before_can_be_asked_while_there_is_no_broker(
    log: MemoryLog, open_model: Open, tmp_path: Path
) -> None:
    await fill(log)
    await (await open_model()).stop()

    model = ReadModel(tmp_path / "read-model.sqlite3", SilentLog(), FOREVER)
    await model.start()
    await until(lambda: "no answer" in model.state.problem)
    assert await status(model) == "succeeded"
    assert not model.state.caught_up
    await model.stop()


async def test_it_looks_how_far_behind_it_is_and_whether_the_log_answers_at_all(
    log: MemoryLog, open_model: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.read_model.model.LOOK_EVERY_S", 0.02)
    model = await open_model()
    real_ends = log.ends

    async def further() -> dict[Place, int]:
        return {("run-journal", 0): 7}

    async def silent() -> dict[Place, int]:
        raise TimeoutError

    monkeypatch.setattr(log, "ends", further)
    await until(lambda: model.state.behind == 7)
    monkeypatch.setattr(log, "ends", silent)
    await until(lambda: "TimeoutError" in model.state.unreachable)
    monkeypatch.setattr(log, "ends", real_ends)
    await until(lambda: not model.state.unreachable and model.state.behind == 0)


async def test_a_second_process_on_one_file_is_told_to_take_another_and_harms_nothing(
    log: MemoryLog, open_model: Open, tmp_path: Path
) -> None:
    await fill(log)
    first = await open_model()
    before = await everything(first)
    second = ReadModel(tmp_path / "read-model.sqlite3", log, FOREVER)
    await second.start()
    await until(lambda: "a data folder of its own" in second.state.problem)
    await second.stop()

    assert await everything(first) == before


async def test_before_it_is_open_it_says_so(tmp_path: Path) -> None:
    model = ReadModel(tmp_path / "model.sqlite3", MemoryLog(), FOREVER)

    with pytest.raises(ReadModelUnavailable, match="opened"):
        await model.query(lambda connection: run_row(connection, RUN))
    await model.stop()


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
