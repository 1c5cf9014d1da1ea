"""Of a partition of `admissions` that lost its beginning: until when which playbook is uncertain, and what
must be done in place of timers whose rows have other numbers here than at the processor.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping

from audit.verify.adopting import first_row, memories_ms
from audit.verify.catalogs import Catalogs
from audit.verify.frame import SKEW_MS
from engine.admission.rows import ChunkRow, Row
from schemas.inbox import TimerFired

LATE_MS = 5_000
"""A timer of the processor's came at about this time."""


class Beginnings:
    """`begins_ms`: the time of the first record that is kept."""

    def __init__(self, begins_ms: int, catalogs: Catalogs) -> None:
        self._begins_ms, self._catalogs = begins_ms, catalogs
        self._memories_ms: Mapping[str, int] = memories_ms(catalogs.latest)
        self._certain_from: dict[str, int] = {}
        self._chunks: list[tuple[int, str]] = []

    def is_uncertain(self, playbook: str, at_ms: int) -> bool:
        """Whether what went before may still matter to this playbook."""
        return at_ms < self._certain(playbook)

    def had_before(self, playbook: str) -> bool:
        """Whether the playbook may have rows from before."""
        return self._certain(playbook) > 0

    def seed(self, playbook: str, rows: dict[str, Row | bytes]) -> None:
        """Give a playbook that is seen first what is certain of it."""
        if playbook not in rows and self.had_before(playbook):
            rows[playbook] = first_row(playbook, self._catalogs.by_time(self._begins_ms))

    def kept(self, key: str, row: Row | None) -> None:
        """A row was written: chunks are remembered."""
        if isinstance(row, ChunkRow) and self.had_before(key.partition("#")[0]):
            heapq.heappush(self._chunks, (row.due_ms, key))

    def due(self, at_ms: int, is_there: Callable[[str], bool]) -> Iterator[TimerFired]:
        """The timers of chunks that the processor's own timers must have forgotten by now."""
        while self._chunks and self._chunks[0][0] + LATE_MS <= at_ms:
            due_ms, key = heapq.heappop(self._chunks)
            if is_there(key):
                yield TimerFired(row=key, timer="forget", due_ms=due_ms)

    def is_foreign(self, playbook: str, record: object) -> bool:
        """A timer of a chunk that has another number here."""
        return isinstance(record, TimerFired) and "#" in record.row and self.had_before(playbook)

    def _certain(self, playbook: str) -> int:
        if playbook not in self._certain_from:
            is_new = self._catalogs.first_ms(playbook) > self._begins_ms + SKEW_MS
            memory_ms = self._memories_ms.get(playbook, 0)
            self._certain_from[playbook] = 0 if is_new else self._begins_ms + memory_ms
        return self._certain_from[playbook]
