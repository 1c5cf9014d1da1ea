"""What a run does next, from its row alone: safe to ask twice. What an input means is
`engine.run.responding`; how a step begins is `engine.run.beginning`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.expressions import ExpressionError
from engine.playbook.compiled import Compiled
from engine.playbook.model import (
    ActionStep,
    AskStep,
    ForeachStep,
    ParallelStep,
    RepeatStep,
    RunStep,
    Step,
    SwitchStep,
    WaitStep,
)
from engine.playbook.names import is_named
from engine.playbook.walking import within
from engine.run.beginning import begin, continues
from engine.run.ending import SUCCEEDED, leave
from engine.run.failing import Outcome, cut, failed
from engine.run.frames import frame_at, prefix_of, step_at
from engine.run.requesting import request
from engine.run.scope import Scope
from engine.run.state import ENDED, OVER, Loop, Run, StepState, Verdict
from schemas.events import RunEvent, StepFailed, StepSucceeded
from schemas.events_flow import IterationEnded, IterationStarted

Events = tuple[RunEvent, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """A list of steps that a step has failed: which, and how."""

    path: str
    kind: Any
    message: str


Found = Events | Broken | Literal["waits", "done"]
"""What a list of steps has: events to come, or nothing now."""


@dataclass(slots=True)
class Place:
    """How far each list of steps is known to be over, within one input: what is over stays so."""

    over: dict[tuple[str, int], int] = field(default_factory=dict)
    """By the list's prefix and identity."""


def decide(run: Run, book: Compiled, place: Place | None = None) -> Events:
    """The next events of a run; none where it must wait, or has ended."""
    if run.status in ENDED:
        return ()
    found = _Walk(run, book, place or Place()).steps(book.blocks[run.block], "")
    match found:
        case "waits":
            return ()
        case "done":
            return leave(run, run.verdict or SUCCEEDED, book, run.at_ms)
        case Broken():
            return leave(run, _after_failure(run, found), book, run.at_ms)
        case _:
            return found


@dataclass(frozen=True, slots=True)
class _Walk:
    """One look at a run, down from the steps of its block."""

    run: Run
    book: Compiled
    place: Place

    def steps(self, steps: tuple[Step, ...], prefix: str) -> Found:
        """A list of steps: goes on behind what is over."""
        known = (prefix, id(steps))
        for at in range(self.place.over.get(known, 0), len(steps)):
            path = prefix + steps[at].path
            state = self.run.steps.get(path)
            if state is None:
                return begin(self.run, step_at(self.book, path), self.book)
            if state.phase not in OVER:
                return self._inside(step_at(self.book, path), state)
            if state.phase in ("failed", "unknown") and not state.continued:
                kind = "unknown" if state.phase == "unknown" else state.kind
                return Broken(state.origin or path, kind, state.message)
            self.place.over[known] = at + 1
        return "done"

    def _inside(self, step: Step, state: StepState) -> Found:
        """A step that has begun and is not over."""
        if isinstance(step, ActionStep) and state.phase == "answered":
            return _follow(self.run, step, state, self.book)
        if isinstance(step, WaitStep):
            healed = state.phase == "waiting" and state.until == "recovered" and self.run.recovered
            return (
                (StepSucceeded(step=step.path, attempt=0, output={"recovered": True}),) if healed else "waits"
            )
        if state.phase != "entered":
            return "waits"
        prefix = prefix_of(step.path)
        match step:
            case ForeachStep() | RepeatStep():
                return self._loop(step, state)
            case ParallelStep():
                return self._branches(step, (self.steps(one.steps, prefix) for one in step.branches))
            case SwitchStep():
                chosen = step.default if state.case < 0 else step.cases[state.case].steps
                return self._branches(step, [self.steps(chosen, prefix)])
            case _:
                return "waits"

    def _branches(self, step: ParallelStep | SwitchStep, each: Iterable[Found]) -> Found:
        """Ends when all have ended; the first that failed, in the order of the file, names the failure."""
        found: list[Found] = []
        for one in each:
            if isinstance(one, tuple):
                return one
            found.append(one)
        if "waits" in found:
            return "waits"
        broken = next((one for one in found if isinstance(one, Broken)), None)
        return (_ended(step, broken),)

    def _loop(self, step: ForeachStep | RepeatStep, state: StepState) -> Found:
        loop = state.loop
        if loop is None:
            raise AssertionError(f"{step.path} is no loop")
        for index in sorted(map(int, loop.live)):
            found = self.steps(step.steps, f"{step.path}[{index}].")
            if isinstance(found, tuple):
                return found
            if found != "waits":
                return (self._iteration_ended(step, loop, index, found),)
        if not loop.stop and not loop.failed and loop.begun < loop.total:
            room = step.concurrency if isinstance(step, ForeachStep) else 1
            if loop.next_ms or len(loop.live) >= room:
                return "waits"
            return (IterationStarted(step=step.path, index=loop.begun),)
        if loop.live:
            return "waits"
        if loop.failed:
            return (_ended(step, Broken(state.origin, state.kind, state.message)),)
        if isinstance(step, RepeatStep) and not loop.stop:
            times = f"{loop.total} time{'s' if loop.total > 1 else ''}"
            return (_ended(step, Broken("", "exhausted", f"`until` was not true after {times}")),)
        return (_ended(step, None),)

    def _iteration_ended(
        self, step: ForeachStep | RepeatStep, loop: Loop, index: int, found: Found
    ) -> IterationEnded:
        """Its outputs; whether the loop goes on, and when."""
        prefix = f"{step.path}[{index}]."
        outputs = self._outputs(step, prefix)
        if isinstance(found, Broken):
            return IterationEnded(
                step=step.path,
                index=index,
                outputs=outputs,
                kind=found.kind,
                message=cut(found.message),
                origin=found.path,
            )
        try:
            scope = Scope(self.run, frame_at(self.run, self.book, prefix))
            stop = bool(step.until) and self.book.boolean(step.until, scope)
        except ExpressionError as error:
            return IterationEnded(
                step=step.path,
                index=index,
                outputs=outputs,
                kind="bad_input",
                message=cut(f"until: {error.message}"),
            )
        due_ms = 0
        if isinstance(step, RepeatStep) and step.every_ms and not stop and index + 1 < loop.total:
            due_ms = loop.live[str(index)] + step.every_ms
        next_ms = due_ms if due_ms > self.run.at_ms else 0
        return IterationEnded(step=step.path, index=index, outputs=outputs, stop=stop, next_ms=next_ms)

    def _outputs(self, loop: ForeachStep | RepeatStep, prefix: str) -> dict[str, Any]:
        """What the steps of an iteration gave, by id; a loop within gives its own list."""
        around = self.book.loops[loop.steps[0].path]
        found: dict[str, Any] = {}
        for step in within(loop.steps):
            gives = isinstance(step, ActionStep | AskStep | RunStep | ForeachStep | RepeatStep | WaitStep)
            if gives and is_named(step.path) and self.book.loops[step.path] == around:
                state = self.run.steps.get(prefix + step.path)
                found[step.path] = None if state is None else state.output
        return found


def _ended(step: ForeachStep | RepeatStep | ParallelStep | SwitchStep, broken: Broken | None) -> RunEvent:
    if broken is None:
        return StepSucceeded(step=step.path, attempt=0)
    return StepFailed(
        step=step.path,
        attempt=0,
        kind=broken.kind,
        message=cut(broken.message),
        continued=continues(step),
        origin=broken.path if broken.path != step.path else "",
    )


def _follow(run: Run, step: ActionStep, state: StepState, book: Compiled) -> Events:
    """What a person (or nobody, in time) said to an unknown outcome."""
    if state.answer == "retry":
        return (request(run, step, state.attempt + 1, book, run.at_ms),)
    outcome = Outcome(kind="unknown", message=f"{state.message} Answer: {state.answer}", unknown=True)
    return (failed(step, state, outcome, continued=state.answer == "continue"),)


def _after_failure(run: Run, broken: Broken) -> Verdict:
    """The first failure names the end; only `finally` can make a failed run of another one."""
    if run.verdict is not None and (run.block == "on_failure" or run.verdict.status == "failed"):
        return run.verdict
    return Verdict(status="failed", kind=broken.kind, step=broken.path, message=broken.message)
