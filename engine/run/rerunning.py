"""A run again, from a step on: what the steps before it came to is taken over from the journal of the first.

Each kept step names the journal record that says so. What the new run then does is the engine's, as ever.
"""

from collections.abc import Iterable

from engine.journal import without_repeats
from engine.playbook.compiled import Compiled
from engine.playbook.walking import within
from engine.run.frames import id_of
from schemas.events import (
    JournalRecord,
    Reported,
    RunEvent,
    RunStarted,
    StepFailed,
    StepSkipped,
    StepSucceeded,
    VarsSet,
)
from schemas.events_flow import IterationEnded
from schemas.relations import KeptStep, Rerun


class CannotRerun(ValueError):
    """It cannot begin there; the text says why, and where it could."""


def rerun_of(journal: Iterable[JournalRecord], book: Compiled, from_step: str) -> Rerun:
    """What the new run takes over. `book`: the revision that it will follow. Raises CannotRerun."""
    records = list(without_repeats(journal))
    if not records:
        raise CannotRerun("nothing of that run is known any more")
    before = _before(book, from_step) if from_step else ()
    names = {step.path for step in within(step for step in book.playbook.steps if step.path in before)}
    seen = _Seen(names)
    for record in records:
        for event in record.events:
            seen.add(event, record.seq)
    for path in before:
        if path not in seen.kept:
            raise CannotRerun(f"the step {path} had not ended in that run: begin with it, or before it")
    kept = tuple(seen.kept[path] for path in sorted(seen.kept))
    return Rerun(run_id=records[0].run_id, from_step=from_step, kept=kept, variables=seen.variables)


def _before(book: Compiled, from_step: str) -> tuple[str, ...]:
    """The steps of the playbook's own list before that one."""
    paths = [step.path for step in book.playbook.steps]
    if from_step in paths:
        return tuple(paths[: paths.index(from_step)])
    for step in book.playbook.steps:
        if id_of(from_step) in {one.path for one in within((step,))}:
            raise CannotRerun(f"the step {from_step} is inside {step.path}: begin with {step.path}")
    known = ", ".join(paths)
    raise CannotRerun(f"`steps` has no step {from_step}; it has {known}")


class _Seen:
    """What the journal says of the steps that are kept."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._iterations: dict[str, dict[int, object]] = {}
        self.kept: dict[str, KeptStep] = {}
        self.variables: dict[str, object] = {}

    def add(self, event: RunEvent, seq: int) -> None:
        """The next event."""
        match event:
            case RunStarted() if event.rerun is not None:
                self.kept |= {one.step: one for one in event.rerun.kept if one.step in self._names}
                self.variables |= event.rerun.variables if isinstance(event.rerun.variables, dict) else {}
            case VarsSet() if id_of(event.step) in self._names:
                self.variables |= event.values
                self._keep(KeptStep(step=event.step, status="succeeded", seq=seq))
            case Reported() if event.step:
                self._keep(KeptStep(step=event.step, status="succeeded", seq=seq))
            case IterationEnded():
                self._iterations.setdefault(event.step, {})[event.index] = event.outputs
            case StepSkipped():
                self._keep(KeptStep(step=event.step, status="skipped", output=event.output, seq=seq))
            case StepSucceeded():
                output = self._output(event.step, event.output)
                self._keep(
                    KeptStep(
                        step=event.step, status="succeeded", output=output, attempt=event.attempt, seq=seq
                    )
                )
            case StepFailed():
                self._keep(_failed(event, self._output(event.step, None), seq))

    def _output(self, path: str, output: object) -> object:
        """Of a loop: one for each iteration."""
        iterations = self._iterations.get(path)
        return output if iterations is None else [iterations[index] for index in sorted(iterations)]

    def _keep(self, step: KeptStep) -> None:
        """Steps inside iterations are kept in the outputs of their loop."""
        if step.step in self._names:
            self.kept[step.step] = step


def _failed(event: StepFailed, output: object, seq: int) -> KeptStep:
    return KeptStep(
        step=event.step,
        status=event.status,
        output=output,
        kind=event.kind,
        message=event.message,
        attempt=event.attempt,
        seq=seq,
    )
