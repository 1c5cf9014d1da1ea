"""How far one input partition has got: what was handed to its agent since the last seek, what of it is
settled.

Pure bookkeeping. It replaces Faust's lists of acked offsets and gaps, which could commit past a message
that was still being worked on (L1, L2), keep a hole that stops commits for ever (L7), or count wiped
messages as read (L8). Here a commit is simply the first offset that was handed over and is not settled.
"""

from collections import deque


class Progress:
    """One partition between two seeks. Offsets are those of Kafka; all times are epoch milliseconds.

    `position` is the offset expected next. Offsets between two that were handed over do not exist on the
    topic (compacted, expired, transaction markers): whoever hands over has made sure of that.
    """

    __slots__ = ("_doubted", "_open", "_settled", "_times_ms", "last_at_ms", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.last_at_ms: int | None = None
        """Broker timestamp of the newest message that was handed over."""
        self._doubted: int | None = None
        self._open: deque[int] = deque()
        self._times_ms: deque[int] = deque()
        self._settled: set[int] = set()

    def doubts(self, offset: int) -> bool:
        """Whether a jump from `position` to `offset`, the first of a fetch, has to be fetched again.

        True once for a position: seen there a second time, right after a seek, the jump is real.
        """
        if offset <= self.position or self._doubted == self.position:
            return False
        self._doubted = self.position
        return True

    def hand_over(self, offset: int, at_ms: int) -> None:
        """A message goes to its agent. Messages go in order, each once."""
        if offset < self.position:
            raise ValueError(f"offset {offset} was handed over before; {self.position} is next")
        self._open.append(offset)
        self._times_ms.append(at_ms)
        self.position = offset + 1
        self.last_at_ms = at_ms

    def pass_over(self, offset: int, at_ms: int) -> None:
        """A message concerns nobody: from here on it is as if its offset did not exist."""
        self.position = offset + 1
        self.last_at_ms = at_ms

    def settle(self, offset: int) -> bool:
        """A message is done with. False (and no effect) for one that is not open, such as one settled
        twice."""
        if not self._open or offset < self._open[0] or offset >= self.position or offset in self._settled:
            return False
        self._settled.add(offset)
        while self._open and self._open[0] in self._settled:
            self._settled.discard(self._open.popleft())
            self._times_ms.popleft()
        return True

    def committable(self) -> int:
        """The offset that may be committed: everything before it is settled."""
        return self._open[0] if self._open else self.position

    def oldest_open_ms(self) -> int | None:
        """Broker timestamp of the oldest message that is not settled; None when all are."""
        return self._times_ms[0] if self._times_ms else None

    def open_count(self) -> int:
        """How many messages were handed over and are not settled."""
        return len(self._open) - len(self._settled)
