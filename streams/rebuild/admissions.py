"""Rows of admission, made again from their topic: every input that is kept, taken once more.

The topic is kept for weeks. A playbook that is older than what is kept keeps its rows, for the topic no
longer tells all of them; unless they know less than the topic still does.
"""

from collections.abc import Callable

from engine.admission.rows import PlaybookRow, Row, decode_row, playbook_of
from streams.handling import CatalogView
from streams.rebuild.fresh import FreshRows
from streams.rebuild.source import PartitionLog, Rows, in_steps
from streams.refolding import Admitting, input_of
from streams.rows import payload_of

CLOCKS_DIFFER_MS = 3_600_000
"""A revision's time is that of the web process, an input's that of the broker."""


class AdmissionsAgain:
    """A `Refold` of one partition of `admissions`."""

    rows_are_settled = True

    def __init__(self, log: PartitionLog, admitting: Admitting, catalog: CatalogView) -> None:
        self._log = log
        self._admitting = admitting
        self._catalog = catalog
        self._there: Rows = lambda key: None
        self._made: Callable[[bytes], bytes | None] = lambda key: None
        self._keeps: dict[str, bool] = {}
        self.since_ms = 0

    async def run(
        self, partition: int, until: int, there: Rows, fresh: FreshRows[Row], lost: bool = False
    ) -> None:
        """Fold the inputs before the offset `until`."""
        first, _ = await self._log.bounds(partition)
        self._there, self._made = there, fresh.kept
        async for one in in_steps(self._log, partition, 0, until):
            if first and not self.since_ms:
                self.since_ms = one.cause.at_ms
            if (input_ := input_of(one)) is not None:
                rows = await self._admitting.rows_after(fresh.get, input_, one.cause)
                for key, row in rows.items():
                    fresh.put(key, row, one.cause.offset)
        if first and not self.since_ms:
            self.since_ms = 1  # nothing is kept at all

    def keeps(self, key: str, row: bytes | None, made: bytes | None) -> bool:
        """Rows of a playbook are kept together, or made again together: one alone would not fit the
        others.
        """
        if not self.since_ms:
            return False
        playbook = playbook_of(key)
        if playbook not in self._keeps:
            self._keeps[playbook] = not self._is_whole(playbook) and not self._knows_less(playbook)
        return self._keeps[playbook]

    def _is_whole(self, playbook: str) -> bool:
        """Whether the playbook came after what is gone: all of its inputs are kept."""
        revisions = self._catalog.catalog.revisions.values()
        applied_ms = [one.at_ms for one in revisions if one.playbook == playbook]
        return min(applied_ms, default=0) > self.since_ms + CLOCKS_DIFFER_MS

    def _knows_less(self, playbook: str) -> bool:
        """Whether its rows have seen fewer arrivals than are kept: they were lost, and begun anew."""
        there, made = _book(self._there(playbook.encode())), _book(self._made(playbook.encode()))
        return there is None or (made is not None and there.chunk < made.chunk)


def _book(row: bytes | None) -> PlaybookRow | None:
    try:
        found = None if row is None else decode_row(payload_of(row))
    except ValueError:
        return None
    return found if isinstance(found, PlaybookRow) else None
