"""How long a fetch of records waits for more: not at all while few come, some milliseconds while many do.

aiokafka asks for the next records as soon as it has the last, and a broker answers as soon as there is one.
Under load that is a request for every few records, at both ends the larger part of the cost of reading. So
whoever reads tells a `FetchPace` how much came; above `BUSY_RECORDS_S` the next requests ask the broker to
gather first. Below it nothing waits. Belongs to no room: processor, sink, executor and web read alike.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BUSY_RECORDS_S = 1_000.0
"""Above so many records a second, waiting for more costs less time than it saves."""
WINDOW_S = 0.2
"""The rate is that of the last window of at least this length."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """What a fetch asks of the broker: to answer with `min_bytes`, or after `wait_ms` with what there is."""

    min_bytes: int
    wait_ms: int


class FetchPace:
    """The pace of one consumer. `calm` while few records come, `busy` while many do."""

    def __init__(
        self, calm: Fetching, busy: Fetching, *, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.calm, self.busy = calm, busy
        self.current = calm
        self._now_s = now_s
        self._began_s = now_s()
        self._records = 0

    def drained(self, consumer: Any, records: int) -> None:
        """Count records that came out of an aiokafka consumer, and tell it how to fetch the next.

        aiokafka reads both numbers anew for every request (`Fetcher._get_actions_per_node`), and has no
        other way to change them while it runs.
        """
        self._records += records
        took_s = self._now_s() - self._began_s
        if took_s < WINDOW_S:
            return
        self.current = self.busy if self._records > BUSY_RECORDS_S * took_s else self.calm
        self._began_s += took_s
        self._records = 0
        self.apply(consumer._fetcher)

    def apply(self, fetcher: Any) -> None:
        """Have a fetcher ask as the present pace says."""
        fetcher._fetch_min_bytes = self.current.min_bytes
        fetcher._fetch_max_wait_ms = self.current.wait_ms
