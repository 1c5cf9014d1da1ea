"""What a committer tells of the time since its last commit."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from executor.committing import Committer
from executor.metrics import Metrics
from executor.progress import Position
from tests.executor.live import quick_config


class PlayedJournal:
    """Takes commits, or does not."""

    takes = True

    async def commit(self, positions: Any) -> bool:
        return self.takes


async def test_the_time_since_the_last_commit_grows_only_while_something_waits_for_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr("executor.committing.time.monotonic", lambda: now_s)
    registry, positions = CollectorRegistry(), {0: Position(5, "")}
    committer = Committer(quick_config("", ""), Metrics(registry), lambda: dict(positions))
    journal: Any = PlayedJournal()

    def told() -> float | None:
        return registry.get_sample_value("pulsebook_seconds_since_commit")

    await committer.commit(journal)
    now_s += 40
    await committer.commit(journal)
    assert told() == 0
    positions[0], journal.takes = Position(6, ""), False
    now_s += 7
    await committer.commit(journal)
    assert told() == 7
    now_s += 60
    assert told() == 67
    journal.takes = True
    await committer.commit(journal)
    assert told() == 0
