"""What the expressions of a run can see: dotted names to values, looked up when asked for. Nothing is
evaluated here.

Names that the run does not know (a step that has not run, a missing alert, an input that is null) are left
to the expressions, which have a neutral value for each.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.alert.scope import alert_scope, timestamp
from engine.run.frames import ROOT, Frame
from engine.run.state import Run, StepState, Verdict
from schemas.events import RunStarted

_RUN: Mapping[str, Callable[[Run, RunStarted], str]] = {
    "run.id": lambda run, started: run.run_id,
    "run.playbook": lambda run, started: started.playbook,
    "run.revision": lambda run, started: started.revision,
    "run.url": lambda run, started: started.run_url,
    "run.started_at": lambda run, started: timestamp(run.started_at_ms),
    "run.status": lambda run, started: run.verdict.status if run.verdict else "running",
}
_STEP: Mapping[str, Callable[[StepState], Any]] = {
    "output": lambda step: step.output,
    "status": lambda step: step.phase,
    "error.kind": lambda step: step.kind,
    "error.message": lambda step: step.message,
    "outputs": lambda step: step.output if isinstance(step.output, list) else None,
    "attempts": lambda step: step.attempt,
    "skipped": lambda step: step.phase == "skipped",
}
_FAILURE: Mapping[str, Callable[[Verdict], str]] = {
    "failure.step": lambda verdict: verdict.step,
    "failure.kind": lambda verdict: verdict.kind,
    "failure.message": lambda verdict: verdict.message,
}


class Scope(Mapping[str, Any]):
    """The names of one live run at one moment. The alert's part is made once, and only if an expression
    wants it.
    """

    def __init__(self, run: Run, frame: Frame = ROOT) -> None:
        self._run = run
        self._frame = frame
        self._started = run.pinned
        self._alert: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        first, _, rest = name.partition(".")
        match first:
            case "steps" | "item":
                step, _, field = rest.partition(".")
                return _STEP[field](self._run.steps[self._frame.path_of(step)])
            case "alert":
                return self._alert_names()[name]
            case "inputs":
                return _set(self._started.inputs, rest)
            case "vars":
                return self._run.variables[rest]
            case "run":
                return _RUN[name](self._run, self._started)
        if name in self._frame.variables:
            return self._frame.variables[name]
        if (verdict := self._failure()) is None:
            raise KeyError(name)
        return _FAILURE[name](verdict)

    def __iter__(self) -> Iterator[str]:
        yield from self._alert_names()
        yield from (f"inputs.{name}" for name, value in self._started.inputs.items() if value is not None)
        yield from (f"vars.{name}" for name in self._run.variables)
        for path, state in self._run.steps.items():
            outputs = isinstance(state.output, list)
            yield from (f"steps.{path}.{field}" for field in _STEP if field != "outputs" or outputs)
        yield from self._frame.variables
        yield from _RUN
        if self._failure() is not None:
            yield from _FAILURE

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _alert_names(self) -> Mapping[str, Any]:
        if self._alert is None:
            alert = self._started.alert
            self._alert = {} if alert is None else alert_scope(alert)
        return self._alert

    def _failure(self) -> Verdict | None:
        verdict = self._run.verdict
        return verdict if verdict is not None and verdict.status == "failed" else None


def _set(values: Mapping[str, Any], name: str) -> Any:
    if (value := values[name]) is None:
        raise KeyError(name)
    return value
