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
        self._config, self._metrics, self._positions = config, metrics, positions
        self._accepted: Mapping[int, Position] = {}
        self._accepted_at = float("-inf")

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
        if positions == self._accepted and idle_s < self._config.recommit_every_s:
            return
        if await journal.commit(positions):
            self._accepted, self._accepted_at = positions, began
        if self._accepted:
            self._metrics.commit_age.set(time.monotonic() - self._accepted_at)
