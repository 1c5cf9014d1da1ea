"""A candidate to the request that starts its run, complete from the first moment: one that waits in the queue
is started as it was asked for, whatever was deployed or installed meanwhile.
"""

from functools import lru_cache

from engine.admission.situation import Situation
from engine.playbook.compiled import Compiled
from engine.playbook.model import ActionStep
from schemas.actions import PinnedAction
from schemas.admissions import Candidate
from schemas.inbox import RunRequested

_MINUTE_MS = 60_000
_AFTER_TIMEOUT_MS = (5 + 5 + 10) * _MINUTE_MS
"""`on_failure`, `finally`, and slack: then a run has ended, whatever became of its RunEnded."""


class MissingAction(LookupError):
    """The playbook uses an action that is not installed here. Its text is the action's name."""


def requested(candidate: Candidate, book: Compiled, key: str, situation: Situation) -> RunRequested:
    """The run's first input. Raises MissingAction."""
    return RunRequested(
        run_id=candidate.run_id,
        playbook=candidate.playbook,
        revision=candidate.revision,
        catalog_offset=candidate.catalog_offset,
        engine=situation.engine,
        request_id=candidate.request_id,
        via=candidate.via,
        actor=candidate.actor,
        key=key,
        alert=candidate.alert,
        inputs=candidate.inputs,
        actions=_pinned(book, situation),
        limits=situation.limits,
        run_url=situation.run_url(candidate.run_id),
        parent=candidate.parent,
        children=candidate.children,
        rerun=candidate.rerun,
    )


def slot_ms(book: Compiled) -> int:
    """How long after its start a run has certainly ended."""
    return book.playbook.timeout_ms + _AFTER_TIMEOUT_MS


def _pinned(book: Compiled, situation: Situation) -> tuple[PinnedAction, ...]:
    missing = next((name for name in action_names(book) if name not in situation.actions), None)
    if missing is not None:
        raise MissingAction(missing)
    return tuple(situation.actions[name] for name in action_names(book))


@lru_cache(maxsize=1_024)
def action_names(book: Compiled) -> tuple[str, ...]:
    """The actions that a playbook uses, sorted."""
    return tuple(sorted({step.action for step in book.steps.values() if isinstance(step, ActionStep)}))
