"""Recovery after a rebalance without the window in which records are read and wiped (L8).

Upstream resumes the input partitions, seeks, and only then clears the queues, while the flow still runs
from reading the changelogs: what is fetched in between is wiped and counts as read. Here the flow is
stopped first. How changelog records become rows is in `streams.table` and `streams.replay`.
"""

from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery


class SafeRecovery(Recovery):
    """Faust's recovery with the flow stopped whenever input partitions are resumed."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """L8: nothing may be handed over until the queues were cleared and the positions set."""
        self.app.consumer.stop_flow()
        await super().on_recovery_completed(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        self.app.consumer.stop_flow()
        await super()._resume_streams(generation_id)


class SafeTableManager(TableManager):
    """The table manager that uses `SafeRecovery`; handed to the app as its setting `TableManager`."""

    @property
    def recovery(self) -> Recovery:
        """Recovery service used by this table manager."""
        if self._recovery is None:
            self._recovery = SafeRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    def on_commit(self, offsets: Any) -> None:
        """Nothing to do: rows carry their own changelog offset (`streams.table`)."""
