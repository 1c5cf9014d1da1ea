"""Attempts under way: a task each while its action works, then its answer until the broker acknowledged it.

Which step is started when is `executor.dispatcher`; what an attempt does is `executor.run_step`.
"""

import asyncio
import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from executor.config import Identity
from executor.metrics import Metrics
from executor.open_steps import Key, OpenStep
from executor.run_step import Attempt, StepRunner, outcome_unknown
from schemas.inbox import StepClaimed, StepFinished, StepStatus

log = logging.getLogger(__name__)

ANSWERED_REMEMBERED = 20_000
"""Attempts of this boot whose answer is durable: not started again when a partition comes back."""


class Inbox(Protocol):
    """Where answers and claims go."""

    def send(self, record: StepClaimed | StepFinished) -> "asyncio.Future[None]":
        """Done when the broker has acknowledged the record. Never fails; tries for as long as it takes."""
        ...


@dataclass(slots=True, eq=False)
class _UnderWay:
    step: OpenStep
    task: "asyncio.Task[Attempt] | None" = None
    stopped_because: str = ""
    """`cancelled`: not wanted any more; `ended`: the journal knows the outcome; `shutdown`; else empty."""


class Attempts:
    """The attempts of this process. `on_finished` hears of each answer that became durable."""

    def __init__(
        self,
        runner: StepRunner,
        inbox: Inbox,
        me: Identity,
        metrics: Metrics,
        *,
        on_slot_free: Callable[[], None],
        on_finished: Callable[[OpenStep], None],
    ) -> None:
        self._runner, self._inbox, self._me, self._metrics = runner, inbox, me, metrics
        self._on_slot_free, self._on_finished = on_slot_free, on_finished
        self._under_way: dict[Key, _UnderWay] = {}
        self._answered: OrderedDict[Key, None] = OrderedDict()
        self.in_flight = 0
        """Attempts whose action works at present."""
        self.finished = 0
        """Attempts whose answer became durable."""

    def knows(self, key: Key) -> bool:
        """The attempt is under way: its end will be told."""
        return key in self._under_way

    def has_answered(self, key: Key) -> bool:
        """The attempt was answered durably by this boot."""
        return key in self._answered

    def start(self, step: OpenStep, timeout_s: float, at_ms: int) -> None:
        """Carry the step out."""
        under_way = self._under_way[step.key] = _UnderWay(step)
        self.in_flight += 1
        # The end is a callback: a task that is cancelled before its first step never gets to its own code.
        under_way.task = asyncio.create_task(self._runner.run(step.run_id, step.request, timeout_s))
        under_way.task.add_done_callback(partial(self._ended, under_way, time.perf_counter(), at_ms))

    def answer_unstarted(self, step: OpenStep, attempt: Attempt) -> None:
        """Answer for a step that is not started at all."""
        under_way = self._under_way[step.key] = _UnderWay(step)
        self._answer(under_way, attempt, 0, 0)

    def stop(self, key: Key, *, cancelled: bool) -> None:
        """Stop an action that works; one whose answer is on its way is left alone."""
        under_way = self._under_way.get(key)
        if under_way is not None and under_way.task is not None and not under_way.stopped_because:
            under_way.stopped_because = "cancelled" if cancelled else "ended"
            under_way.task.cancel()

    async def drain(self, grace_s: float) -> None:
        """Let actions finish for that long, then stop them."""
        tasks = [under_way.task for under_way in self._under_way.values() if under_way.task is not None]
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=grace_s)
        for under_way in self._under_way.values():
            if under_way.task in left and not under_way.stopped_because:
                under_way.stopped_because = "shutdown"
                under_way.task.cancel()
        if left:
            await asyncio.wait(left)

    def _ended(self, under_way: _UnderWay, began: float, at_ms: int, task: "asyncio.Task[Attempt]") -> None:
        step, attempt = under_way.step, _outcome(under_way, task)
        duration_s = time.perf_counter() - began
        under_way.task = None
        self.in_flight -= 1
        if attempt is None:
            del self._under_way[step.key]
        else:
            self._metrics.ended(step.request.action, attempt.status, duration_s)
            self._answer(under_way, attempt, at_ms, round(duration_s * 1000))
        self._on_slot_free()

    def _answer(self, under_way: _UnderWay, attempt: Attempt, at_ms: int, duration_ms: int) -> None:
        step = under_way.step
        record = StepFinished(
            run_id=step.run_id,
            step=step.request.step,
            attempt=step.request.attempt,
            answers_seq=step.seq,
            status=attempt.status,
            output=attempt.output,
            kind=attempt.kind,
            message=attempt.message,
            retry_after_ms=attempt.retry_after_ms,
            started_at_ms=at_ms,
            duration_ms=duration_ms,
            instance=self._me.instance,
            boot=self._me.boot,
        )
        self._inbox.send(record).add_done_callback(partial(self._acknowledged, step))

    def _acknowledged(self, step: OpenStep, sent: "asyncio.Future[None]") -> None:
        self._under_way.pop(step.key, None)
        if sent.cancelled():  # The process ends: nothing is durable, nothing is finished.
            return
        sent.result()
        self.finished += 1
        self._answered[step.key] = None
        if len(self._answered) > ANSWERED_REMEMBERED:
            self._answered.popitem(last=False)
        self._on_finished(step)


def _outcome(under_way: _UnderWay, task: "asyncio.Task[Attempt]") -> Attempt | None:
    """What the attempt has to say. None: nothing; it may run again, or the journal knows how it ended."""
    request = under_way.step.request
    if not task.cancelled():
        error = task.exception()
        if error is None:
            return task.result()
        # Without the error's text, which may hold what the step was given.
        trace = "".join(traceback.format_tb(error.__traceback__))
        # Without the error's text, which may hold what the step was given.
        trace = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s in step %s of %s\n%s", type(error).__name__, request.step, under_way.step.run_id, trace)
        status: StepStatus = "failed" if request.repeatable else "unknown"
        return Attempt(status, kind="internal", message=f"the executor failed: {type(error).__name__}")
    if under_way.stopped_because == "cancelled":
        return Attempt("cancelled", kind="cancelled", message="stopped: the run no longer wants it")
    if request.repeatable or under_way.stopped_because == "ended":
        return None
    return outcome_unknown(request, "the executor was stopped while the step ran")
