"""How far one partition of the journal has been worked off, as far as a commit may say so. Pure.

Steps finish in any order. What may be committed is the offset below which everything is finished; what is
finished beyond it goes into the commit's metadata (`executor.commit_metadata`), so that a restart does not
repeat it. The metadata is a help, not the truth: where it is full or unreadable, a restart reads in the
journal what has ended, and repeats at worst a step that may be repeated.
"""

from bisect import bisect_right
from dataclasses import dataclass

from executor import commit_metadata
from executor.commit_metadata import Interval


@dataclass(frozen=True, slots=True)
class Position:
    """What to commit: all below `offset` is finished, and of what follows that which `metadata` says."""

    offset: int
    metadata: str


class Progress:
    """The open offsets of one partition. Read in rising order; gaps (retention) count as finished."""

    def __init__(self, offset: int, metadata: str = "") -> None:
        """`offset`, `metadata`: the last commit, or where reading begins when there was none."""
        self._next = offset
        self._known = commit_metadata.decoded(metadata, offset)
        self._open: dict[int, int] = {}

    @property
    def next_offset(self) -> int:
        """The offset after the last one read."""
        return self._next

    @property
    def open_count(self) -> int:
        """How many offsets are read and not finished."""
        return len(self._open)

    def was_finished(self, offset: int) -> bool:
        """The last commit before this start said that the offset is finished."""
        at = bisect_right(self._known, offset, key=lambda interval: interval[0]) - 1
        return at >= 0 and offset < self._known[at][1]

    def read(self, offset: int, parts: int) -> None:
        """A record was read; it is finished when `finish` has been called `parts` times."""
        self._next = offset + 1
        if parts:
            self._open[offset] = parts

    def finish(self, offset: int) -> None:
        """One part of a record is finished. Raises KeyError for an offset that is not open."""
        left = self._open[offset] - 1
        if left:
            self._open[offset] = left
        else:
            del self._open[offset]

    def position(self) -> Position:
        """What may be committed now."""
        offset = next(iter(self._open), self._next)
        return Position(offset, commit_metadata.encoded(self._finished_beyond(), offset))

    def _finished_beyond(self) -> list[Interval]:
        """What is finished beyond the first open offset, as disjoint rising intervals."""
        finished: list[Interval] = []
        after = None
        for offset in self._open:
            if after is not None and offset > after:
                finished.append((after, offset))
            after = offset + 1
        if after is not None and after < self._next:
            finished.append((after, self._next))
        finished += [(max(start, self._next), stop) for start, stop in self._known if stop > self._next]
        return finished
