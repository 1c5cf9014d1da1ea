"""The steps of a StackPulse playbook, in order: which run when, and what becomes of each.

What a step does is in `programs`; conditions and selectors are translated in `templates`. A group with
`when` is a `switch` here, or an `if` where one step is in it; a loop is a `foreach`.
"""

import re
from typing import Any, NamedTuple

from engine.importing.cel import AND, Expr
from engine.importing.go_tree import NotTranslatable
from engine.importing.looping import items_of, until_of
from engine.importing.names import Loop, StepKind, StepName
from engine.importing.programs import body_of, program_of
from engine.importing.source import Source, below, is_set, scalar_text, text_below
from engine.importing.templates import as_condition
from engine.yaml_values import Value
from engine.yaml_writing import Commented

_STEP_KEYS = ("id", "name", "env", "args", "envFrom", "runner", "when", "ignoreFailure", "output_parser")
_STEP_SILENT = ("description", "displayName")
_GROUP_KEYS = ("id", "name", "when", "steps", "description")
_LOOP_KEYS = ("in", "key", "value", "when", "break", "steps")
_NO_ID = ("wait",)
"""Kinds of steps that need no id."""
_SUBJECT = re.compile(r"([^=!&|?'<>]+) == '([^'\\]*)'")
_NEVER = Expr("false", "bool")
STEPS_MAX = 2_000
"""Steps of one file; ours takes fewer, but says so itself."""
_DEPTH_MAX = 20


class Made(NamedTuple):
    """One step of ours: comments, id and condition (both may be empty), the keys that say what it does."""

    comments: tuple[str, ...]
    id: str
    condition: Expr | None
    keys: dict[str, Any]
    kind: StepKind = "mute"

    def also_if(self, condition: Expr) -> "Made":
        """The same under one more condition, asked first."""
        if self.condition is None:
            return self._replace(condition=condition)
        both = f"{condition.at(AND)} && {self.condition.at(AND)}"
        return self._replace(condition=Expr(both, "bool", AND))

    def written(self) -> Commented:
        """As it stands in the file."""
        first: dict[str, Any] = {"id": self.id} if self.id else {}
        if self.condition is not None:
            first["if"] = self.condition.text
        return Commented({**first, **self.keys}, self.comments)


class StepImporter:
    """Takes the steps of one file, one after the other."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names = source.names
        self._count = 0
        self._depth = 0

    def block(self, value: Value | None) -> list[Commented]:
        """A list of steps as it stands in our file."""
        return [made.written() for made in self._block(value)]

    def _block(self, value: Value | None) -> list[Made]:
        if value is None or not isinstance(value.data, tuple):
            return []
        made: list[Made] = []
        self._depth += 1
        for item in value.data if self._depth <= _DEPTH_MAX else ():
            self._count += 1
            if self._count <= STEPS_MAX:
                self._add(made, self._item(item))
        if self._depth > _DEPTH_MAX:
            self._source.problems.error(
                value.mark, f"more than {_DEPTH_MAX} levels of steps", "make it flatter"
            )
        self._depth -= 1
        return made

    def _add(self, made: list[Made], more: list[Made]) -> None:
        """Adds steps; a `switch` on what the one before it asks becomes one more case of that."""
        for each in more:
            last = made[-1].keys if made else {}
            if "switch" in last and last["switch"] == each.keys.get("switch") and each.condition is None:
                cases = each.keys["cases"]
                if made[-1].condition is None and not set(cases) & set(last["cases"]):
                    case = next(iter(cases))
                    last["cases"][case] = Commented(cases[case], each.comments)
                    continue
            made.append(each)

    def _item(self, value: Value) -> list[Made]:
        if not isinstance(value.data, dict):
            message = "a step is a map with `name`, `foreach` or `steps`"
            self._source.problems.error(value.mark, message, "begin it with `- name:`")
            return []
        if "foreach" in value.data:
            return self._loop(value)
        if "steps" in value.data:
            return self._group(value)
        if text_below(value, "name"):
            return [self._step(value)]
        message = "this step says not what to do"
        self._source.problems.error(value.mark, message, "it has one of `name`, `foreach` and `steps`")
        return []

    def _step(self, value: Value) -> Made:
        source = self._source
        comments = source.comments_above(value)
        condition, notes = self._asked(below(value, "when"))
        body = body_of(value, source)
        program = program_of(value)
        given = text_below(value, "id")
        name, again = "", False
        if given or not set(body.keys) & set(_NO_ID):
            name, again = source.unique(given or program.replace("/", "_"), "step")
        if again and given:
            notes += (source.notes.add(value.mark, f"a second step `{given}`: what follows reads this one"),)
        notes += body.notes + source.ignored(value, (*_STEP_KEYS, *_STEP_SILENT), "a step")
        keys = dict(body.keys)
        if body.kind == "ask" and condition is not None:
            keys["ask"] = {**keys["ask"], "on_skip": self._on_skip(value, keys["ask"])}
        if is_set(below(value, "ignoreFailure")) and "wait" not in keys:
            keys["continue_on_error"] = True
        self._know(given, StepName(name, body.kind, tuple(loop.id for loop in self._names.loops), program))
        return Made(comments + notes, name, condition, keys, body.kind)

    def _know(self, given: str, step: StepName) -> None:
        if not step.name:
            return
        if given:
            self._names.steps[given] = step
        self._names.order.append(step)

    def _on_skip(self, value: Value, ask: dict[str, Any]) -> Commented:
        """What a question answers that was not asked: there it had no answer at all."""
        choices = ask["choices"].value if isinstance(ask["choices"], Commented) else ask["choices"]
        given = ask["on_timeout"].value if isinstance(ask["on_timeout"], Commented) else ask["on_timeout"]
        choice = given if given in choices else choices[-1]
        message = f"the answer where it is not asked is `{choice}`: look whether that is right"
        return Commented(choice, (self._source.notes.add(value.mark, message),))

    def _asked(self, value: Value | None) -> tuple[Expr | None, tuple[str, ...]]:
        """A `when` as an expression, None where it always holds; what cannot be said never holds."""
        text = scalar_text(value).strip()
        if value is None or text.lower() in ("", "true"):
            return None, ()
        if text.lower() == "false":
            return _NEVER, ()
        try:
            found = as_condition(text, self._names)
        except NotTranslatable as fault:
            message = f"never, because the condition could not be translated: {fault}; it was `{text}`"
            return _NEVER, (self._source.notes.add(value.mark, message),)
        return found, tuple(self._source.notes.add(value.mark, each) for each in self._names.remarks)

    def _group(self, value: Value) -> list[Made]:
        source = self._source
        comments = source.comments_above(value)
        found, notes = self._asked(below(value, "when"))
        comments += notes + source.ignored(value, _GROUP_KEYS, "a group")
        inner = self._block(below(value, "steps"))
        if found is None or not inner:
            first = [inner[0]._replace(comments=comments + inner[0].comments)] if inner else []
            return first + inner[1:]
        if len(inner) == 1 and self._may_have_if(inner[0]):
            return [inner[0]._replace(comments=comments + inner[0].comments).also_if(found)]
        subject, case = found.text, "true"
        if parts := _SUBJECT.fullmatch(found.text):
            subject, case = parts[1], parts[2]
        cases: dict[str, Any] = {case: [made.written() for made in inner]}
        return [Made(comments, "", None, {"switch": subject, "cases": cases})]

    @staticmethod
    def _may_have_if(made: Made) -> bool:
        """A question wants to know what it answers unasked: better not asked at all."""
        return made.kind != "ask" and "switch" not in made.keys

    def _loop(self, value: Value) -> list[Made]:
        source, names = self._source, self._names
        loop = below(value, "foreach")
        if (
            loop is None
            or not isinstance(loop.data, dict)
            or not isinstance(text := below(loop, "in"), Value)
        ):
            mark = value.keys["foreach"]
            source.problems.error(mark, "a `foreach` has `in` and `steps`", "say what it goes over")
            return []
        comments = source.comments_above(value)
        comments += source.ignored(value, ("foreach", "id", "when"), "a loop")
        comments += source.ignored(loop, _LOOP_KEYS, "a loop")
        over = items_of(text, source)
        variable = source.variable(text_below(loop, "value"))
        name, _ = source.unique(text_below(value, "id") or f"each_{variable}", "loop")
        condition, notes = self._asked(below(value, "when"))
        key, item = text_below(loop, "key") or "key", text_below(loop, "value") or "value"
        names.loops.append(Loop(name, key, item, variable))
        try:
            each, each_notes = self._asked(below(loop, "when"))
            inner = self._block(below(loop, "steps"))
            until = until_of(below(loop, "break"), name, source)
        finally:
            names.loops.pop()
        if each is not None:
            inner = [made.also_if(each) for made in inner]
        if not inner:
            source.problems.error(loop.mark, "a loop without steps", "write at least one below `steps`")
        keys: dict[str, Any] = {"foreach": over, "as": variable}
        if until is not None:
            keys["until"] = until
        keys["steps"] = [made.written() for made in inner]
        return [Made(comments + notes + each_notes, name, condition, keys)]
