"""What becomes of alerts in one world: how admission decided, and which steps ran to which end.

A fate is handed on when nothing more can happen to it. Steps of a run that a run started belong to the fate
of the alert, behind the path of the step that started it (`notify > post`).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from audit.whatif.reading import readers_of
from engine.playbook.compiled import Compiled
from engine.run.frames import id_of
from schemas.decisions import AdmissionDecided
from schemas.events import (
    Reported,
    RunEvent,
    RunFinished,
    StepAsked,
    StepCancelled,
    StepFailed,
    StepRequested,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)
from schemas.events_flow import ChildRequested
from schemas.ids import digest
from schemas.json import canonical

RAN = frozenset({"succeeded", "failed", "unknown", "cancelled"})
"""Ends of a step that did something, or may have."""
WITHIN = " > "
OUTPUTS, REPORT = "(outputs)", "(report)"
"""Stand among the paths of steps: what the playbook gives out, and what Datadog is told at the end."""


@dataclass(slots=True)
class Ran:
    """One step of one run. `what`: a hash of what it was asked to do; `assumed`: why its answer is none on
    record.
    """

    status: str = ""
    what: str = ""
    kind: str = "step"
    """What `what` is about: inputs, text, question, values."""
    assumed: str = ""
    depends: bool = False
    """It reads what was assumed."""


@dataclass(slots=True)
class Fate:
    """One alert and one playbook."""

    decision: str = ""
    """absent (there is no such playbook), not_matched; else the last of started, held_back, dropped, expired,
    refused.
    """
    rule: str = ""
    """The rule that decided; of not_matched, the clause that was false."""
    reason: str = ""
    queued: str = ""
    """The rule that let it wait first."""
    status: str = ""
    """How the run ended."""
    failed_step: str = ""
    failure: str = ""
    """Why it failed."""
    steps: dict[str, Ran] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """Whether a run began."""
        return self.decision == "started"

    @property
    def matched(self) -> bool:
        """Whether the playbook wanted the alert."""
        return self.decision not in ("not_matched", "absent")


def what_of(*parts: Any) -> str:
    """A short hash of JSON values."""
    return digest(canonical(parts).decode())[:16]


class Fates:
    """Hears what admission and the runs of one world say."""

    def __init__(self, final: Callable[[str, Fate], None]) -> None:
        self._final = final
        self._open: dict[str, Fate] = {}
        self._within: dict[str, tuple[str, str]] = {}
        """A run that a run started: the run at the top, and what stands before the paths of its steps."""
        self.children: Counter[str] = Counter()
        """By playbook: runs that other runs started."""

    def decided(self, record: AdmissionDecided) -> None:
        """What admission said of a candidate."""
        if record.run_id in self._within:
            self.children[record.playbook] += record.decision == "started"
            if record.decision not in ("started", "queued"):
                del self._within[record.run_id]
            return
        fate = self._open.setdefault(record.run_id, Fate())
        fate.decision = record.decision
        if record.decision == "queued":
            fate.queued = record.rule
            return
        fate.rule, fate.reason = record.rule, record.reason
        if record.decision != "started":
            self._end(record.run_id)

    def assumed(self, run_id: str, step: str, why: str) -> None:
        """No answer is on record for what this step asks of the world."""
        if ran := self._ran(run_id, step):
            ran.assumed = why

    def depends(self, run_id: str, book: Compiled | None) -> None:
        """Mark what reads an assumed answer, before the run's end is told."""
        top, prefix = self._within.get(run_id, (run_id, ""))
        fate = self._open.get(top)
        if fate is None or book is None:
            return
        mine: dict[str, list[Ran]] = {}
        assumed: set[str] = set()
        for path, ran in fate.steps.items():
            if not path.startswith(prefix):
                continue
            own, _, inner = path[len(prefix) :].partition(WITHIN)
            if not inner:
                mine.setdefault(id_of(own), []).append(ran)
            if ran.assumed or (inner and ran.depends):  # what a child gives out rests on what its steps got
                assumed.add(id_of(own))
        for step in readers_of(book, assumed) if assumed else ():
            for ran in mine.get(step, ()):
                ran.depends = True

    def happened(self, run_id: str, event: RunEvent) -> None:
        """The next event of a run."""
        match event:
            case StepRequested():
                self._does(run_id, event.step, "inputs", asked_of(event))
            case StepSucceeded():
                self._ends(run_id, event.step, "succeeded")
            case StepFailed():
                self._ends(run_id, event.step, event.status)
            case StepSkipped():
                self._ends(run_id, event.step, "skipped")
            case StepCancelled():
                self._ends(run_id, event.step, "cancelled")
            case VarsSet():
                self._does(run_id, event.step, "values", what_of(event.values))
                self._ends(run_id, event.step, "succeeded")
            case StepAsked() if not event.attempt:
                asked = (event.question, event.choices, event.by, event.on_timeout)
                self._does(run_id, event.step, "question", what_of(*asked))
            case ChildRequested():
                self._does(run_id, event.step, "inputs", what_of(event.playbook, event.inputs))
                top, prefix = self._within.get(run_id, (run_id, ""))
                self._within[event.child_run_id] = (top, f"{prefix}{event.step}{WITHIN}")
            case Reported():
                self._reported(run_id, event)
            case RunFinished():
                self._finished(run_id, event)
            case _:
                pass

    def gave_up(self, run_id: str, why: str) -> None:
        """The run was not followed to its end."""
        self._within.pop(run_id, None)
        if run_id in self._open:
            self._open[run_id].status, self._open[run_id].failure = "endless", why
            self._end(run_id)

    def _reported(self, run_id: str, event: Reported) -> None:
        if event.kind == "publish":
            text = (event.title, event.text, event.tags, event.alert_type, event.priority)
            self._does(run_id, event.step, "text", what_of(*text, event.host, event.aggregation_key))
            self._ends(run_id, event.step, "succeeded")
        else:
            self._ends(run_id, REPORT, "succeeded")

    def _finished(self, run_id: str, event: RunFinished) -> None:
        if run_id in self._within:
            del self._within[run_id]
            return
        fate = self._open.get(run_id)
        if fate is None:
            return
        fate.status = event.status
        if event.status != "succeeded":
            fate.failed_step, fate.failure = event.step, event.message
        if event.outputs:
            self._does(run_id, OUTPUTS, "values", what_of(event.outputs))
            self._ends(run_id, OUTPUTS, "succeeded")
        self._end(run_id)

    def _ran(self, run_id: str, step: str) -> Ran | None:
        top, prefix = self._within.get(run_id, (run_id, ""))
        fate = self._open.get(top)
        return None if fate is None else fate.steps.setdefault(prefix + step, Ran())

    def _does(self, run_id: str, step: str, kind: str, what: str) -> None:
        if ran := self._ran(run_id, step):
            ran.kind, ran.what = kind, what

    def _ends(self, run_id: str, step: str, status: str) -> None:
        if ran := self._ran(run_id, step):
            ran.status = status

    def _end(self, run_id: str) -> None:
        self._final(run_id, self._open.pop(run_id))


def asked_of(event: StepRequested) -> str:
    """What an attempt asks of the world: equal for equal action, inputs, secrets and `select`."""
    return what_of(
        event.action, event.arguments, [(slot.path, slot.name) for slot in event.secrets], event.select
    )
