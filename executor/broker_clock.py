"""What time it is for the broker, whatever this machine's clock says. Pure bookkeeping but for `now_s`.

Grants and deadlines are the broker's times. Two things tell us how its clock stands to our monotonic one:
an acknowledgement (the record was stamped after we sent it: the broker's clock is at most that far ahead),
and a record that we read (it was stamped before we read it: at least that far). The first is never behind, so
that no grant is outlived; the second serves until there is one, for everything but grants.
"""

import time
from collections import deque

SAMPLES_MAX = 64
"""Acknowledgements that count: the quickest of these is the closest."""


def now_s() -> float:
    """Monotonic seconds that go on while the machine is suspended, where the system has such a clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class BrokerClock:
    """Arguments `..._s` are readings of `now_s`; `stamp_ms` is the broker's, epoch ms."""

    def __init__(self) -> None:
        self._at_most: deque[float] = deque(maxlen=SAMPLES_MAX)
        self._at_least: float | None = None

    @property
    def never_behind(self) -> bool:
        """Whether an acknowledgement has come: what is late by this clock is late."""
        return bool(self._at_most)

    def acknowledged(self, sent_s: float, stamp_ms: int) -> None:
        """A record that was sent at `sent_s` got this timestamp from the broker."""
        self._at_most.append(stamp_ms - sent_s * 1000)

    def read(self, read_s: float, stamp_ms: int) -> None:
        """A record with this timestamp was read at `read_s`."""
        ahead_ms = stamp_ms - read_s * 1000
        self._at_least = ahead_ms if self._at_least is None else max(self._at_least, ahead_ms)

    def epoch_ms(self, at_s: float) -> int | None:
        """The broker's time; None where nothing is known of it yet."""
        ahead_ms = min(self._at_most) if self._at_most else self._at_least
        return None if ahead_ms is None else round(at_s * 1000 + ahead_ms)
