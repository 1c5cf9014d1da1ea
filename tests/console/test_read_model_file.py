"""The read model survives what is done to its file, its topics and its broker."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from console.read_model.log import LogRecord, Place
from console.read_model.model import ReadModel, ReadModelUnavailable
from console.read_model.runs import list_runs, run_row
from schemas.topics import DEAD_LETTERS, RUN_JOURNAL, TOPICS
from tests.console.memory_log import MemoryLog
from tests.console.model_bench import FOREVER, Open, everything, fill, status, until
from tests.console.samples import (
    LETTER,
    RUN,
    STARTED,
    journal,
)


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
            connection,
            status=None,
            playbook=None,
            alert_id=None,
            since_ms=None,
            until_ms=None,
            mark=None,
            limit=9,
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


async def test_a_log_that_was_away_is_looked_for_more_often_than_one_that_is_there(
    log: MemoryLog, open_model: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.read_model.model.LOOK_EVERY_S", 60.0)
    monkeypatch.setattr("console.read_model.model.LOOK_AGAIN_S", 0.02)
    log_ends, away = log.ends, True

    async def ends() -> Mapping[Place, int]:
        if away:
            raise TimeoutError
        return await log_ends()

    model = await open_model()
    model.state.unreachable = "the log cannot be reached"
    looking = asyncio.create_task(model._look())
    monkeypatch.setattr(log, "ends", ends)
    await until(lambda: "TimeoutError" in model.state.unreachable)
    away = False
    await until(lambda: not model.state.unreachable)
    looking.cancel()


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
