"""Drives a run to its end in virtual time: plays executor, timers, people and children by a script.

The run itself is the real one (`engine.run.advancing`); only what it meets is made up. Nothing here reads a
clock, and the number of inputs is bounded.
"""

from heapq import heappop, heappush
from typing import Any

from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep, RunStep
from engine.run.advancing import Advanced, advance, failed_internally, timers
from engine.run.frames import step_at
from engine.run.number import ENGINE_NUMBER
from engine.run.state import ENDED, Run
from engine.simulation.script import Said, Script
from engine.simulation.told import Told
from schemas.events import RunEvent, StepAsked, StepCancelled, StepGranted, StepRequested
from schemas.events_flow import ChildRequested, WaitStarted
from schemas.ids import run_id
from schemas.inbox import (
    Answered,
    ChildEnded,
    InboxRecord,
    RunRecovered,
    RunRequested,
    StepClaimed,
    StepFinished,
    TimerFired,
)
from schemas.outgoing import Cause
from schemas.relations import PinnedChild

INPUTS_MAX = 20_000
"""Inputs of one run; a loop over 1 000 items with a few steps each stays below."""
BEGIN_MS = 1_769_860_800_000
"""When every simulated run begins: 2026-01-31T12:00:00Z."""
MAYBE_DONE = frozenset({"timeout", "http_5xx", "bad_output", "internal"})
"""Failures after which the executor cannot say that nothing was done."""
EXECUTOR, BOOT = "simulation", "boot-1"


class Endless(RuntimeError):
    """The run had not ended after INPUTS_MAX inputs."""


def simulate(book: Compiled, script: Script) -> Told:
    """The run of this playbook in that world. Raises Endless."""
    world = _World(book, script)
    world.feed(_request(book, script))
    for _ in range(INPUTS_MAX):
        if world.row is None or world.row.status in ENDED:
            world.told.took_ms = world.now_ms - BEGIN_MS
            return world.told
        world.feed(world.next())
    raise Endless(f"the run has not ended after {INPUTS_MAX} inputs; use fewer items or a lower `times`")


def _request(book: Compiled, script: Script) -> RunRequested:
    named = {step.playbook for step in book.steps.values() if isinstance(step, RunStep)}
    request_id = script.alert.id if script.alert is not None else "test"
    return RunRequested(
        run_id=run_id(book.playbook.name, request_id),
        playbook=book.playbook.name,
        revision=book.digest,
        catalog_offset=0,
        engine=ENGINE_NUMBER,
        request_id=request_id,
        via="api" if script.alert is None else "alert",
        actor="test" if script.alert is None else "",
        alert=script.alert,
        inputs=dict(script.inputs),
        actions=script.actions,
        limits=script.limits,
        children=tuple(
            PinnedChild(playbook=name, revision="simulated", catalog_offset=0) for name in sorted(named)
        ),
    )


class _World:
    """All that is outside of the run, and the run's row."""

    def __init__(self, book: Compiled, script: Script) -> None:
        self.book = book
        self.script = script
        self.told = Told()
        self.row: Run | None = None
        self.now_ms = BEGIN_MS
        self._offset = 0
        self._order = 0
        self._coming: list[tuple[int, int, str, InboxRecord]] = []
        """When, in which order, about which step."""
        self._requests: dict[str, tuple[StepRequested, int]] = {}
        self._times: dict[tuple[str, str], int] = {}

    def next(self) -> InboxRecord:
        """What happens next; virtual time goes there. Of two at one time, an answer before a timer."""
        if self.row is None:
            raise AssertionError("a run that has not begun has no future")
        due_ms, timer = min((due_ms, timer) for timer, due_ms in timers(self.row).items())
        if self._coming and self._coming[0][0] <= due_ms:
            at_ms, _, _, record = heappop(self._coming)
            self.now_ms = max(self.now_ms, at_ms)
            return record
        self.now_ms = max(self.now_ms, due_ms)
        return TimerFired(row=self.row.run_id, timer=timer, due_ms=due_ms)

    def feed(self, record: InboxRecord) -> None:
        """The run hears it, and the world hears what the run does."""
        self._offset += 1
        cause = Cause("run-inbox", 0, self._offset, self.now_ms)
        advanced = self._advanced(record, cause)
        self.row = advanced.row
        if advanced.journal is None:
            return
        for event in advanced.journal.events:
            self.told.hear(event)
            self._react(event, advanced.journal.run_id, advanced.journal.seq)

    def _advanced(self, record: InboxRecord, cause: Cause) -> Advanced:
        try:
            return advance(self.row, record, cause, self.book)
        except Exception as error:
            # As the processor does it: the run fails, and says why.
            return failed_internally(self.row, record, cause, f"{type(error).__name__}: {error}")

    def _react(self, event: RunEvent, run: str, seq: int) -> None:
        match event:
            case StepRequested():
                self._requests[event.step] = (event, seq)
                if event.repeatable:
                    self._carry_out(run, event.step)
                else:
                    self._at(0, event.step, claim(run, event, seq))
            case StepGranted():
                self._carry_out(run, event.step)
            case StepCancelled():
                self._forget(event.step)
            case StepAsked():
                self._ask(run, event)
            case WaitStarted() if event.until == "recovered":
                self._recover(run, event)
            case ChildRequested():
                self._child(run, event, seq)
            case _:
                pass

    def _carry_out(self, run: str, path: str) -> None:
        """The executor's part of an attempt."""
        request, seq = self._requests[path]
        given = tuple(one for one in self.script.of(path) if not one.choice)
        if not given:
            self.told.assumed[path] = "output null"
        said = self._one(given, path, "attempt") or Said()
        answer: dict[str, Any] = {"status": "succeeded", "output": said.output}
        if said.silent or said.after_ms > request.timeout_ms:
            message = said.message or f"no answer within {request.timeout_ms / 1_000:g} s"
            said = Said(error="timeout", message=message, unknown=True, after_ms=request.timeout_ms)
        if said.error:
            maybe = said.error in MAYBE_DONE if said.unknown is None else said.unknown
            unknown = said.error == "unknown" or (maybe and not request.repeatable)
            kind = None if said.error == "unknown" else said.error
            status = "unknown" if unknown else "failed"
            answer = {"status": status, "kind": kind, "message": said.message or said.error}
        finished = StepFinished(
            run_id=run,
            step=path,
            attempt=request.attempt,
            answers_seq=seq,
            started_at_ms=self.now_ms,
            duration_ms=said.after_ms,
            instance=EXECUTOR,
            boot=BOOT,
            **answer,
        )
        self._at(said.after_ms, path, finished)

    def _ask(self, run: str, event: StepAsked) -> None:
        """A person's part: a question of the playbook, or of a step whose outcome nobody knows."""
        given = self.script.of(event.step)
        if isinstance(step_at(self.book, event.step), ActionStep):
            given = tuple(one for one in given if one.choice)
        if not given:
            self.told.assumed[event.step] = f"nobody answers: {event.on_timeout}"
        said = self._one(given, event.step, "question")
        if said is not None and said.choice:
            answered = Answered(
                run_id=run,
                step=event.step,
                choice=said.choice,
                actor=said.by or "test",
                comment=said.comment,
            )
            self._at(said.after_ms, event.step, answered)

    def _recover(self, run: str, event: WaitStarted) -> None:
        given = self.script.of(event.step)
        if not given:
            self.told.assumed[event.step] = "it does not recover"
        said = self._one(given, event.step, "wait")
        if said is None or not said.recovered:
            return
        at_ms = self.now_ms + said.after_ms
        cancel = self.book.playbook.admission.on_recovered_running == "cancel"
        recovered = RunRecovered(run_id=run, alert_id="recovery", recovered_at_ms=at_ms, cancel=cancel)
        # About no step: an alert recovers whether or not anybody waits for it.
        self._at(said.after_ms, "", recovered)

    def _child(self, run: str, event: ChildRequested, seq: int) -> None:
        given = self.script.of(event.step)
        if not given:
            self.told.assumed[event.step] = "output null"
        said = self._one(given, event.step, "child") or Said()
        if said.silent:
            return
        failed = "failed" if said.error == "child" else said.error
        ended = ChildEnded(
            run_id=run,
            step=event.step,
            child_run_id=event.child_run_id,
            status=failed or "succeeded",
            outputs=None if failed else said.output,
            message=said.message,
            answers_seq=seq,
        )
        self._at(said.after_ms, event.step, ended)

    def _one(self, given: tuple[Said, ...], path: str, what: str) -> Said | None:
        """The next of these; the last one again and again."""
        at = self._times[path, what] = self._times.get((path, what), -1) + 1
        return given[min(at, len(given) - 1)] if given else None

    def _at(self, after_ms: int, step: str, record: InboxRecord) -> None:
        self._order += 1
        heappush(self._coming, (self.now_ms + after_ms, self._order, step, record))

    def _forget(self, path: str) -> None:
        """The step was given up: what was coming for it does not come any more."""
        self._coming = sorted(one for one in self._coming if one[2] != path)


def claim(run: str, event: StepRequested, seq: int) -> StepClaimed:
    """What the simulated executor sends before it begins a step. `seq`: of the record that asks for it."""
    return StepClaimed(
        run_id=run,
        step=event.step,
        attempt=event.attempt,
        answers_seq=seq,
        instance=EXECUTOR,
        boot=BOOT,
        booted_at_ms=1,
    )
