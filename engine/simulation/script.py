"""What the world says in a test: the alert, and for each step what its attempts come to. No playbook here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.run.frames import id_of
from schemas.actions import PinnedAction
from schemas.alerts import Alert
from schemas.inbox import Limits


@dataclass(frozen=True, slots=True)
class Said:
    """What one attempt, question, wait or child is told. Nothing set: it succeeds with null."""

    output: Any = None
    """As the step keeps it: after `select`."""
    error: str = ""
    """Failure kind; of a child, how it ended or why it did not begin."""
    message: str = ""
    unknown: bool | None = None
    """Whether it may have had its effect all the same: it matters for a step that must not be done twice.
    None: as the kind of failure lets one expect.
    """
    silent: bool = False
    """`timeout`: no answer ever comes."""
    choice: str = ""
    by: str = ""
    comment: str = ""
    recovered: bool = False
    after_ms: int = 0
    """How long it takes."""


@dataclass(frozen=True, slots=True)
class Script:
    """All that a run meets."""

    alert: Alert | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)
    """By the path of a step in the run (`restart[0].kill`), or by its id for every iteration (`kill`). One
    for each attempt; the last one is for all further attempts.
    """
    actions: tuple[PinnedAction, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def of(self, path: str) -> tuple[Said, ...]:
        """What the step at that path is told; empty where nothing is said of it."""
        return self.answers.get(path) or self.answers.get(id_of(path), ())
