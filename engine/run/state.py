"""A run's row: all that is known of a live run, and its bytes. What changes it is `engine.run.evolving`.

Rows are JSON, not MessagePack: an output may hold integers beyond 64 bits, which only JSON can say, and a row
must come back from its bytes exactly as a refold of the journal makes it.
"""

from typing import Any, Literal, NamedTuple

import msgspec

from schemas.events import Ending, RunStarted

Status = Literal["running", "waiting", "succeeded", "failed", "cancelled"]
Block = Literal["steps", "on_failure", "finally"]
Phase = Literal[
    "requested",
    "granted",
    "retrying",
    "asking",
    "answered",
    "cancelled",
    "entered",
    "waiting",
    "child",
    "succeeded",
    "failed",
    "unknown",
    "skipped",
]

ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})
"""Statuses of a run that nothing moves any more."""

OVER: frozenset[str] = frozenset({"succeeded", "failed", "unknown", "skipped"})
"""Phases of a step that nothing moves any more."""

UNDER_WAY: frozenset[str] = frozenset(
    {"requested", "granted", "retrying", "asking", "answered", "entered", "waiting", "child"}
)
"""Phases of a step that somebody or something else moves: it can be given up."""


class Stamp(NamedTuple):
    """Where an event stands: the run, the journal record it is part of, and that record's cause and time."""

    run_id: str
    seq: int
    offset: int
    at_ms: int


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all parts of a row."""


class Grant(Part, frozen=True, kw_only=True):
    """The executor that alone may carry out the attempt under way."""

    instance: str
    boot: str
    booted_at_ms: int
    until_ms: int


class Loop(Part, frozen=True, kw_only=True):
    """A loop that is under way."""

    items: Any = None
    """None for a `repeat`."""
    total: int
    begun: int = 0
    live: dict[str, int] = {}
    """Iterations under way: index, as text, to when it began."""
    outputs: dict[str, Any] = {}
    """Of iterations that have ended, by index."""
    stop: bool = False
    """`until` was true."""
    failed: bool = False
    next_ms: int = 0
    """When the next iteration is due; 0: as soon as there is room."""


class StepState(Part, frozen=True, kw_only=True):
    """One step that has begun. What only matters while it is under way is dropped when it is over."""

    phase: Phase
    attempt: int = 0
    """The latest attempt; 0 where none was made."""
    output: Any = None
    kind: str = ""
    """Failure kind; empty unless failed or unknown."""
    message: str = ""
    origin: str = ""
    """Path of the step inside this one that failed."""
    continued: bool = False
    """It failed, and the run goes on all the same."""

    repeatable: bool = False
    requested_seq: int = 0
    """Journal seq of the attempt's StepRequested: what answers must name."""
    first_at_ms: int = 0
    """When the first attempt was requested: `retry.within` counts from here."""
    start_by_ms: int = 0
    timeout_ms: int = 0
    deadline_ms: int = 0
    grant: Grant | None = None
    refused: tuple[tuple[str, str], ...] = ()
    """(instance, boot) of refused claims: a repeat of one is not refused again."""
    choices: tuple[str, ...] = ()
    on_timeout: str = ""
    answer: str = ""
    loop: Loop | None = None
    case: int = 0
    """Of a switch: the case that was chosen; -1: `default`."""
    until: str = ""
    """Of a wait: `time` or `recovered`."""
    child_playbook: str = ""
    child_run_id: str = ""


class Verdict(Part, frozen=True, kw_only=True):
    """How the run will end if nothing changes it, and why."""

    status: Ending
    kind: str = ""
    """Failure kind: that of the step, or timeout, bad_input, too_large, exit, internal."""
    step: str = ""
    message: str = ""


class Run(Part, frozen=True, kw_only=True):
    """A run's row. Equal to a refold of the run's journal, field by field, at any time."""

    run_id: str
    playbook: str
    status: Status
    seq: int = 0
    """Seq of the last journal record."""
    applied: int = -1
    """Inbox offset of the last input that changed something: its journal record's cause."""
    at_ms: int = 0
    """Time of that input: the run's only clock."""
    started_at_ms: int = 0
    started: RunStarted | None = None
    """The first event: everything pinned. None once the run has ended, as are all fields of a live run."""
    block: Block = "steps"
    verdict: Verdict | None = None
    """Set from the moment the run leaves its `steps`; None before."""
    variables: dict[str, Any] = {}
    steps: dict[str, StepState] = {}
    """By path. The order of this mapping means nothing."""
    unanswered: tuple[tuple[str, int], ...] = ()
    """(step, attempt) that were given up before an answer came: one late answer each is recorded."""
    recovered: bool = False
    cancel_seen: bool = False
    timers: dict[str, int] = {}
    """Pending timers: id to due time."""

    @property
    def pinned(self) -> RunStarted:
        """The first event. Only live runs have it; whoever asks an ended one is mistaken."""
        if self.started is None:
            raise AssertionError(f"run {self.run_id} has ended: nothing is pinned any more")
        return self.started


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Run)


def encode_row(run: Run) -> bytes:
    """The row as bytes; equal rows have equal bytes."""
    return _encoder.encode(run)


def decode_row(data: bytes) -> Run:
    """The inverse of `encode_row`. Raises ValueError for bytes that are no row."""
    return _decoder.decode(data)
