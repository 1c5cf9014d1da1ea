"""Who may carry out an unrepeatable step: claims of executors are granted, refused, or prove an older grant
dead.
"""

from engine.playbook.model import ActionStep
from engine.retry import seconds
from engine.run.failing import Outcome, after_giving_up
from engine.run.requesting import SLACK_MS
from engine.run.state import Grant, Run, StepState
from schemas.events import RunEvent, StepClaimRefused, StepGranted
from schemas.inbox import StepClaimed


def on_claim(
    run: Run, step: ActionStep, state: StepState, claim: StepClaimed, at_ms: int
) -> tuple[RunEvent, ...]:
    """What a claim on the attempt under way leads to; nothing for a repeat, or where no claim is needed."""
    if state.repeatable or (claim.instance, claim.boot) in state.refused:
        return ()
    if state.grant is None:
        return (
            (_granted(state, claim, at_ms),)
            if at_ms <= state.start_by_ms
            else (_refused(claim, "it came too late"),)
        )
    held = state.grant
    if claim.instance != held.instance:
        return (_refused(claim, f"{held.instance} holds the grant"),)
    if claim.boot == held.boot:
        return ()
    if claim.booted_at_ms <= held.booted_at_ms:
        return (_refused(claim, "a newer boot of this executor holds the grant"),)
    return after_giving_up(run, step, state, _left_behind(held), at_ms)


def _granted(state: StepState, claim: StepClaimed, at_ms: int) -> StepGranted:
    return StepGranted(
        step=claim.step,
        attempt=claim.attempt,
        instance=claim.instance,
        boot=claim.boot,
        booted_at_ms=claim.booted_at_ms,
        until_ms=at_ms + state.timeout_ms + SLACK_MS,
    )


def _refused(claim: StepClaimed, reason: str) -> StepClaimRefused:
    return StepClaimRefused(
        step=claim.step, attempt=claim.attempt, instance=claim.instance, boot=claim.boot, reason=reason
    )


def _left_behind(held: Grant) -> Outcome:
    message = f"the executor {held.instance} was restarted while it carried the step out"
    return Outcome(kind="unknown", message=message, unknown=True)


def overdue(state: StepState) -> Outcome:
    """What it means that an attempt's deadline passed without an answer."""
    if state.grant is not None:
        message = f"no answer from the executor {state.grant.instance} within {seconds(state.timeout_ms)}"
        return Outcome(kind="unknown", message=message, unknown=True)
    waited = seconds(max(state.deadline_ms - SLACK_MS - state.timeout_ms - state.first_at_ms, 0))
    if not state.repeatable:
        return Outcome(kind="timeout", message=f"no executor claimed the step within {waited}")
    return Outcome(kind="timeout", message="no answer from an executor before the attempt's deadline")
