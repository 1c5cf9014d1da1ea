"""What can have happened to steps within steps, waits and children: events of a journal record, past tense.

`schemas.events` has all others, and the union of them all.
"""

from typing import Annotated, Literal

from schemas.fields import Json, Record, doc


class LoopEntered(Record, frozen=True, kw_only=True):
    """A loop begins: over which items, or how often at most."""

    step: Annotated[str, doc("Step path.")]
    items: Annotated[Json, doc("The items (JSON list); null for a `repeat`.")] = None
    total: Annotated[int, doc("Iterations at most.")]


class IterationStarted(Record, frozen=True, kw_only=True):
    """An iteration of a loop begins."""

    step: Annotated[str, doc("Step path of the loop.")]
    index: Annotated[int, doc("Which, from 0.")]


class IterationEnded(Record, frozen=True, kw_only=True):
    """All steps of an iteration have ended, or one has failed it."""

    step: Annotated[str, doc("Step path of the loop.")]
    index: Annotated[int, doc("Which, from 0.")]
    outputs: Annotated[Json, doc("Outputs of its steps by id (JSON object).")] = {}
    stop: Annotated[bool, doc("`until` was true: no new iteration begins.")] = False
    next_ms: Annotated[int, doc("When the next iteration of a `repeat` is due; 0: at once, or never.")] = 0
    kind: Annotated[str, doc("Failure kind; empty unless it failed.")] = ""
    message: Annotated[str, doc("What went wrong.")] = ""
    origin: Annotated[str, doc("Path of the step that failed.")] = ""


class ParallelEntered(Record, frozen=True, kw_only=True):
    """Branches begin side by side."""

    step: Annotated[str, doc("Step path.")]
    branches: Annotated[tuple[str, ...], doc("Their names.")]


class SwitchEntered(Record, frozen=True, kw_only=True):
    """A case was chosen."""

    step: Annotated[str, doc("Step path.")]
    value: Annotated[str, doc("The value, as text.")]
    case: Annotated[int, doc("Which case, from 0; -1: `default`.")]


class WaitStarted(Record, frozen=True, kw_only=True):
    """The run waits for a time or for the alert's recovery."""

    step: Annotated[str, doc("Step path.")]
    until: Annotated[Literal["time", "recovered"], doc("For what.")]
    due_ms: Annotated[int, doc("Until when at most.")]


class ChildRequested(Record, frozen=True, kw_only=True):
    """A step asked for a run of another playbook, and waits for it; its candidate goes to admission."""

    step: Annotated[str, doc("Step path.")]
    playbook: Annotated[str, doc("The child's playbook.")]
    revision: Annotated[str, doc("Digest of its revision, as this run pinned it.")]
    child_run_id: Annotated[str, doc("Run id of the child.")]
    inputs: Annotated[Json, doc("Its inputs (JSON object).")] = {}


class RunPaused(Record, frozen=True, kw_only=True):
    """So much followed from one input that the rest is done with the next one, which the run sends itself."""

    due_ms: Annotated[int, doc("When it goes on.")]
