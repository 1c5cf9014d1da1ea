"""What the caller of `admit` knows and the rows do not: the engine's number, limits, actions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.run.number import ENGINE_NUMBER
from schemas.actions import PinnedAction
from schemas.inbox import Limits


@dataclass(frozen=True, slots=True)
class Situation:
    """What a run that is requested now is given for its whole life.

    `actions`: every action there is, by name. `run_url_prefix`: what a run id is appended to for its page,
    such as `https://pulsebook.example.com/runs/`; empty: runs have no URL.
    """

    engine: int = ENGINE_NUMBER
    limits: Limits = field(default_factory=Limits)
    actions: Mapping[str, PinnedAction] = field(default_factory=dict)
    run_url_prefix: str = ""

    def run_url(self, run_id: str) -> str:
        """Where a person sees the run; "" where no prefix is set."""
        if not self.run_url_prefix:
            return ""
        return f"{self.run_url_prefix.rstrip('/')}/{run_id}"
