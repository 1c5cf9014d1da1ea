"""What an input means for a run: the events it causes by itself. What follows from them is
`engine.run.deciding`.

A repeat, and what comes when nothing awaits it, means nothing: no event, no journal record.
"""

from collections.abc import Mapping
from typing import assert_never

from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep
from engine.run.beginning import not_begun
from engine.run.claims import on_claim, overdue
from engine.run.ending import give_up_step, leave
from engine.run.evolving import PAUSE
from engine.run.failing import Outcome, after_failure, after_giving_up, cut
from engine.run.frames import step_at
from engine.run.requesting import request
from engine.run.starting import start
from engine.run.state import Run, StepState, Verdict
from schemas.errors import MalformedMessage
from schemas.events import (
    CancelSeen,
    RecoverySeen,
    RunEvent,
    RunForgotten,
    StepAnswered,
    StepLate,
    StepSucceeded,
)
from schemas.events_flow import IterationStarted
from schemas.inbox import (
    Answered,
    CancelRequested,
    ChildEnded,
    FailureKind,
    InboxRecord,
    RunRecovered,
    RunRequested,
    StepClaimed,
    StepFinished,
    TimerFired,
)
from schemas.json import size_bytes

Events = tuple[RunEvent, ...]
NOBODY = "nobody answered in time"
_KINDS: Mapping[str, FailureKind] = {"unknown": "unknown", "cancelled": "cancelled"}
"""What an answer means that names no failure kind."""


def respond(run: Run | None, record: InboxRecord, at_ms: int, book: Compiled) -> Events:
    """The events that the input itself causes, at its time."""
    if run is None:
        return start(record, at_ms, book) if isinstance(record, RunRequested) else ()
    match record:
        case RunRequested():
            return ()
        case ChildEnded():
            return _on_child(run, record, book)
        case TimerFired():
            return _on_timer(run, record, at_ms, book)
        case StepFinished():
            return _on_finished(run, record, at_ms, book)
        case StepClaimed():
            found = _awaited(run, record, book)
            return () if found is None else on_claim(run, *found, record, at_ms)
        case Answered():
            return _on_answer(run, record.step, record.choice, record.actor, record.comment, book)
        case CancelRequested():
            return _on_cancel(run, record.actor, record.reason, at_ms, book)
        case RunRecovered():
            return _on_recovered(run, record, at_ms, book)
        case _:
            assert_never(record)


def resumes(run: Run, record: InboxRecord, at_ms: int) -> bool:
    """Whether the run broke off (RunPaused), and this input tells it to go on."""
    return (
        isinstance(record, TimerFired) and record.timer == PAUSE and at_ms >= run.timers.get(PAUSE, at_ms + 1)
    )


def after_the_end(run: Run, record: InboxRecord, at_ms: int) -> Events:
    """What may still be written of a run that has ended: a late result, and that its row is dropped."""
    if isinstance(record, StepFinished):
        return _late(run, record)
    if isinstance(record, TimerFired) and record.timer == "forget" and at_ms >= run.timers["forget"]:
        return (RunForgotten(),)
    return ()


def _awaited(
    run: Run, record: StepFinished | StepClaimed, book: Compiled
) -> tuple[ActionStep, StepState] | None:
    """The step and its state, if the record is about the attempt that is with the executor."""
    state = run.steps.get(record.step)
    if state is None or state.phase not in ("requested", "granted"):
        return None
    if record.attempt != state.attempt or record.answers_seq != state.requested_seq:
        return None
    return _action_step(book, record.step), state


def _action_step(book: Compiled, path: str) -> ActionStep:
    step = step_at(book, path)
    if not isinstance(step, ActionStep):
        raise AssertionError(f"step {path} is no action, yet it was requested")
    return step


def _on_finished(run: Run, record: StepFinished, at_ms: int, book: Compiled) -> Events:
    found = _awaited(run, record, book)
    if found is None:
        return _late(run, record)
    step, state = found
    if state.grant is not None and (record.instance, record.boot) != (state.grant.instance, state.grant.boot):
        return ()  # the granted boot alone knows; whoever else answers could not start
    if record.status == "succeeded":
        return _on_success(run, record, step, state, at_ms)
    outcome = Outcome(
        kind=record.kind or _KINDS.get(record.status, "internal"),
        message=record.message,
        unknown=record.status == "unknown" and not state.repeatable,
        retry_after_ms=record.retry_after_ms,
        started_at_ms=record.started_at_ms,
        duration_ms=record.duration_ms,
    )
    return after_failure(run, step, state, outcome, at_ms)


def _on_success(run: Run, record: StepFinished, step: ActionStep, state: StepState, at_ms: int) -> Events:
    most = run.pinned.limits.step_output_bytes_max
    try:
        size = size_bytes(record.output)
    except MalformedMessage as error:
        bad = Outcome("bad_output", str(error), False, None, record.started_at_ms, record.duration_ms)
        return after_failure(run, step, state, bad, at_ms)
    if size > most:
        message = f"the output is {size} bytes; at most {most} are kept (use `select`)"
        large = Outcome("too_large", message, False, None, record.started_at_ms, record.duration_ms)
        return after_failure(run, step, state, large, at_ms)
    return (
        StepSucceeded(
            step=record.step,
            attempt=record.attempt,
            output=record.output,
            started_at_ms=record.started_at_ms,
            duration_ms=record.duration_ms,
        ),
    )


def _late(run: Run, record: StepFinished) -> Events:
    """A result for an attempt that was given up unanswered is on record, once; any other is a repeat."""
    if (record.step, record.attempt) not in run.unanswered:
        return ()
    message = cut(record.message)
    return (StepLate(step=record.step, attempt=record.attempt, status=record.status, message=message),)


def _on_timer(run: Run, record: TimerFired, at_ms: int, book: Compiled) -> Events:
    due_ms = run.timers.get(record.timer)
    if due_ms is None or at_ms < due_ms:
        return ()
    kind, _, rest = record.timer.partition("/")
    if record.timer == PAUSE:
        return ()
    if not rest:
        return _on_block_timeout(run, kind, at_ms, book)
    path = rest.rpartition("/")[0]
    state = run.steps[path]
    match kind:
        case "ask":
            return _on_answer(run, path, state.on_timeout, "", NOBODY, book, nobody=True)
        case "wait":
            return (StepSucceeded(step=path, attempt=0, output={"recovered": run.recovered}),)
        case "next":
            return (IterationStarted(step=path, index=0 if state.loop is None else state.loop.begun),)
    step = _action_step(book, path)
    match kind:
        case "deadline":
            return after_giving_up(run, step, state, overdue(state), at_ms)
        case "retry":
            return (request(run, step, state.attempt + 1, book, at_ms),)
        case _:
            raise AssertionError(f"a timer that nothing sets: {record.timer}")


def _on_block_timeout(run: Run, timer: str, at_ms: int, book: Compiled) -> Events:
    """The run's own time is over, or that of the block it is in."""
    what = "the run's timeout" if timer == "timeout" else f"the time of `{timer}`"
    stopped = give_up_step(run, f"{what} has passed")
    busy = [f"`{one.step}`" for one in stopped if run.steps[one.step].phase != "entered"]
    more = f" and {len(busy) - 3} more" if len(busy) > 3 else ""
    steps = f"step {busy[0]} was" if len(busy) == 1 else f"steps {', '.join(busy[:3])}{more} were"
    doing = f" while {steps} under way" if busy else ""
    verdict = Verdict(status="failed", kind="timeout", message=f"{what} has passed{doing}")
    if run.verdict is not None and (timer == "on_failure" or run.verdict.status == "failed"):
        verdict = run.verdict
    return (*stopped, *leave(run, verdict, book, at_ms))


def _on_answer(
    run: Run, path: str, choice: str, actor: str, comment: str, book: Compiled, *, nobody: bool = False
) -> Events:
    """The first answer to a question counts. `fail` is what nobody can choose, and a question can come to."""
    state = run.steps.get(path)
    if state is None or state.phase != "asking":
        return ()
    step = step_at(book, path)
    if choice not in state.choices and not nobody:
        return ()
    answered = StepAnswered(step=path, choice=choice, actor=cut(actor, 200), comment=cut(comment))
    if isinstance(step, ActionStep):
        return (answered,)
    if choice not in state.choices:
        failed = not_begun(step, "timeout", NOBODY)
        return (answered, failed)
    output = {"choice": choice, "by": answered.actor, "comment": answered.comment}
    return (answered, StepSucceeded(step=path, attempt=0, output=output))


def _on_child(run: Run, record: ChildEnded, book: Compiled) -> Events:
    """A child has ended, or admission did not let it begin."""
    state = run.steps.get(record.step)
    if state is None or state.phase != "child" or state.child_run_id != record.child_run_id:
        return ()
    if record.status == "succeeded":
        return (StepSucceeded(step=record.step, attempt=0, output=record.outputs),)
    ran = record.status in ("failed", "cancelled")
    what = (
        f"the run {record.child_run_id} of {state.child_playbook}"
        if ran
        else f"{state.child_playbook} did not start"
    )
    message = f"{what}{f' {record.status}' if ran else ''}{f': {record.message}' if record.message else ''}"
    return (not_begun(step_at(book, record.step), "child" if ran else "refused", message),)


def _on_cancel(run: Run, actor: str, reason: str, at_ms: int, book: Compiled) -> Events:
    """Stops what is under way and goes to `finally`; in `finally` it is only noted. A failed run stays
    failed.
    """
    if run.cancel_seen:
        return ()
    seen = CancelSeen(actor=cut(actor, 200), reason=cut(reason))
    if run.block == "finally":
        return (seen,)
    stopped = give_up_step(run, "the run was cancelled")
    message = cut(": ".join(filter(None, (f"cancelled by {actor}" if actor else "cancelled", reason))))
    verdict = run.verdict or Verdict(status="cancelled", message=message)
    return (seen, *stopped, *leave(run, verdict, book, at_ms))


def _on_recovered(run: Run, record: RunRecovered, at_ms: int, book: Compiled) -> Events:
    if run.recovered:
        return ()
    seen = RecoverySeen(alert_id=record.alert_id, recovered_at_ms=record.recovered_at_ms)
    if not record.cancel:
        return (seen,)
    return (seen, *_on_cancel(run, "", "the alert recovered", at_ms, book))
