"""The ports of the processes of one machine, counted from that of the web."""

from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
LOOPBACK_NAMES = frozenset({LOOPBACK, "localhost", "::1"})
COUNT = 5


@dataclass(frozen=True, slots=True)
class Ports:
    """`web` is the one that was chosen; the others are the next four."""

    web: int

    @property
    def sandbox(self) -> int:
        return self.web + 1

    def all(self) -> dict[str, int]:
        """Process name to port."""
        names = ("web", "sandbox", "processor", "executor", "sink")
        return {name: self.web + place for place, name in enumerate(names)}
