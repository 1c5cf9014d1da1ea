"""Law 6: a zombie must not write. The lease says whether this process may still act for its partitions.

It is renewed by every heartbeat that the group's coordinator answered well, and lapses when the last one
was asked more than a session timeout ago: by then another worker may own the partitions. A process that
was stopped (SIGSTOP, a frozen machine) finds it lapsed when it wakes. Who wants to write then waits for the
coordinator's word: it knows us still (a broker was away, and with it the coordinator), or it does not, and
the process ends. The clock is handed in; nothing here talks to Kafka.
"""

import asyncio
import time
from collections.abc import Callable

from streams.ending import EXIT_BROKEN, End, end_process

WORD_WITHIN_S = 300.0
"""How long a write waits for the coordinator's word, from when the lease lapsed."""
LOOK_EVERY_S = 0.05


def clock_s() -> float:
    """Monotonic seconds that go on while the machine is suspended, where the system has such a clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Lease:
    """One consumer group membership. Read and written from the main and the consumer thread (single
    attributes)."""

    def __init__(
        self,
        session_timeout_s: float,
        *,
        clock: Callable[[], float] = clock_s,
        end: End = end_process,
    ) -> None:
        self.session_timeout_s = session_timeout_s
        self._clock = clock
        self._end = end
        self._renewed_s = 0.0
        self._held = False
        self._turns = 0
        """How often partitions were given or given back."""

    @property
    def held(self) -> bool:
        """Whether partitions are assigned to this process."""
        return self._held

    def now_s(self) -> float:
        """The lease's own clock, for `renewed`."""
        return self._clock()

    def assigned(self) -> None:
        """The group gave partitions to this process just now."""
        self._renewed_s = self._clock()
        self._held = True
        self._turns += 1

    def revoked(self) -> None:
        """The partitions were given back in good order: nothing is owned, so nothing can be written
        wrongly."""
        self._held = False
        self._turns += 1

    def renewed(self, asked_s: float) -> None:
        """A heartbeat that was sent at `asked_s` (this lease's clock) was answered well."""
        self._renewed_s = max(self._renewed_s, asked_s)

    def lost(self, reason: str) -> None:
        """The coordinator no longer knows this process. Ends the process if it thinks that it owns
        partitions."""
        if self._held:
            self._end(f"the lease is lost: {reason}; another worker may own the partitions", EXIT_BROKEN)

    def age_s(self) -> float:
        """Seconds since the last good heartbeat was asked for."""
        return self._clock() - self._renewed_s

    def lapsed(self) -> bool:
        """Whether another worker may own the partitions by now."""
        return self._held and self.age_s() >= self.session_timeout_s

    async def ready(self) -> None:
        """Before anything is written: returns while the lease holds, at once or as soon as it holds again.

        Ends the process where the coordinator says nothing for too long, or the partitions moved meanwhile:
        what waited to be written may be somebody else's by now.
        """
        turns = self._turns
        while self.lapsed() and self._turns == turns:
            if self.age_s() >= self.session_timeout_s + WORD_WITHIN_S:
                self.check()
            await asyncio.sleep(LOOK_EVERY_S)
        if self._turns != turns:
            self._end("the partitions moved while a write waited for a lapsed lease", EXIT_BROKEN)

    def check(self) -> None:
        """Ends the process when the lease has lapsed."""
        if self.lapsed():
            self._end(
                f"the lease has lapsed: the last heartbeat is {self.age_s():.1f} s old, "
                f"the session timeout {self.session_timeout_s:.1f} s; "
                "was this process stopped, or Kafka out of reach?",
                EXIT_BROKEN,
            )
