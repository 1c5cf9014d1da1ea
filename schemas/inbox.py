"""Topic `run-inbox`: everything that can happen to a run, in the only order there is. Keyed by run id."""

from typing import Annotated, Literal

from schemas.actions import PinnedAction
from schemas.alerts import Alert
from schemas.fields import Json, Record, doc
from schemas.relations import Parent, PinnedChild, Rerun

StepStatus = Literal["succeeded", "failed", "unknown", "cancelled"]
FailureKind = Literal[
    "timeout",
    "unreachable",
    "http_4xx",
    "http_5xx",
    "rate_limited",
    "bad_output",
    "bad_input",
    "too_large",
    "exhausted",
    "refused",
    "internal",
    "child",
    "unknown",
    "cancelled",
]


class Limits(Record, frozen=True, kw_only=True):
    """The limits in force when the run was requested; pinned for its whole life."""

    step_output_bytes_max: Annotated[int, doc("Size of a step's output after `select`, bytes of JSON.")] = (
        65_536
    )
    row_bytes_max: Annotated[int, doc("Size of the run's row, bytes.")] = 524_288
    record_bytes_max: Annotated[int, doc("Size of any record, bytes.")] = 921_600
    loop_items_max: Annotated[int, doc("Items of a loop.")] = 1_000
    ended_row_kept_ms: Annotated[int, doc("How long the row of an ended run is kept, ms.")] = 86_400_000


class RunRequested(Record, frozen=True, kw_only=True):
    """The first input of a run: everything it will ever need to know from outside."""

    run_id: Annotated[str, doc("Run id.")]
    playbook: Annotated[str, doc("Playbook name.")]
    revision: Annotated[str, doc("Digest of the pinned revision.")]
    catalog_offset: Annotated[int, doc("Catalog offset by which that revision is known.")]
    engine: Annotated[int, doc("Engine number whose rules the run follows.")]
    request_id: Annotated[str, doc("Alert id or the request's id.")]
    via: Annotated[str, doc("What raised it: alert, api, hook, playbook, rerun.")]
    actor: Annotated[str, doc("Who asked; empty for an alert.")] = ""
    key: Annotated[str, doc("Admission key, to be given back at the end.")] = ""
    alert: Annotated[Alert | None, doc("The normalised alert.")] = None
    inputs: Annotated[Json, doc("Inputs given by the caller (JSON object), before defaults.")] = {}
    actions: Annotated[tuple[PinnedAction, ...], doc("What the run may assume of the actions it uses.")] = ()
    limits: Annotated[Limits, doc("Limits in force.")] = Limits()
    run_url: Annotated[str, doc("Where a person can see the run; empty where no public URL is set.")] = ""
    parent: Annotated[Parent | None, doc("The run that waits for this one.")] = None
    children: Annotated[tuple[PinnedChild, ...], doc("Playbooks that it may run, pinned.")] = ()
    rerun: Annotated[Rerun | None, doc("The run that this one repeats.")] = None


class StepClaimed(Record, frozen=True, kw_only=True):
    """An executor asks to be the one that carries out an unrepeatable step."""

    run_id: Annotated[str, doc("Run id.")]
    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt, from 1.")]
    answers_seq: Annotated[int, doc("Journal seq of the StepRequested.")]
    instance: Annotated[str, doc("Executor instance: stable over restarts.")]
    boot: Annotated[str, doc("Boot id: new at every start of the process.")]
    booted_at_ms: Annotated[int, doc("When that process started: tells a newer boot from an older one.")]


class StepFinished(Record, frozen=True, kw_only=True):
    """The executor's answer to StepRequested."""

    run_id: Annotated[str, doc("Run id.")]
    step: Annotated[str, doc("Step path.")]
    attempt: Annotated[int, doc("Attempt, from 1.")]
    answers_seq: Annotated[int, doc("Journal seq of the StepRequested.")]
    status: Annotated[StepStatus, doc("How it ended.")]
    output: Annotated[Json, doc("Output after `select`; null unless succeeded.")] = None
    kind: Annotated[FailureKind | None, doc("Failure kind; null when succeeded.")] = None
    message: Annotated[str, doc("What went wrong, masked.")] = ""
    retry_after_ms: Annotated[int | None, doc("How long the other side asked to wait.")] = None
    started_at_ms: Annotated[int, doc("When the attempt started (executor's clock), for people.")] = 0
    duration_ms: Annotated[int, doc("How long the attempt took.")] = 0
    instance: Annotated[str, doc("Executor instance.")] = ""
    boot: Annotated[str, doc("Executor boot id.")] = ""


class TimerFired(Record, frozen=True, kw_only=True):
    """A due time came. Ignored by the fold unless that timer is pending in the row."""

    row: Annotated[str, doc("Key of the row that holds the timer.")]
    timer: Annotated[str, doc("Timer id within the row.")]
    due_ms: Annotated[int, doc("When it was due.")]


class Answered(Record, frozen=True, kw_only=True):
    """A person answered a question of the run."""

    run_id: Annotated[str, doc("Run id.")]
    step: Annotated[str, doc("Step path of the question.")]
    choice: Annotated[str, doc("The choice.")]
    actor: Annotated[str, doc("Who answered.")]
    comment: Annotated[str, doc("A remark.")] = ""


class RunRecovered(Record, frozen=True, kw_only=True):
    """The alert that started the run has recovered."""

    run_id: Annotated[str, doc("Run id.")]
    alert_id: Annotated[str, doc("Alert id of the recovery.")]
    recovered_at_ms: Annotated[int, doc("LAST_UPDATED of the recovery.")]
    cancel: Annotated[bool, doc("The playbook says `running: cancel`.")] = False


class CancelRequested(Record, frozen=True, kw_only=True):
    """Somebody wants the run to stop."""

    run_id: Annotated[str, doc("Run id.")]
    actor: Annotated[str, doc("Who.")]
    reason: Annotated[str, doc("Why.")] = ""


class ChildEnded(Record, frozen=True, kw_only=True):
    """A run that this run started has ended."""

    run_id: Annotated[str, doc("Run id of the parent.")]
    step: Annotated[str, doc("Step path in the parent.")]
    child_run_id: Annotated[str, doc("Run id of the child.")]
    status: Annotated[str, doc("How it ended; or why it never began: held_back, dropped, expired, refused.")]
    outputs: Annotated[Json, doc("Its outputs.")] = None
    message: Annotated[str, doc("Its failure message.")] = ""
    answers_seq: Annotated[int, doc("Journal seq of the parent's ChildRequested.")] = 0


InboxRecord = (
    RunRequested
    | StepClaimed
    | StepFinished
    | TimerFired
    | Answered
    | RunRecovered
    | CancelRequested
    | ChildEnded
)
