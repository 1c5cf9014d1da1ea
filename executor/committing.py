"""When commits are made, and what they prove: one that the group accepts says that we are still a member.

What is committed is `executor.progress`; how is `executor.journal`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

from executor.config import ExecutorConfig
from executor.journal import Journal
from executor.metrics import Metrics
from executor.progress import Position


class Committer:
    """Commits the positions of one executor once in a while."""

    def __init__(
        self, config: ExecutorConfig, metrics: Metrics, positions: Callable[[], Mapping[int, Position]]
    ) -> None:
        self._config, self._positions = config, positions
        self._accepted: Mapping[int, Position] = {}
        self._accepted_at = float("-inf")
        self._waits_since = time.monotonic()
        """When nothing waited for a commit for the last time."""
        # Asked for when scraped: while the broker is away, a commit ends late, and so would what it tells.
        metrics.since_commit.set_function(lambda: time.monotonic() - self._waits_since)

    def is_member(self, journal: Journal | None) -> bool:
        """The group knew us less than a session timeout ago, so it has given our partitions to nobody else.

        Measured from before the commit was sent; the clock goes on while a process is stopped (SIGSTOP).
        """
        if journal is None:
            return False
        return time.monotonic() - max(self._accepted_at, journal.assigned_at) < self._config.session_timeout_s

    async def run(self, journal: Journal) -> None:
        """Commit until cancelled. Waits as long as the broker is away."""
        while True:
            await asyncio.sleep(self._config.commit_every_s)
            await self.commit(journal)

    async def commit(self, journal: Journal) -> None:
        """Commit what is new; all of it where nothing was committed for a while."""
        began, positions = time.monotonic(), self._positions()
        idle_s = began - self._accepted_at
        if positions == self._accepted:
            self._waits_since = began
        if positions == self._accepted and idle_s < self._config.recommit_every_s:
            return
        if await journal.commit(positions):
            self._accepted, self._accepted_at, self._waits_since = positions, began, began
