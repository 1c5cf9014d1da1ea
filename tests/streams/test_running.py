"""Running a worker: honest exit codes, whatever happens at its start and at its end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from faust.exceptions import ConsistencyError

from streams.app import Worker
from streams.ending import EXIT_BROKEN, EXIT_REFUSED
from streams.running import EXIT_CANNOT_REACH, run
from tests.streams.hardened.bench import Ended, ended
from tests.streams.test_options import a_sink, options


def worker(tmp_path: Path, **fields: Any) -> Worker:
    return a_sink(options(tmp_path / "new" / "folder", **fields), end=ended)


async def test_a_broker_that_is_not_there_is_said_with_an_exit_code_of_its_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await run(worker(tmp_path), asyncio.Event()) == EXIT_CANNOT_REACH
    assert "Kafka cannot be reached" in caplog.text


class FakeApp:
    """An app that does what it is told."""

    def __init__(self, *, start: BaseException | None = None, stops: bool = True) -> None:
        self._start = start
        self._stops = stops
        self._over = asyncio.Event()
        self.crash_reason: BaseException | None = None
        self.stopped = False
        self.tables: dict[str, Any] = {}

    async def start(self) -> None:
        if self._start is not None:
            raise self._start

    async def wait_until_stopped(self) -> None:
        await self._over.wait()

    def crash(self, reason: BaseException) -> None:
        self.crash_reason = reason
        self._over.set()

    async def stop(self) -> None:
        if not self._stops:
            await asyncio.Event().wait()
        self.stopped = True

    def end(self, reason: str, code: int) -> None:
        ended(f"{reason} ({code})", code)


def played(tmp_path: Path, app: FakeApp) -> Worker:
    real = worker(tmp_path)
    return Worker(app, real.metrics, real.options)  # type: ignore[arg-type]  # a played app


async def test_asked_to_stop_it_stops_with_zero(tmp_path: Path) -> None:
    app, stop = FakeApp(), asyncio.Event()
    running = asyncio.create_task(run(played(tmp_path, app), stop))
    await asyncio.sleep(0.01)
    assert not running.done()
    stop.set()
    assert await running == 0
    assert app.stopped


async def test_a_worker_that_breaks_is_stopped_and_ends_with_its_code(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = FakeApp()
    running = asyncio.create_task(run(played(tmp_path, app), asyncio.Event()))
    await asyncio.sleep(0.01)
    app.crash(RuntimeError("the group is gone"))
    assert await running == EXIT_BROKEN
    assert app.stopped
    assert "the group is gone" in caplog.text


async def test_a_worker_that_cannot_start_ends_with_its_code(tmp_path: Path) -> None:
    app = FakeApp(start=RuntimeError("no"))
    assert await run(played(tmp_path, app), asyncio.Event()) == EXIT_BROKEN


async def test_a_worker_that_does_not_stop_in_time_is_ended(tmp_path: Path) -> None:
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(Ended, match=r"did not stop within 0 s \(70\)"):
        await run(played(tmp_path, FakeApp(stops=False)), stop, 0.05)


def a_real_one(folder: Path, changelog_id: str) -> Worker:
    ids = options(folder).topic_ids
    return worker(folder, topic_ids={**ids, "p.sink-notified-changelog": changelog_id})


async def test_a_folder_of_another_changelog_is_refused_before_anything_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await run(a_real_one(tmp_path, "id-1"), asyncio.Event()) == EXIT_CANNOT_REACH
    assert await run(a_real_one(tmp_path, "id-2"), asyncio.Event()) == EXIT_REFUSED
    assert "belongs to another p.sink-notified-changelog (its id was id-1, now it is id-2)" in caplog.text


async def test_a_folder_that_is_ahead_of_its_changelog_is_refused_with_the_way_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = FakeApp()
    running = asyncio.create_task(run(played(tmp_path, app), asyncio.Event()))
    await asyncio.sleep(0.01)
    app.crash(ConsistencyError("The persisted offset of TP(0) is higher\nthan the last offset"))
    assert await running == EXIT_REFUSED
    assert "has more than its changelogs" in caplog.text
    assert "Set the folder aside" in caplog.text
    assert app.stopped
