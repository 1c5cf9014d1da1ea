"""L8: records that are fetched while a recovery ends are wiped and count as read upstream; with ours
they come.
"""

from typing import Any

import pytest

from streams.hardened.recovery import SafeRecovery, SafeTableManager
from tests.streams.hardened.bench import CHANGELOG, Bench, hardened_app

BOTH = pytest.mark.parametrize("ours", [False, True], ids=["upstream", "ours"])


async def ended_recovery(ours: bool, method: str) -> Bench:
    """A worker that has read its changelogs: the flow runs, the input partitions are paused."""
    bench = Bench(ours, 10, range(10, 15))
    bench.thread.pause_after_seek_s = 0.05
    app: Any = bench.app
    app._fetcher = _Started()
    recovery = app.tables.recovery
    app.tables._changelogs[CHANGELOG.topic] = None
    await bench.start(seek=False)
    await getattr(recovery, method)(1)
    return bench


class _Started:
    """Stands for the fetcher, which runs already."""

    async def maybe_start(self) -> None:
        """It does."""


@BOTH
@pytest.mark.parametrize("method", ["on_recovery_completed", "_resume_streams"])
async def test_l8_records_fetched_while_a_recovery_ends_reach_the_agent(ours: bool, method: str) -> None:
    bench = await ended_recovery(ours, method)
    first = await bench.take_all()
    bench.thread.log += [15]
    messages = await bench.take(bench.queue.qsize()) if bench.queue.qsize() else []
    late = await bench.take_all()
    assert messages == []
    if ours:
        assert first + late == [10, 11, 12, 13, 14, 15]
    else:
        assert first + late == [15]
    await bench.stop()


async def test_l8_upstream_then_commits_past_what_was_wiped() -> None:
    bench = await ended_recovery(False, "on_recovery_completed")
    bench.thread.log += [15]
    await bench.take_all()
    bench.ack([message for message in bench.consumer.unacked])
    assert bench.committable() == 16
    await bench.stop()


async def test_the_app_recovers_with_ours() -> None:
    app = hardened_app()
    assert isinstance(app.tables, SafeTableManager)
    assert type(app.recovery) is SafeRecovery
