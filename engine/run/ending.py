"""How a run leaves a block and how it ends: `on_failure`, `finally`, outputs, the report, RunFinished."""

from collections.abc import Mapping
from typing import Any, Literal

from engine.expressions import ExpressionError
from engine.playbook.compiled import Compiled
from engine.playbook.model import BLOCK_MS
from engine.run.failing import cut
from engine.run.reporting import own_report
from engine.run.scope import Scope
from engine.run.state import UNDER_WAY, Block, Run, Verdict
from schemas.errors import MalformedMessage
from schemas.events import BlockEntered, Reported, RunEvent, RunFinished, StepCancelled
from schemas.json import size_bytes

SUCCEEDED = Verdict(status="succeeded")


def leave(run: Run, verdict: Verdict, book: Compiled, at_ms: int) -> tuple[RunEvent, ...]:
    """The run has done with its block: into the next one that has steps, or to its end."""
    if (
        run.block == "steps"
        and verdict.status == "succeeded"
        and (book.playbook.on_failure or book.playbook.finally_)
    ):
        verdict = _outputs(run, verdict, book)[1]  # so that a failure of theirs still meets both blocks
    for block in _following(run.block, verdict):
        if book.blocks[block]:
            return (
                BlockEntered(
                    block=block,
                    due_ms=at_ms + BLOCK_MS,
                    status=verdict.status,
                    kind=verdict.kind,
                    step=verdict.step,
                    message=verdict.message,
                ),
            )
    outputs, verdict = _outputs(run, verdict, book)
    return end(run, verdict, book.playbook.report, at_ms, outputs)


def end(
    run: Run, verdict: Verdict, report: tuple[str, ...], at_ms: int, outputs: Mapping[str, Any] | None = None
) -> tuple[RunEvent, ...]:
    """The last events of a run: its report, if such an end is reported, and RunFinished."""
    told: tuple[Reported, ...] = (
        (own_report(run, verdict, outputs, at_ms),) if verdict.status in report else ()
    )
    finished = RunFinished(
        status=verdict.status,
        kind=_reason(verdict),
        step=verdict.step,
        message=cut(verdict.message),
        outputs=outputs or {},
        forget_ms=at_ms + run.pinned.limits.ended_row_kept_ms,
    )
    return (*told, finished)


def end_at_once(
    run: Run, kind: str, step: str, message: str, report: tuple[str, ...], at_ms: int
) -> tuple[RunEvent, ...]:
    """The end without `on_failure` and `finally`: what failed is not the playbook's to mend."""
    verdict = Verdict(status="failed", kind=kind, step=step, message=cut(message))
    return (*give_up_step(run, "the run ended"), *end(run, verdict, report, at_ms))


def give_up_step(run: Run, reason: str) -> tuple[StepCancelled, ...]:
    """Stop all that is under way; what is inside a step before the step itself."""
    live = [(path, state) for path, state in run.steps.items() if state.phase in UNDER_WAY]
    live.sort(key=lambda one: (one[1].phase == "entered", -one[0].count("."), one[0]))
    return tuple(StepCancelled(step=path, attempt=state.attempt, reason=reason) for path, state in live)


def _following(block: Block, verdict: Verdict) -> tuple[Literal["on_failure", "finally"], ...]:
    if block == "finally":
        return ()
    if block == "steps" and verdict.status == "failed" and verdict.kind != "exit":
        return ("on_failure", "finally")
    return ("finally",)


def _reason(verdict: Verdict) -> str:
    """RunFinished.kind: `step` and `unknown` for what a step did, else the kind itself."""
    if verdict.status != "failed":
        return ""
    return "step" if verdict.step and verdict.kind != "unknown" else verdict.kind


def _outputs(run: Run, verdict: Verdict, book: Compiled) -> tuple[dict[str, Any], Verdict]:
    """The playbook's outputs. One that cannot be had fails the run; after an `exit` it is left out."""
    if verdict.status != "succeeded" or not book.playbook.outputs:
        return {}, verdict
    values: dict[str, Any] = {}
    most = run.pinned.limits.step_output_bytes_max
    try:
        for name, value in book.playbook.outputs.items():
            try:
                values[name] = book.render(value, Scope(run)).value
            except ExpressionError as error:
                if verdict.kind != "exit":
                    return {}, Verdict(
                        status="failed", kind="bad_input", message=f"outputs.{name}: {error.message}"
                    )
        size = size_bytes(values)
    except MalformedMessage as error:
        return {}, Verdict(status="failed", kind="bad_input", message=f"outputs: {error}")
    if size > most:
        message = f"the outputs are {size} bytes; at most {most} are kept"
        return {}, Verdict(status="failed", kind="too_large", message=message)
    return values, verdict
