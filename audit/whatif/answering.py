"""What the world would have said, from what it did say.

An attempt of a step is answered as it was in the recorded run of the same playbook for the same alert, where
it asks for the very same: action, inputs, secrets, `select`, number of the attempt. Everything else is
assumed to succeed, with the best output there is, and says which:

1. the same step of that run, with other inputs: its good answer then;
2. the same step in another run of the period, with that action and `select`: its latest good answer;
3. otherwise a value as the action declares its output, every part of it empty.

A question is answered as it was, while that is still one of the choices; otherwise nobody answers.
"""

from collections.abc import Mapping
from typing import Any, cast

from audit.whatif.fates import asked_of
from audit.whatif.recording import does_of
from audit.whatif.spool import Kept, Spool
from audit.whatif.world import Answer, Word
from engine.run.frames import id_of
from schemas.events import StepAsked, StepRequested
from schemas.inbox import FailureKind, StepFinished, StepStatus
from schemas.json import canonical, parsed

ASSUMED_MS = 1_000
"""How long a step is assumed to take of which nothing is on record."""
OTHER_INPUTS = "not asked for on record: as this step answered other inputs then"
OTHER_RUN = "not done on record for this alert: as this step answered in another run"
NOTHING_KNOWN = "not done on record: it succeeds, its output is empty"
NOT_LONG_ENOUGH = "on record it had less time: it succeeds, its output is empty"
NOBODY = "not asked on record: nobody answers"
NO_CHOICE = "the answer on record is no choice any more: nobody answers"
_EMPTY: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False, "array": []}


class RecordedAnswers:
    """Answers from a spool. `outputs`: the JSON Schema of each action's output, by the action's name."""

    def __init__(self, spool: Spool, outputs: Mapping[str, Any]) -> None:
        self._spool, self._outputs = spool, outputs

    def attempt(self, run_id: str, playbook: str, asked: StepRequested) -> Answer:
        """What an executor would answer."""
        same = self._spool.answers(run_id, asked_of(asked), asked.attempt)
        # A step that only got another name still did the same.
        found = next((kept for step, kept in same if step == asked.step), same[0][1] if same else None)
        if found is not None and not (found.kind == "timeout" and asked.timeout_ms > found.timeout_ms):
            return _answer(run_id, asked, found, "")
        if found is not None:
            return _answer(run_id, asked, self._empty(asked), NOT_LONG_ENOUGH)
        if (kept := self._spool.last_good(run_id, asked.step)) is not None:
            return _answer(run_id, asked, kept, OTHER_INPUTS)
        if (kept := self._spool.example(playbook, id_of(asked.step), does_of(asked))) is not None:
            return _answer(run_id, asked, kept, OTHER_RUN)
        return _answer(run_id, asked, self._empty(asked), NOTHING_KNOWN)

    def question(self, run_id: str, asked: StepAsked) -> Word:
        """What a person would answer."""
        found = self._spool.word(run_id, asked.step, asked.attempt)
        if found is None:
            return Word(assumed=NOBODY)
        choice, actor, after_ms = found
        if choice and choice not in asked.choices:
            return Word(assumed=NO_CHOICE)
        return Word(choice, actor, after_ms)

    def _empty(self, asked: StepRequested) -> Kept:
        select = asked.select
        output = dict.fromkeys(select) if isinstance(select, dict) else empty(self._outputs.get(asked.action))
        return Kept("succeeded", "", "", canonical(output), ASSUMED_MS, ASSUMED_MS, 0)


def empty(schema: Any) -> Any:
    """The empty value of a JSON Schema's type; null where it says none."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "object":
        return {name: empty(inner) for name, inner in schema.get("properties", {}).items()}
    return _EMPTY.get(kind) if isinstance(kind, str) else None


def _answer(run_id: str, asked: StepRequested, kept: Kept, assumed: str) -> Answer:
    """As the executor would send it; one that takes longer than it may is cut off."""
    late = kept.took_ms > asked.timeout_ms
    said: dict[str, Any] = {"status": kept.status, "output": parsed(kept.output)}
    if late:
        after_ms = kept.after_ms - kept.took_ms + asked.timeout_ms
        status = "failed" if asked.repeatable else "unknown"
        message = f"no answer within {asked.timeout_ms / 1_000:g} s"
        said = {"status": status, "kind": "timeout", "message": message}
    else:
        after_ms = kept.after_ms
        if kept.status != "succeeded":
            said |= {"kind": cast(FailureKind, kept.kind), "message": kept.message}
    said["status"] = cast(StepStatus, said["status"])
    finished = StepFinished(
        run_id=run_id,
        step=asked.step,
        attempt=asked.attempt,
        answers_seq=0,
        duration_ms=min(kept.took_ms, asked.timeout_ms),
        **said,
    )
    return Answer(finished, after_ms, assumed)
