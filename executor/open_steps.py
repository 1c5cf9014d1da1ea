"""Which steps of one partition are open, folded from the journal. Pure: who carries them out is elsewhere.

A step is open from its StepRequested until the journal says how it ended. Readers of the journal drop repeats
of a record by (run id, seq); so does this. What happened is told as changes, which `executor.dispatcher` acts
upon; while a partition is still being read to its end, nobody acts: what is left open then is what counts.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from schemas.events import (
    BlockEntered,
    CancelSeen,
    JournalRecord,
    RecoverySeen,
    Reported,
    RunEvent,
    RunFinished,
    RunForgotten,
    RunStarted,
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

RUNS_REMEMBERED = 20_000
"""Runs whose last seq is remembered, to tell a repeated record from a new one."""

Key = tuple[str, str, int]
"""Run id, step path, attempt."""


@dataclass(slots=True, eq=False)
class OpenStep:
    """A step that was requested and has not ended. `open` turns false when it is over for this partition."""

    run_id: str
    seq: int
    request: StepRequested
    partition: int
    offset: int
    size_bytes: int
    grant: StepGranted | None = None
    open: bool = True
    key: Key = field(init=False)

    def __post_init__(self) -> None:
        self.key = (self.run_id, self.request.step, self.request.attempt)


@dataclass(frozen=True, slots=True)
class Opened:
    """A step was requested."""

    step: OpenStep


@dataclass(frozen=True, slots=True)
class Granted:
    """Somebody's claim on an open step was granted; `step.grant` says whose."""

    step: OpenStep


@dataclass(frozen=True, slots=True)
class Refused:
    """A claim on an open step was refused."""

    step: OpenStep
    instance: str
    boot: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A step ended. `cancelled`: it is no longer wanted, as opposed to: its outcome is known."""

    step: OpenStep
    cancelled: bool


Change = Opened | Granted | Refused | Closed


class OpenSteps:
    """The open steps of one partition, in the order of their requests."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._runs: dict[str, dict[str, OpenStep]] = {}
        self._seqs: OrderedDict[str, int] = OrderedDict()

    def __iter__(self) -> Iterator[OpenStep]:
        """Oldest request first."""
        steps = [step for run in self._runs.values() for step in run.values()]
        return iter(sorted(steps, key=lambda step: step.offset))

    def get(self, key: Key) -> OpenStep | None:
        """The open step of that run, path and attempt."""
        run_id, path, attempt = key
        step = self._runs.get(run_id, {}).get(path)
        return step if step is not None and step.request.attempt == attempt else None

    def drop(self, step: OpenStep) -> None:
        """The step is over for this partition, whatever the journal says of it later."""
        step.open = False
        run = self._runs.get(step.run_id)
        if run is not None and run.get(step.request.step) is step:
            del run[step.request.step]
            if not run:
                del self._runs[step.run_id]

    def apply(self, offset: int, record: JournalRecord, size_bytes: int) -> list[Change]:
        """What a record changes. `size_bytes`: of the record, for those who bound memory."""
        run_id, seq = record.run_id, record.seq
        if self._seqs.get(run_id, 0) >= seq:
            return []
        self._seqs[run_id] = seq
        self._seqs.move_to_end(run_id)
        if len(self._seqs) > RUNS_REMEMBERED:
            self._seqs.popitem(last=False)
        changes: list[Change] = []
        for event in record.events:
            if isinstance(event, StepRequested):
                step = OpenStep(run_id, seq, event, self._partition, offset, size_bytes)
                self._close(run_id, event.step, event.attempt, False, changes)
                self._runs.setdefault(run_id, {})[event.step] = step
                changes.append(Opened(step))
            elif run_id in self._runs:
                self._fold(run_id, event, changes)
        return changes

    def _fold(self, run_id: str, event: RunEvent, changes: list[Change]) -> None:
        match event:
            case StepSucceeded() | StepFailed() | StepRetryScheduled() | StepAsked():
                self._close(run_id, event.step, event.attempt, False, changes)
            case StepCancelled():
                self._close(run_id, event.step, event.attempt, True, changes)
            case BlockEntered() | RunFinished() | RunForgotten():
                for step in list(self._runs[run_id].values()):
                    self._close(run_id, step.request.step, step.request.attempt, True, changes)
            case StepGranted():
                if (granted := self.get((run_id, event.step, event.attempt))) is not None:
                    granted.grant = event
                    changes.append(Granted(granted))
            case StepClaimRefused():
                if (refused := self.get((run_id, event.step, event.attempt))) is not None:
                    changes.append(Refused(refused, event.instance, event.boot))
            case RunStarted() | StepRequested() | StepSkipped() | StepAnswered() | StepLate():
                pass
            case VarsSet() | Reported() | RecoverySeen() | CancelSeen() | RunPaused():
                pass
            case LoopEntered() | IterationStarted() | IterationEnded() | ParallelEntered():
                pass
            case SwitchEntered() | WaitStarted() | ChildRequested():
                pass
            case _:
                assert_never(event)

    def _close(self, run_id: str, path: str, attempt: int, cancelled: bool, changes: list[Change]) -> None:
        """Close the open step of that path, unless it is a later attempt than the one that ended."""
        step = self._runs.get(run_id, {}).get(path)
        if step is not None and step.request.attempt <= attempt:
            self.drop(step)
            changes.append(Closed(step, cancelled))
