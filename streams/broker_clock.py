"""What time it is for the broker at least, whatever this machine's clock says: timers are due by its time.

An input was stamped before it was read, so the broker's clock stood at least there; our monotonic clock says
how long ago that was. Where inputs come as they are written, that is exact; behind a backlog it is late, as
the timer's record, which stands behind the same backlog, would be.
"""

from collections.abc import Callable

from streams.lease import clock_s


class BrokerClock:
    """`local_ms`: this machine's clock (epoch ms), asked until the first input is read."""

    def __init__(self, local_ms: Callable[[], int], clock: Callable[[], float] = clock_s) -> None:
        self._local_ms = local_ms
        self._clock = clock
        self._ahead_ms: float | None = None

    def read(self, stamp_ms: float) -> None:
        """An input with this timestamp is read now."""
        ahead_ms = stamp_ms - self._clock() * 1000
        if self._ahead_ms is None or ahead_ms > self._ahead_ms:
            self._ahead_ms = ahead_ms

    def now_ms(self) -> int:
        """The broker's time at least; before the first input, what this machine thinks."""
        return self._local_ms() if self._ahead_ms is None else int(self._clock() * 1000 + self._ahead_ms)
