"""Reads what steps are told in a test, and whether they can be told it: each kind of step takes its own."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from engine.playbook.compiled import Compiled
from engine.playbook.fields import Fields, kind_of
from engine.playbook.model import ActionStep, AskStep, RunStep, Step, WaitStep
from engine.playbook.names import is_named
from engine.playbook.problems import Problems, nearest
from engine.run.failing import CHOICES
from engine.simulation.keys import ANSWER
from engine.simulation.script import Said
from engine.yaml_values import Mark, Value
from schemas.inbox import FailureKind

TIMEOUT = "timeout"
_CHILD_ENDS = ("failed", "cancelled", "refused", "held_back", "dropped", "expired", "child")
_KINDS = tuple(kind for kind in get_args(FailureKind) if kind not in ("child", "exhausted", "cancelled"))
_INDEX = re.compile(r"\[\d+\]")
_TAKES: Mapping[type, tuple[str, ...]] = {
    ActionStep: ("output", "error", "message", "unknown", "after", "choice", "by", "comment"),
    AskStep: ("choice", "by", "comment", "after"),
    WaitStep: ("recovered", "recovered_after"),
    RunStep: ("output", "error", "message", "after"),
}
_LATEST_MS = 31 * 86_400_000


def read_answers(answers: Value | None, book: Compiled, problems: Problems) -> dict[str, tuple[Said, ...]]:
    """What each step is told, by its path or id."""
    found: dict[str, tuple[Said, ...]] = {}
    for path, value in ({} if answers is None else answers.data).items():
        mark = value.mark if answers is None else answers.keys[path]
        step = known_step(path, mark, book, problems)
        if step is None:
            continue
        if type(step) not in _TAKES or (isinstance(step, WaitStep) and step.until == "time"):
            problems.error(mark, f"the step `{path}` asks nothing of the world", "leave the answer out")
            continue
        if value.data == ():
            problems.error(value.mark, f"an empty list of answers to `{path}`", "leave the answer out")
        several = value.data if isinstance(value.data, tuple) else (value,)
        found[path] = tuple(_Reader(path, step, problems).said(one) for one in several)
    return found


def known_step(path: str, mark: Mark, book: Compiled, problems: Problems) -> Step | None:
    """The step that a path of the test names; reported where there is none."""
    ids = _INDEX.sub("", path).split(".")
    step = book.steps.get(ids[-1])
    if step is None:
        named = [name for name in book.steps if is_named(name)]
        problems.error(mark, f"the playbook has no step `{path}`", nearest(ids[-1], named))
        return None
    around = book.loops.get(ids[-1], ())
    given = path.split(".")[:-1]
    # An id alone stands for every iteration.
    right = not given or (tuple(ids[:-1]) == around and all(_INDEX.search(part) for part in given))
    if not right or _INDEX.search(path.rpartition(".")[2]):
        prefix = "".join(f"{loop}[0]." for loop in around)
        problems.error(mark, f"`{path}` is no path of step `{ids[-1]}`", f"write {prefix}{ids[-1]}")
        return None
    return step


class _Reader:
    """Reads the answers of one step."""

    def __init__(self, path: str, step: Step, problems: Problems) -> None:
        self.path = path
        self.step = step
        self.problems = problems

    def said(self, value: Value) -> Said:
        """One answer: a map, or one word."""
        if isinstance(value.data, dict):
            return self._map(Fields(value, ANSWER, self.problems))
        if value.data == TIMEOUT:
            return Said(silent=True)
        if isinstance(value.data, str | int | float) and self._choices:
            return Said(choice=self._choice(value.text, value.mark))
        examples = {
            ActionStep: "{output: …}, {error: KIND} or timeout",
            WaitStep: "{recovered: true}, {recovered_after: 5m} or timeout",
            RunStep: "{output: …}, {error: failed} or timeout",
        }
        fix = examples.get(type(self.step), "a choice, or timeout")
        self.problems.error(value.mark, f"`{self.path}` cannot be told {kind_of(value)}", fix)
        return Said()

    def _map(self, fields: Fields) -> Said:
        takes = _TAKES[type(self.step)]
        for name in fields.items:
            if name in ANSWER.names and name not in takes:
                message = f"an answer to `{self.path}` takes no `{name}`"
                self.problems.error(fields.key_mark(name), message, f"it takes {', '.join(takes)}")
        for one, other in (("output", "error"), ("output", "choice"), ("error", "choice")):
            if one in fields and other in fields:
                self.problems.error(fields.key_mark(other), f"`{one}` and `{other}` exclude each other")
        if not fields.items:
            self.problems.error(fields.mark, "an empty answer", f"it takes {', '.join(takes)}")
        output = fields.value("output")
        choice = fields.text("choice")
        after_ms = fields.duration("after", 0, 0, _LATEST_MS)
        return Said(
            output=None if output is None else output.plain(),
            error=self._error(fields),
            message=fields.text("message"),
            unknown=fields.flag("unknown", None),
            choice=self._choice(choice, fields.items["choice"].mark) if choice else "",
            by=fields.text("by"),
            comment=fields.text("comment"),
            recovered=bool(fields.flag("recovered", False)) or "recovered_after" in fields,
            after_ms=fields.duration("recovered_after", after_ms, 0, _LATEST_MS),
        )

    def _error(self, fields: Fields) -> str:
        kinds = _CHILD_ENDS if isinstance(self.step, RunStep) else _KINDS
        error: Any = fields.choice("error", kinds, "")
        return str(error)

    @property
    def _choices(self) -> tuple[str, ...]:
        """What a person can say to the step."""
        if isinstance(self.step, AskStep):
            return self.step.choices
        asks = isinstance(self.step, ActionStep) and self.step.on_unknown == "ask"
        return CHOICES if asks else ()

    def _choice(self, choice: str, mark: Mark) -> str:
        if choice not in self._choices:
            message = f"`{self.path}` has no choice `{choice}`"
            fix = nearest(choice, self._choices) if self._choices else "it asks nobody"
            self.problems.error(mark, message, fix)
        return choice
