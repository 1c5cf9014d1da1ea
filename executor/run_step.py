"""One attempt of one step: fill in the secrets, call the action, keep what `select` asks for, mask, measure.

No Kafka and no clock here; who decides that the attempt starts, and who hears of its end, is elsewhere.
Nothing is raised but cancellation: whatever goes wrong is an `Attempt` that says so.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from engine.expressions import ExpressionError, select
from executor.masking import Masker
from executor.secret_slots import FindSecret, SlotProblem, filled
from schemas.actions import Action, Call, Done, Failed
from schemas.errors import MalformedMessage
from schemas.events import StepRequested
from schemas.inbox import FailureKind, StepStatus
from schemas.json import size_bytes

MESSAGE_CHARS_MAX = 1_000
"""Longest failure message that is recorded."""
OUTPUT_BYTES_MAX = 800 * 1024
"""Largest output whatever the playbook's limits say: with it the record stays within 900 KiB."""
RETRY_AFTER_MAX_S = 31 * 86_400
TIMEOUT_GRACE_S = 0.5
"""How much longer than its own timeout an action may take to say that it timed out, before it is stopped."""
_KINDS = frozenset(get_args(FailureKind))


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt ended; masked, fit to be recorded."""

    status: StepStatus
    output: Any = None
    kind: FailureKind | None = None
    message: str = ""
    retry_after_ms: int | None = None


class StepRunner:
    """Carries out attempts with the given actions and secrets."""

    def __init__(self, actions: Mapping[str, Action], find_secret: FindSecret) -> None:
        self._actions = actions
        self._find_secret = find_secret

    async def run(self, run_id: str, request: StepRequested, timeout_s: float) -> Attempt:
        """One attempt, at most `timeout_s` (and a short grace) long. Raises CancelledError only."""
        action = self._actions.get(request.action)
        if action is None:
            return _failed(Failed("refused", f"this executor has no action {request.action}"), request)
        try:
            given = filled(request.arguments, request.secrets, self._find_secret)
        except SlotProblem as problem:
            return _failed(Failed("bad_input", str(problem)), request)
        masker = Masker(secret.value for secret in given.secrets)
        call = Call(
            run_id=run_id,
            step=request.step,
            attempt=request.attempt,
            arguments=given.arguments,
            idempotency_key=request.idempotency_key,
            timeout_s=timeout_s,
            repeatable=request.repeatable,
            secret_hosts=tuple(secret.hosts for secret in given.secrets if secret.hosts),
            mask=masker.text,
        )
        outcome = await _called(action, call)
        kept = _kept(outcome.output, request, action, masker) if isinstance(outcome, Done) else outcome
        return _failed(kept, request, masker) if isinstance(kept, Failed) else kept


def outcome_unknown(request: StepRequested, reason: str) -> Attempt:
    """The end of an unrepeatable attempt that was stopped half way."""
    return _failed(Failed("unknown", reason, may_have_happened=True), request)


async def _called(action: Action, call: Call) -> Done | Failed:
    try:
        async with asyncio.timeout(call.timeout_s + TIMEOUT_GRACE_S) as bound:
            return await action(call)
    except TimeoutError as error:
        if bound.expired():
            return Failed("timeout", f"no answer within {call.timeout_s:g} s", may_have_happened=True)
        return _raised(action, error)
    except Exception as error:
        # An action of another package may raise anything; that is an answer, too, and ends nothing else.
        return _raised(action, error)


def _raised(action: Action, error: Exception) -> Failed:
    return Failed(
        "internal",
        f"action {action.spec.name} raised {type(error).__name__}: {error}",
        may_have_happened=True,
    )


def _kept(output: Any, request: StepRequested, action: Action, masker: Masker) -> Attempt | Failed:
    """What is recorded of an output. The action did its work, whatever is wrong with what it returned.

    What is too large or does not fit `select` is a plain failure: no policy tries those again. An output that
    is no JSON may be tried again, so an unrepeatable step must not seem to have done nothing.
    """
    if action.spec.sensitive_outputs and isinstance(output, dict):
        output = {key: item for key, item in output.items() if key not in action.spec.sensitive_outputs}
    advice = "keep less of it with `select`"
    try:
        size = size_bytes(output)
        kept = masker.value(output)
        if request.select is not None:
            advice = "even after `select`"
            kept = masker.value(select(request.select, kept))
        if kept is not output:
            size = size_bytes(kept)
    except MalformedMessage as error:
        return Failed("bad_output", f"the output is {error}", may_have_happened=True)
    except ExpressionError as error:
        return Failed("bad_input", str(error))
    limit = min(request.output_bytes_max, OUTPUT_BYTES_MAX)
    if size > limit:
        message = f"the output has {size} bytes, at most {limit} are kept: {advice}"
        return Failed("too_large", message)
    return Attempt("succeeded", kept)


def _failed(failed: Failed, request: StepRequested, masker: Masker | None = None) -> Attempt:
    message = failed.message if masker is None else masker.text(failed.message)
    unknown = failed.may_have_happened and not request.repeatable
    return Attempt(
        status="unknown" if unknown else "failed",
        kind=failed.kind if failed.kind in _KINDS else "internal",  # type: ignore[arg-type] # the set is the type's
        message=_printable(message),
        retry_after_ms=_in_ms(failed.retry_after_s),
    )


def _in_ms(wait_s: float | None) -> int | None:
    if wait_s is None or wait_s != wait_s:  # NaN asks for nothing.
        return None
    return round(min(max(wait_s, 0.0), RETRY_AFTER_MAX_S) * 1000)


def _printable(message: str) -> str:
    """The message as one that can be recorded: Unicode, and not too long."""
    text = message.encode("utf-8", "replace").decode()
    return text if len(text) <= MESSAGE_CHARS_MAX else text[: MESSAGE_CHARS_MAX - 1] + "…"
