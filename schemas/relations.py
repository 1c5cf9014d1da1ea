"""How a run is related to others: the one that waits for it, those it may start, the one it repeats."""

from typing import Annotated, Literal

from schemas.fields import Json, Record, doc


class Parent(Record, frozen=True, kw_only=True):
    """The run that waits for this one."""

    run_id: Annotated[str, doc("Its run id.")]
    step: Annotated[str, doc("Path of its step that waits.")]
    seq: Annotated[int, doc("Journal record in which that step asked for this run.")]
    depth: Annotated[int, doc("How deep the child is: 1 for the child of a run that nobody waits for.")] = 1


class PinnedChild(Record, frozen=True, kw_only=True):
    """A playbook that a run may start, at the revision that was active when the run was asked for."""

    playbook: Annotated[str, doc("Playbook name.")]
    revision: Annotated[str, doc("Digest of the revision.")]
    catalog_offset: Annotated[int, doc("Catalog offset by which that revision is known.")]


class KeptStep(Record, frozen=True, kw_only=True):
    """What a step of an earlier run came to: taken over by a rerun instead of being done again."""

    step: Annotated[str, doc("Step path.")]
    status: Annotated[Literal["succeeded", "failed", "unknown", "skipped"], doc("How it ended.")]
    output: Annotated[Json, doc("Its output; of a loop, the list of those of its iterations.")] = None
    kind: Annotated[str, doc("Failure kind; empty unless failed or unknown.")] = ""
    message: Annotated[str, doc("Failure message.")] = ""
    attempt: Annotated[int, doc("Attempts it took.")] = 0
    seq: Annotated[int, doc("Journal record of the earlier run that says so.")] = 0


class Rerun(Record, frozen=True, kw_only=True):
    """A run that repeats another one from a step on."""

    run_id: Annotated[str, doc("Run id of the earlier run.")]
    from_step: Annotated[str, doc("Path of the step that it begins with; empty: from the beginning.")] = ""
    kept: Annotated[tuple[KeptStep, ...], doc("What the steps before it came to.")] = ()
    variables: Annotated[Json, doc("Variables as they were before it (JSON object).")] = {}
