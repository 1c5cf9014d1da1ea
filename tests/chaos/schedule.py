"""When what happens to whom: a schedule follows from its seed, so that what failed once can be repeated."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Deed = Literal["kill", "wipe", "move", "handover", "freeze", "term", "leave", "join", "quit"]
"""kill: kill -9, started again on the same disk. wipe: the same on an empty disk. move: kill -9, and away for
longer than the session timeout. handover: kill -9, a short life on the same disk, then as with move. freeze:
SIGSTOP for as long, then SIGCONT. term: SIGTERM, started again. leave: SIGTERM, and away as long as with
move. join: start those that were kept down. quit: SIGTERM, for good."""


@dataclass(frozen=True, slots=True)
class Moment:
    """At `at_s` after the beginning, `deed` to all of `names` at once."""

    at_s: float
    deed: Deed
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.at_s:6.1f} s {self.deed} {' '.join(self.names)}"


def schedule(
    seed: int,
    groups: Sequence[Sequence[str]],
    deeds: Sequence[Deed],
    count: int,
    every_s: float,
) -> list[Moment]:
    """`count` moments, about `every_s` apart: each does one of `deeds` to one of `groups`.

    Every group has its turn before one has another; what it is done to is drawn.
    """
    drawn = random.Random(seed)  # noqa: S311  # a schedule, no secret
    moments: list[Moment] = []
    turns: list[Sequence[str]] = []
    for number in range(count):
        if not turns:
            turns = list(groups)
            drawn.shuffle(turns)
        at_s = every_s * (number + drawn.uniform(0.3, 0.9))
        moments.append(Moment(round(at_s, 2), drawn.choice(deeds), tuple(turns.pop())))
    return moments
