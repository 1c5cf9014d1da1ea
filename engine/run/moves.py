"""The life of a run: theory of operation, then every legal move as data. Read this page first.

What a run is. One playbook carried out once. All that can happen to it are records of the inbox, in the
order of its partition; all that did happen are records of the journal, one for each input that changed
something. A run's row is the fold of its journal and nothing else: `evolve` (engine.run.evolving) folds one
event and never asks whether it was wise; `respond` (engine.run.responding) says what an input means,
`decide` (engine.run.deciding) what the run does next, both from the row alone, so that asking twice gives
the same answer.

Two machines. The run: `running` (a step is with the executor, or the next one is being decided), `waiting`
(for a time, a person's answer, a recovery or a child), and three ends. Within it a block: `steps`, then after
a failure (also the run's timeout) `on_failure`, then always `finally`, each of the two with five minutes of
its own; a cancel goes straight to `finally`. The step: the table `STEP_MOVES`.

Steps within steps. A loop, `parallel` or `switch` is `entered` while the steps in it run; a loop's iterations
have paths of their own, `restart[2].kill`. `decide` walks down from the block's list: a list goes on behind
what is over, a container hands on what is inside it. So several steps can be under way at once, in an order
that is that of the inbox. An iteration's steps leave the row when it ends; their outputs stay with the loop.

Rules, the losing one beside the winning one.
- A finished run never moves. Whatever comes after RunFinished leaves at most a StepLate, and RunForgotten
  when its row is dropped. After that the row is gone: a result that comes even later cannot be numbered, so
  it leaves no record; the executor's own log has it. A RunRequested that comes again then is kept out by
  the watermark of the partition (law 7), not here.
- A repeat changes nothing and leaves no record: a result already taken, a claim already granted or refused,
  a second cancel, a timer that is not pending, an offset already applied. A result for an attempt that was
  given up unanswered (deadline, cancel, timeout, newer boot) is no repeat: it is recorded once as StepLate,
  and changes nothing else.
- A timer is a due time in the row. One that fires before its due time (clocks differ) is ignored and stays;
  it will be sent again. One whose step has moved on is not in the row and is ignored. Broker times may go
  back a little: due times are compared with the input's own time, and elapsed time below zero counts as
  zero.
- An unrepeatable step starts only under a grant. While the grant runs, claims of others are refused and
  only the granted boot is believed; a newer boot of the same instance, or the grant's deadline, means that
  the step may or may not have happened: `unknown`. Past its deadline without a grant it surely never
  started: `timeout`.
- A failing iteration keeps new ones from beginning, and the running ones end as they do; a failing branch
  lets the others end. Then the loop or `parallel` has failed, and names the step within (`origin`).
- What would make one record too long (a loop of steps that need nobody) is broken off by RunPaused and goes
  on with the next input, whichever it is; the run sends itself one.
- Giving a run up, by cancel, timeout, `exit` or its end, gives up every step that is under way.
- StepCancelled gives an attempt up. Alone it ends the step (cancel, timeout); followed in the same record
  by StepFailed, StepRetryScheduled or StepAsked, that decides.
- The first failure names the run's end. A failure in `on_failure` ends only that block. A failure in
  `finally` turns a run that would have succeeded, or was cancelled, into a failed one. `exit` says the end
  itself, wherever it stands.
- What does not fit (limits) fails the step with `too_large`; where not even that fits, the run ends with
  it.
- An exception in this code is an answer: `failed_internally` ends the run, without `on_failure` and
  `finally`, whose rules are what just broke.

Not modelled: who the executor is; whether a child may start (`engine.admission`); who may answer (the API);
what a person sees (`engine.timeline`). The picture in docs/runs.md is made from these tables; a test fails
if it is stale.
"""

from collections.abc import Mapping

from engine.run.state import Block, Phase, Status
from schemas.events import (
    BlockEntered,
    CancelSeen,
    RecoverySeen,
    Reported,
    RunFinished,
    RunForgotten,
    StepAnswered,
    StepAsked,
    StepCancelled,
    StepClaimRefused,
    StepFailed,
    StepGranted,
    StepLate,
    StepRequested,
    StepRetryScheduled,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)
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
from schemas.fields import Record

_OUTCOMES: dict[type[Record], Phase] = {
    StepFailed: "failed",  # or `unknown`, see MAY_BE_UNKNOWN
    StepRetryScheduled: "retrying",
    StepAsked: "asking",
}
_UNDER_WAY: dict[type[Record], Phase] = {**_OUTCOMES, StepSucceeded: "succeeded", StepCancelled: "cancelled"}

STEP_MOVES: Mapping[Phase | None, Mapping[type[Record], Phase]] = {
    None: {  # not begun
        StepRequested: "requested",
        StepAsked: "asking",
        LoopEntered: "entered",
        ParallelEntered: "entered",
        SwitchEntered: "entered",
        WaitStarted: "waiting",
        ChildRequested: "child",
        StepSkipped: "skipped",
        VarsSet: "succeeded",
        Reported: "succeeded",
        StepFailed: "failed",
    },
    "requested": {**_UNDER_WAY, StepGranted: "granted", StepClaimRefused: "requested"},
    "granted": {**_UNDER_WAY, StepClaimRefused: "granted"},
    "retrying": {StepRequested: "requested", StepFailed: "failed", StepCancelled: "cancelled"},
    "asking": {StepAnswered: "answered", StepCancelled: "cancelled"},
    "answered": {
        StepRequested: "requested",
        StepSucceeded: "succeeded",
        StepFailed: "failed",
        StepCancelled: "cancelled",
    },
    "entered": {
        IterationStarted: "entered",
        IterationEnded: "entered",
        StepSucceeded: "succeeded",
        StepFailed: "failed",
        StepCancelled: "cancelled",
    },
    "waiting": {StepSucceeded: "succeeded", StepCancelled: "cancelled"},
    "child": {StepSucceeded: "succeeded", StepFailed: "failed", StepCancelled: "cancelled"},
    "cancelled": _OUTCOMES,
    "succeeded": {},
    "failed": {},
    "unknown": {},
    "skipped": {},
}
"""Phase of a step, event, next phase. What is not here leaves the run as it was."""

MAY_BE_UNKNOWN: frozenset[Phase | None] = frozenset({"requested", "granted", "cancelled", "answered"})
"""Phases in which StepFailed may say `unknown`: an attempt has left us and may have had its effect."""

_BUSY: tuple[type[Record], ...] = (
    StepRequested,
    StepFailed,
    StepCancelled,
    StepSucceeded,
    StepAnswered,
    BlockEntered,
    LoopEntered,
    IterationStarted,
    IterationEnded,
    ParallelEntered,
    SwitchEntered,
    StepGranted,
    StepClaimRefused,
    StepSkipped,
    VarsSet,
    Reported,
    RunPaused,
)
_WAITS: tuple[type[Record], ...] = (StepRetryScheduled, StepAsked, WaitStarted, ChildRequested)
_NOTES: tuple[type[Record], ...] = (StepLate, RecoverySeen, CancelSeen)
_AFTER: tuple[type[Record], ...] = (StepLate, RunForgotten)

RUN_MOVES: Mapping[Status, Mapping[type[Record], Status | None]] = {
    "running": {
        **dict.fromkeys((*_BUSY, *_NOTES), "running"),
        **dict.fromkeys(_WAITS, "waiting"),
        RunFinished: None,  # as the event says
    },
    "waiting": {
        **dict.fromkeys(_BUSY, "running"),
        **dict.fromkeys((*_WAITS, *_NOTES), "waiting"),
        RunFinished: None,
    },
    "succeeded": dict.fromkeys(_AFTER, "succeeded"),
    "failed": dict.fromkeys(_AFTER, "failed"),
    "cancelled": dict.fromkeys(_AFTER, "cancelled"),
}
"""Status of a run, event, next status where one step is under way. RunStarted makes a run out of nothing;
RunForgotten makes it nothing. Where several steps are under way, the run waits if one of them waits and none
is with the executor.
"""

BLOCK_MOVES: Mapping[Block, frozenset[Block]] = {
    "steps": frozenset({"on_failure", "finally"}),
    "on_failure": frozenset({"finally"}),
    "finally": frozenset(),
}
"""Block, blocks that may follow."""
