"""Reads the text of a test file: cases ready to run, or all that is wrong with it, with its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.playbook.compiled import Compiled
from engine.playbook.fields import Fields, kind_of
from engine.playbook.key_tables import Section
from engine.playbook.model import ActionStep
from engine.playbook.problems import Problem, Problems, nearest
from engine.simulation.alerts import as_asked, read_alert
from engine.simulation.keys import ASKED, CASE, EXPECT, FAILURE, FILE, PUBLISHED
from engine.simulation.reading_answers import known_step, read_answers
from engine.simulation.script import Script
from engine.simulation.told import STEP_STATUSES
from engine.yaml_text import read_yaml
from engine.yaml_values import Value, YamlFault
from schemas.actions import ActionSpec
from schemas.events import EVENT_TYPES

CASES_MAX = 1_000
EVENTS = {kind.__name__: kind for kind in EVENT_TYPES}
_ENDS = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Case:
    """One test. `expect`: the map as it is written, checked."""

    name: str
    line: int
    book: Compiled
    script: Script
    expect: Value


class ReadSuite(NamedTuple):
    """What reading came to: no cases where any problem is an error."""

    playbook: str
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def read_suite(
    text: str, filename: str, books: Mapping[str, Compiled], actions: Mapping[str, ActionSpec]
) -> ReadSuite:
    """Reads a test file. `books`: the playbooks beside it, by name."""
    problems = Problems(filename)
    try:
        value = read_yaml(text)
    except YamlFault as fault:
        problems.error(fault.mark, str(fault), fault.fix)
        return ReadSuite("", (), problems.sorted())
    fields = Fields(value, FILE, problems)
    name = fields.text("playbook")
    _required(fields, "playbook", "tests")
    book = books.get(name)
    if book is None and isinstance(value.data, dict) and name:
        fix = nearest(name, books, "a playbook with errors is not one; see `pulsebook playbook lint`")
        message = f"there is no playbook `{name}` in this folder"
        problems.error(fields.items["playbook"].mark, message, fix)
    tests = fields.value("tests")
    if tests is not None and (not isinstance(tests.data, tuple) or not tests.data):
        problems.error(tests.mark, "`tests` is a list with at least one test", "begin each with `- name: …`")
        tests = None
    if book is None or tests is None:
        return ReadSuite(name, (), problems.sorted())
    if len(tests.data) > CASES_MAX:
        problems.error(tests.mark, f"more than {CASES_MAX} tests in a file", "make two of it")
    pinned = tuple(
        actions[action].pinned
        for action in sorted({step.action for step in book.steps.values() if isinstance(step, ActionStep)})
        if action in actions
    )
    reader = _CaseReader(book, problems, Script(actions=pinned))
    cases = tuple(reader.case(one) for one in tests.data[:CASES_MAX])
    return ReadSuite(name, () if problems.fatal else cases, problems.sorted())


def _required(fields: Fields, *names: str) -> None:
    for name in names:
        if name not in fields and fields.items:
            fields.missing(name)


class _CaseReader:
    """Reads the tests of one file."""

    def __init__(self, book: Compiled, problems: Problems, base: Script) -> None:
        self.book = book
        self.problems = problems
        self.base = base

    def case(self, value: Value) -> Case:
        """One test."""
        fields = Fields(value, CASE, self.problems)
        _required(fields, "name", "expect")
        alert, inputs = fields.map("alert"), fields.map("inputs")
        if inputs is not None:
            self._inputs(inputs)
        script = Script(
            alert=None
            if alert is None
            else as_asked(read_alert(alert, self.problems), alert.data, self.book),
            inputs={} if inputs is None else inputs.plain(),
            answers=read_answers(fields.map("answers"), self.book, self.problems),
            actions=self.base.actions,
            limits=self.base.limits,
        )
        expect = fields.map("expect") or Value({}, value.mark)
        self._expect(Fields(expect, EXPECT, self.problems), alert is not None)
        return Case(fields.text("name"), value.mark.line, self.book, script, expect)

    def _inputs(self, inputs: Value) -> None:
        known = self.book.playbook.inputs
        for name, mark in inputs.keys.items():
            if name not in known:
                fix = nearest(name, known, "it takes none")
                self.problems.error(mark, f"the playbook has no input `{name}`", fix)

    def _expect(self, fields: Fields, has_alert: bool) -> None:
        if not fields.items:
            self.problems.error(
                fields.mark, "a test that expects nothing shows nothing", "such as {status: …}"
            )
        matches = fields.flag("matches", None)
        if matches is not None and not has_alert:
            self.problems.error(fields.key_mark("matches"), "`matches` needs an alert", "give the test one")
        if matches is False and len(fields.items) > 1:
            message = "where the alert does not match there is no run to look at"
            self.problems.error(fields.key_mark("matches"), message, "expect `matches: false` alone")
        fields.choice("status", _ENDS, "")
        self._steps(fields)
        outputs = fields.map("outputs")
        for name, mark in ({} if outputs is None else outputs.keys).items():
            if name not in self.book.playbook.outputs:
                fix = nearest(name, self.book.playbook.outputs, "it has none")
                self.problems.error(mark, f"the playbook has no output `{name}`", fix)
        self._each(fields, "published", PUBLISHED, self._published)
        self._each(fields, "asked", ASKED, self._asked)
        self._events(fields)
        failure = fields.map("failure")
        if failure is not None:
            self._texts(Fields(failure, FAILURE, self.problems), "step", "kind", "message")

    def _steps(self, fields: Fields) -> None:
        steps = fields.map("steps")
        if steps is None:
            return
        for path, value in steps.data.items():
            known_step(path, steps.keys[path], self.book, self.problems)
            if value.data not in STEP_STATUSES:
                fix = nearest(value.text, STEP_STATUSES, f"one of {', '.join(STEP_STATUSES)}")
                what = repr(value.data) if isinstance(value.data, str) else kind_of(value)
                self.problems.error(value.mark, f"a step does not end as {what}", fix)

    def _each(self, fields: Fields, name: str, section: Section, check: Callable[[Fields], Any]) -> None:
        value = fields.value(name)
        if value is None:
            return
        if not isinstance(value.data, tuple):
            fields.wrong(name, "a list", "begin each with `- `; [] for none")
            return
        for one in value.data:
            check(Fields(one, section, self.problems))

    def _events(self, fields: Fields) -> None:
        value = fields.value("events")
        if value is None:
            return
        if not isinstance(value.data, tuple) or not value.data:
            fields.wrong("events", "a list of events", "such as [StepSkipped, {event: StepFailed, step: …}]")
            return
        for one in value.data:
            named = one.data.get("event") if isinstance(one.data, dict) else one
            kind = EVENTS.get(named.text) if named is not None else None
            if kind is None:
                fix = nearest("" if named is None else named.text, EVENTS, "see docs/runs.md")
                self.problems.error(one.mark, "this names no event of a run", fix)
            elif isinstance(one.data, dict):
                known = ("event", *kind.__struct_fields__)
                for key in (key for key in one.data if key not in known):
                    message = f"{kind.__name__} has no `{key}`"
                    self.problems.error(one.keys[key], message, nearest(key, known))

    def _published(self, fields: Fields) -> None:
        self._texts(fields, "title", "text")
        fields.texts("tags")
        fields.choice("alert_type", ("info", "success", "warning", "error"), "")
        fields.choice("priority", ("normal", "low"), "")

    def _asked(self, fields: Fields) -> None:
        self._texts(fields, "step", "question")
        fields.texts("choices")

    def _texts(self, fields: Fields, *names: str) -> None:
        for name in names:
            fields.text(name)
