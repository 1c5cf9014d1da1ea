"""Durable timers: due times live in rows; here is who remembers to fire them.

Pure: a heap of the timers of this worker's partitions that are due soon; `far_timers` has the others. A
timer that is due is fired, and fired again with growing delays until its row drops it; the fold ignores
one that is not pending. So a timer may fire late, never early, never not at all. Who ticks and sends is
`ticking`.
"""

import heapq
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from streams.far_timers import FarTimers, earliest_far_ms, is_near

AGAIN_FIRST_MS = 2_000
AGAIN_MAX_MS = 60_000
STALE_MIN = 1_000
"""Entries of timers that are gone are cleared from the heap once they outnumber the living, and this."""

NONE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Due:
    """A timer to be fired. Times are epoch ms."""

    partition: int
    row: str
    timer: str
    due_ms: int


@dataclass(slots=True)
class _Timer:
    due_ms: int
    fire_ms: int
    tries: int = 0


class Timers:
    """The timers of one table's rows."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], dict[str, _Timer]] = {}
        self._heap: list[tuple[int, tuple[int, str], str]] = []
        self._count = 0
        self._far = FarTimers()

    def __len__(self) -> int:
        return self._count

    def changed(
        self,
        partition: int,
        row: str,
        timers: Mapping[str, int],
        now_ms: int,
        before: Mapping[str, int] = NONE,
    ) -> None:
        """The row holds these timers now (id to due time, epoch ms), and no others.

        `before`: those it held when it was last told, if that is known.
        """
        at = (partition, row)
        known = self._rows.get(at, {})
        if not timers and not known:
            return
        kept: dict[str, _Timer] = {}
        for timer, due_ms in timers.items():
            old = known.get(timer)
            if old is not None and old.due_ms == due_ms:
                kept[timer] = old
            elif is_near(due_ms, now_ms):
                kept[timer] = _Timer(due_ms, due_ms)
                heapq.heappush(self._heap, (due_ms, at, timer))
        far_ms = earliest_far_ms(timers, now_ms)
        if far_ms is not None and far_ms != earliest_far_ms(before, now_ms):
            self._far.add(partition, row, far_ms)
        self._keep(at, known, kept)

    def _keep(self, at: tuple[int, str], known: dict[str, _Timer], kept: dict[str, _Timer]) -> None:
        self._count += len(kept) - len(known)
        if kept:
            self._rows[at] = kept
        else:
            self._rows.pop(at, None)
        if len(self._heap) > 2 * self._count + STALE_MIN:
            self._clear_heap()

    def coming_near(self, now_ms: int, at_most: int) -> list[tuple[int, str]]:
        """Rows (partition, key) to be read and told again with `changed`: a far timer of theirs comes
        near.
        """
        return self._far.take(now_ms, at_most)

    def revoke(self, partitions: Collection[int]) -> None:
        """Forget these partitions."""
        self._far.revoke(partitions)
        self._rows = {at: timers for at, timers in self._rows.items() if at[0] not in partitions}
        self._count = sum(map(len, self._rows.values()))
        self._clear_heap()

    def due(self, now_ms: int, at_most: int) -> list[Due]:
        """Timers to be fired now, the longest due first; each counts as fired and comes again later."""
        fired: list[Due] = []
        while self._heap and self._heap[0][0] <= now_ms and len(fired) < at_most:
            fire_ms, at, name = heapq.heappop(self._heap)
            timer = self._rows.get(at, {}).get(name)
            if timer is None or timer.fire_ms != fire_ms:
                continue
            timer.fire_ms = now_ms + min(AGAIN_FIRST_MS << min(timer.tries, 16), AGAIN_MAX_MS)
            timer.tries += 1
            heapq.heappush(self._heap, (timer.fire_ms, at, name))
            fired.append(Due(at[0], at[1], name, timer.due_ms))
        return fired

    def heap_size(self) -> int:
        """Entries on the heap, those of timers that are gone included."""
        return len(self._heap)

    def far_bytes(self) -> int:
        """What the far timers take."""
        return self._far.size_bytes()

    def _clear_heap(self) -> None:
        self._heap = [
            (timer.fire_ms, at, name) for at, timers in self._rows.items() for name, timer in timers.items()
        ]
        heapq.heapify(self._heap)
