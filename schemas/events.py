"""What can have happened to a run: the events inside a journal record. Past tense: facts, never wishes.

The journal is read by the executor, the sink, the console and every audit: each finds here all it needs.
"""

from typing import Annotated, Literal

import msgspec

from schemas.actions import PinnedAction, SecretSlot
from schemas.alerts import Alert
from schemas.events_flow import (
    ChildRequested,
    IterationEnded,
    IterationStarted,
    LoopEntered,
    ParallelEntered,
    RunPaused,
    SwitchEntered,
    WaitStarted,
)
from schemas.fields import Json, Record, doc
from schemas.inbox import FailureKind, Limits
from schemas.relations import Parent, PinnedChild, Rerun

Ending = Literal["succeeded", "failed", "cancelled"]


class RunStarted(Record, frozen=True, kw_only=True):
    """A run came to be. Copies everything that later decisions may look at."""

    playbook: Annotated[str, doc("Playbook name.")]
    revision: Annotated[str, doc("Digest of the pinned revision.")]
    engine: Annotated[int, doc("Engine number.")]
    request_id: Annotated[str, doc("Alert id or request id.")]
    via: Annotated[str, doc("What raised it.")]
    actor: Annotated[str, doc("Who asked.")] = ""
    key: Annotated[str, doc("Admission key.")] = ""
    alert: Annotated[Alert | None, doc("The alert.")] = None
    inputs: Annotated[Json, doc("Inputs with defaults filled in (JSON object).")] = {}
    actions: Annotated[tuple[PinnedAction, ...], doc("Pinned actions.")] = ()
    limits: Annotated[Limits, doc("Pinned limits.")] = Limits()
    run_url: Annotated[str, doc("Where a person can see the run.")] = ""
    due_ms: Annotated[int, doc("When the whole run times out.")]
    parent: Annotated[Parent | None, doc("The run that waits for this one.")] = None
    children: Annotated[tuple[PinnedChild, ...], doc("Playbooks that it may run, pinned.")] = ()
    rerun: Annotated[Rerun | None, doc("The run that this one repeats.")] = None


class StepRequested(Record, frozen=True, kw_only=True):
    """The executor is to carry out a step. Arguments are literal but for the secret slots."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt, from 1.")]
    action: Annotated[str, doc("Action name.")]
    arguments: Annotated[Json, doc("Arguments (JSON object); null where a secret goes.")] = {}
    secrets: Annotated[tuple[SecretSlot, ...], doc("Secret slots.")] = ()
    repeatable: Annotated[bool, doc("May simply be run again after a crash.")]
    select: Annotated[Json, doc("Output name to expression over `output`; null keeps all.")] = None
    timeout_ms: Annotated[int, doc("Bound of the attempt, from its start.")]
    start_by_ms: Annotated[int, doc("Latest start; after it the step fails with `timeout`.")]
    deadline_ms: Annotated[int, doc("When the run's own timer ends the step, whatever the executor does.")]
    idempotency_key: Annotated[
        str, doc("run/step/attempt of the first try; the same for a rerun after a crash.")
    ]
    output_bytes_max: Annotated[int, doc("Largest output after `select`, bytes of JSON.")] = 65_536


class StepGranted(Record, frozen=True, kw_only=True):
    """An executor's claim on an unrepeatable step was granted: it alone may start it."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt.")]
    instance: Annotated[str, doc("Executor instance.")]
    boot: Annotated[str, doc("Executor boot id.")]
    booted_at_ms: Annotated[int, doc("When that executor started.")]
    until_ms: Annotated[int, doc("Deadline of the grant.")]


class StepClaimRefused(Record, frozen=True, kw_only=True):
    """A claim came while another executor's grant was in force."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt.")]
    instance: Annotated[str, doc("Executor instance that asked.")]
    boot: Annotated[str, doc("Its boot id.")]
    reason: Annotated[str, doc("Why.")]


class StepSucceeded(Record, frozen=True, kw_only=True):
    """A step ended well."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempts it took.")]
    output: Annotated[Json, doc("Its output, after `select`.")] = None
    started_at_ms: Annotated[int, doc("When the attempt started.")] = 0
    duration_ms: Annotated[int, doc("How long the attempt took.")] = 0


class StepFailed(Record, frozen=True, kw_only=True):
    """A step ended badly and will not be tried again."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempts made.")]
    kind: Annotated[FailureKind, doc("Failure kind.")]
    message: Annotated[str, doc("What went wrong.")]
    status: Annotated[Literal["failed", "unknown"], doc("unknown: it may have had its effect.")] = "failed"
    continued: Annotated[bool, doc("`continue_on_error` (or `on_unknown: continue`): the run goes on.")] = (
        False
    )
    started_at_ms: Annotated[int, doc("When the last attempt started; 0 if it never did.")] = 0
    duration_ms: Annotated[int, doc("How long the last attempt took.")] = 0
    origin: Annotated[str, doc("Path of the step inside this one that failed; empty: this one itself.")] = ""


class StepRetryScheduled(Record, frozen=True, kw_only=True):
    """An attempt failed and another one follows."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("The attempt that failed.")]
    kind: Annotated[FailureKind, doc("Failure kind.")]
    message: Annotated[str, doc("What went wrong.")]
    due_ms: Annotated[int, doc("When the next attempt is requested.")]
    reason: Annotated[str, doc("Why it is tried again and why then.")]


class StepSkipped(Record, frozen=True, kw_only=True):
    """A step's `if` was false."""

    step: Annotated[str, doc("Step path.")]
    reason: Annotated[str, doc("The condition that was false.")] = ""
    output: Annotated[Json, doc("Of a question: the answer that is taken where it is skipped.")] = None


class StepCancelled(Record, frozen=True, kw_only=True):
    """A step that was under way is no longer wanted; the executor stops it."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt.")]
    reason: Annotated[str, doc("Why: cancel, run timeout.")]


class StepAsked(Record, frozen=True, kw_only=True):
    """A step waits for a person: a question, or an `on_unknown: ask`."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt whose outcome is unknown; 0 for a question.")] = 0
    question: Annotated[str, doc("The question.")]
    choices: Annotated[tuple[str, ...], doc("Possible answers.")]
    due_ms: Annotated[int, doc("When the default is taken.")]
    on_timeout: Annotated[str, doc("The default: a choice, or fail.")]
    by: Annotated[tuple[str, ...], doc("Roles or names that may answer; empty: operators.")] = ()


class StepAnswered(Record, frozen=True, kw_only=True):
    """Somebody (or the timeout) answered."""

    step: Annotated[str, doc("Step path.")]
    choice: Annotated[str, doc("The choice.")]
    actor: Annotated[str, doc("Who; empty for the timeout.")] = ""
    comment: Annotated[str, doc("A remark.")] = ""


class StepLate(Record, frozen=True, kw_only=True):
    """A result came after the step had ended otherwise. It changes nothing."""

    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt.")]
    status: Annotated[str, doc("What the late result said.")]
    message: Annotated[str, doc("Its message.")] = ""


class VarsSet(Record, frozen=True, kw_only=True):
    """A `set` step gave values to variables."""

    step: Annotated[str, doc("Step path.")]
    values: Annotated[Json, doc("Name to value (JSON object).")]


class Reported(Record, frozen=True, kw_only=True):
    """A finished text for the Datadog event stream; the sink posts it as it is."""

    step: Annotated[str, doc("Step path of a `publish`; empty for the run's own report.")] = ""
    kind: Annotated[Literal["publish", "succeeded", "failed", "cancelled"], doc("What it reports.")]
    title: Annotated[str, doc("Title.")]
    text: Annotated[str, doc("Text.")]
    tags: Annotated[tuple[str, ...], doc("Tags.")] = ()
    alert_type: Annotated[Literal["info", "success", "warning", "error"], doc("Datadog's alert_type.")]
    priority: Annotated[Literal["normal", "low"], doc("Datadog's priority.")] = "normal"
    host: Annotated[str, doc("Host the event is about.")] = ""
    aggregation_key: Annotated[str, doc("Datadog's aggregation key.")] = ""


class BlockEntered(Record, frozen=True, kw_only=True):
    """The run went into its `on_failure` or `finally` steps."""

    block: Annotated[Literal["on_failure", "finally"], doc("Which.")]
    due_ms: Annotated[int, doc("When the block times out.")]
    status: Annotated[Ending, doc("How the run will end if the block does not change it.")]
    kind: Annotated[str, doc("Failure kind, or empty.")] = ""
    step: Annotated[str, doc("Step that failed, or empty.")] = ""
    message: Annotated[str, doc("Failure or exit message.")] = ""


class RecoverySeen(Record, frozen=True, kw_only=True):
    """The alert recovered while the run was alive."""

    alert_id: Annotated[str, doc("Alert id of the recovery.")]
    recovered_at_ms: Annotated[int, doc("LAST_UPDATED of the recovery.")]


class CancelSeen(Record, frozen=True, kw_only=True):
    """A cancel reached the run; what is under way is stopped, then `finally` runs."""

    actor: Annotated[str, doc("Who.")]
    reason: Annotated[str, doc("Why.")]


class RunFinished(Record, frozen=True, kw_only=True):
    """The end. Nothing but StepLate and RunForgotten may follow."""

    status: Annotated[Ending, doc("How it ended.")]
    kind: Annotated[
        str, doc("Failure reason: step, timeout, unknown, bad_input, internal; empty if not failed.")
    ] = ""
    step: Annotated[str, doc("Step that failed.")] = ""
    message: Annotated[str, doc("Reason for a person.")] = ""
    outputs: Annotated[Json, doc("The playbook's outputs (JSON object).")] = {}
    forget_ms: Annotated[int, doc("When the run's row is dropped.")]


class RunForgotten(Record, frozen=True, kw_only=True):
    """The row of an ended run was dropped from the table; the journal stays."""


RunEvent = (
    RunStarted
    | StepRequested
    | StepGranted
    | StepClaimRefused
    | StepSucceeded
    | StepFailed
    | StepRetryScheduled
    | StepSkipped
    | StepCancelled
    | StepAsked
    | StepAnswered
    | StepLate
    | VarsSet
    | Reported
    | BlockEntered
    | RecoverySeen
    | CancelSeen
    | RunFinished
    | RunForgotten
    | LoopEntered
    | IterationStarted
    | IterationEnded
    | ParallelEntered
    | SwitchEntered
    | WaitStarted
    | ChildRequested
    | RunPaused
)


class JournalRecord(Record, frozen=True, kw_only=True):
    """Topic `run-journal`: all that one input did to a run. (run id, seq) identifies it."""

    run_id: Annotated[str, doc("Run id.")]
    playbook: Annotated[str, doc("Playbook name.")]
    seq: Annotated[int, doc("1, 2, 3, ... within the run.")]
    cause_topic: Annotated[str, doc("Topic of the input, without the prefix.")]
    cause_partition: Annotated[int, doc("Partition of the input.")]
    cause_offset: Annotated[int, doc("Offset of the input.")]
    at_ms: Annotated[int, doc("Broker timestamp of the input: the run's only clock.")]
    events: Annotated[tuple[RunEvent, ...], doc("What happened, in order.")]


EVENT_TYPES: tuple[type[msgspec.Struct], ...] = RunEvent.__args__
