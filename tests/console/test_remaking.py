"""The read model is made again when the catalog asks for it: once, also after a restart; and that is told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.health import missing
from console.metrics import Metrics
from console.parts import Parts, WebSettings
from console.read_model.model import ReadModel
from console.remaking import Remaking
from engine.rebuilds import switch_of
from schemas.catalog import RebuildReported, SwitchSet
from schemas.outgoing import Outgoing
from schemas.topics import CATALOG
from tests.console.conftest import MemoryCatalog
from tests.console.memory_log import MemoryLog
from tests.console.model_bench import Open, everything, fill, until

RECORDS = 6


class Web:
    """What of a web process keeps a read model."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.catalog = MemoryCatalog(log)
        self.remaking: Remaking | None = None
        self.parts: Parts | None = None

    async def start(self, model: ReadModel) -> None:
        """As at the start of a process."""
        await self.stop()
        await self.catalog.reached(99)
        self.parts = Parts(
            settings=WebSettings(instance="a"),
            writer=self.log,
            catalog=self.catalog,
            archive=None,
            read_model=model,
            metrics=Metrics(hooks=False, console=True),
            stopping=asyncio.Event(),
        )
        self.remaking = Remaking(self.parts, model)
        await self.remaking.start()

    async def stop(self) -> None:
        if self.remaking is not None:
            await self.remaking.stop()

    async def ask(self) -> None:
        """Somebody wants it made again."""
        change = SwitchSet(name=switch_of("read-models"), value=True, actor="mira", at_ms=1)
        sent = await self.log.send(Outgoing(CATALOG, "switch/rebuild/read-models", change))
        await self.catalog.reached(sent.offset + 1)

    def reports(self) -> list[tuple[str, str, int]]:
        records = [one for one in self.log.records(CATALOG) if isinstance(one, RebuildReported)]
        return [(one.actor, one.state, one.rows) for one in records]

    async def reported(self, times: int = 1) -> None:
        await until(lambda: [state for _, state, _ in self.reports()].count("done") == times)


async def rows(model: ReadModel) -> dict[str, list[tuple[Any, ...]]]:
    """All rows, but for what it notes of itself."""
    found = await everything(model)
    assert found.pop("meta")
    return found


@pytest.fixture
async def web(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> Web:
    monkeypatch.setattr("console.remaking.LOOK_EVERY_S", 0.01)
    await fill(log)
    return Web(log)


async def test_on_request_all_rows_are_read_again_once_and_come_out_the_same(
    web: Web, open_model: Open
) -> None:
    model = await open_model()
    await until(lambda: model.state.records == RECORDS)
    before = await rows(model)
    await web.start(model)
    await asyncio.sleep(0.05)
    assert web.reports() == []

    await web.ask()
    await web.reported()
    await asyncio.sleep(0.05)

    assert web.reports() == [("web-a", "begun", 0), ("web-a", "done", RECORDS)]
    assert model.state.records == 2 * RECORDS
    assert await rows(model) == before
    await web.ask()
    await web.reported(2)
    assert model.state.records == 3 * RECORDS
    await web.stop()


async def test_until_it_has_caught_up_the_process_is_not_ready_and_says_why(
    web: Web, open_model: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = await open_model()
    await until(lambda: model.state.caught_up)
    model.make_again(7, "mira")
    await web.start(model)
    assert web.parts is not None
    assert missing(web.parts) == [
        "the read model has not caught up with the log: it is made again, as mira asked"
    ]
    await until(lambda: model.state.caught_up)
    assert missing(web.parts) == []
    await web.stop()


async def test_a_process_that_was_down_does_it_at_its_next_start_and_only_then(
    web: Web, open_model: Open
) -> None:
    first = await open_model()
    await until(lambda: first.state.records == RECORDS)
    await web.start(first)
    await asyncio.sleep(0.05)
    await web.stop()
    await first.stop()
    await web.ask()

    second = await open_model()
    await web.start(second)
    await web.reported()
    assert second.state.records == RECORDS
    await web.stop()
    await second.stop()

    third = await open_model()
    await web.start(third)
    await asyncio.sleep(0.1)
    assert third.state.records == 0
    assert len(web.reports()) == 2
    await web.stop()


async def test_one_that_was_cut_short_goes_on_and_is_reported(web: Web, open_model: Open) -> None:
    first = await open_model()
    await until(lambda: first.state.records == RECORDS)
    await web.ask()
    number = web.catalog.catalog.offset
    first.make_again(number, "mira")
    await until(lambda: first.state.records == 2 * RECORDS)
    await first.stop()

    await web.start(await open_model())
    await web.reported()
    assert [state for _, state, _ in web.reports()] == ["done"]
    await web.stop()


async def test_a_file_that_is_new_need_not_be_made_again(web: Web, open_model: Open, tmp_path: Path) -> None:
    await web.ask()
    model = await open_model()
    await until(lambda: model.state.records == RECORDS)
    await web.start(model)
    await asyncio.sleep(0.1)
    assert (model.state.records, web.reports()) == (RECORDS, [])
    assert await model.made_for() == (web.catalog.catalog.offset, web.catalog.catalog.offset)
    await web.stop()


async def test_while_the_broker_is_away_the_report_waits(web: Web, open_model: Open) -> None:
    model = await open_model()
    await until(lambda: model.state.caught_up)
    await web.start(model)
    await asyncio.sleep(0.05)
    await web.ask()
    web.log.broken = True
    await asyncio.sleep(0.05)
    web.log.broken = False
    await web.reported()
    await web.stop()
