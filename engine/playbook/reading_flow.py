"""Reads steps that hold other steps: loops, `parallel`, `switch`."""

from typing import TYPE_CHECKING

from engine.playbook.fields import Fields
from engine.playbook.key_tables import Key, Section
from engine.playbook.keys_flow import REPEAT
from engine.playbook.model import (
    Branch,
    Case,
    ForeachStep,
    ParallelStep,
    RepeatStep,
    Step,
    SwitchStep,
)
from engine.playbook.positions import Level
from engine.playbook.reading_kinds import continues
from engine.playbook.reading_trigger import DAY_MS, read_name

if TYPE_CHECKING:
    from engine.playbook.reading_steps import StepReader

CONCURRENCY_MAX = 100
BRANCHES_MAX = 50
_TAKEN = frozenset(
    {"alert", "inputs", "vars", "steps", "run", "failure", "secrets", "index", "item", "output"}
    | {"keys", "entries", "json", "size", "has", "math", "optional", "optional_type", "for"}
    | {"map", "list", "int", "uint", "double", "bool", "string", "bytes", "type", "dyn", "null_type"}
)
"""Names that an item cannot have: they mean something else in expressions."""


def foreach(reader: "StepReader", fields: Fields, path: str, condition: str) -> ForeachStep:
    """`foreach`."""
    items = reader.sites.expression(fields.value("foreach"), "foreach", "list")
    variable = _variable(reader, fields)
    steps = _body(reader, fields, path, variable)
    return ForeachStep(
        path=path,
        condition=condition,
        items=items,
        variable=variable,
        concurrency=fields.number("concurrency", 1, 1, CONCURRENCY_MAX),
        until=_until(reader, fields, path, variable, len(steps)),
        steps=steps,
        continue_on_error=continues(fields),
    )


def _variable(reader: "StepReader", fields: Fields) -> str:
    given = fields.value("as")
    name = fields.text("as")
    if given is None:
        fields.missing("as", "what its steps call the item, such as `as: pod`")
    elif isinstance(given.data, str) and read_name(name, given.mark, "an item", reader.problems):
        outer = next((level.loop for level in reader.sites.at if level.variable == name), "")
        if name in _TAKEN:
            message = f"an item cannot be called `{name}`, which means something else in expressions"
            reader.problems.error(given.mark, message, "such as one, pod or row")
        elif outer:
            message = f"the loop `{outer}` around this one calls its item `{name}`, too"
            reader.problems.error(given.mark, message, "give one of them another name")
        else:
            return name
    return ""


def repeat(reader: "StepReader", fields: Fields, path: str, condition: str) -> RepeatStep:
    """`repeat`."""
    given, most = fields.value("repeat"), reader.limits.iterations_max
    inner = Fields(given, REPEAT, reader.problems)
    if given is not None and isinstance(given.data, dict):
        if "until" not in inner:
            inner.missing("until", "when it is done; for a fixed number of times use `foreach`")
        if "times" not in inner:
            inner.missing("times", f"a loop needs a bound: 1 to {most}")
    steps = _body(reader, fields, path, "")
    return RepeatStep(
        path=path,
        condition=condition,
        until=_until(reader, inner, path, "", len(steps)),
        times=inner.number("times", 1, 1, most),
        every_ms=inner.duration("every", 0, 0, DAY_MS),
        steps=steps,
        continue_on_error=continues(fields),
    )


def _body(reader: "StepReader", fields: Fields, path: str, variable: str) -> tuple[Step, ...]:
    """The steps of a loop."""
    given = fields.value("steps")
    if given is None:
        fields.missing("steps", "what each iteration does")
    elif given.data == ():
        reader.problems.error(given.mark, "a loop without steps does nothing", "write at least one")
    around = reader.sites.at
    return reader.steps_of(fields, "steps", around, f"{path}/steps", loop=path, variable=variable)


def _until(reader: "StepReader", fields: Fields, path: str, variable: str, count: int) -> str:
    """`until` stands behind the steps of its loop, and sees them."""
    around = reader.sites.at
    reader.sites.at = (*around, Level(f"{path}/steps", count, path, variable))
    found = reader.sites.expression(fields.value("until"), "until", "bool", loop=path)
    reader.sites.at = around
    return found


def parallel(reader: "StepReader", fields: Fields, path: str, condition: str) -> ParallelStep:
    """`parallel`."""
    branches = [
        Branch(name=name, steps=steps) for name, steps in _lists(reader, fields, path, "parallel", "a branch")
    ]
    value = fields.value("parallel")
    if value is not None and len(branches) > BRANCHES_MAX:
        reader.problems.error(
            value.mark, f"more than {BRANCHES_MAX} branches", "use `foreach` with `concurrency`"
        )
    return ParallelStep(
        path=path, condition=condition, branches=tuple(branches), continue_on_error=continues(fields)
    )


def switch(reader: "StepReader", fields: Fields, path: str, condition: str) -> SwitchStep:
    """`switch`."""
    value = reader.sites.expression(fields.value("switch"), "switch")
    if "cases" not in fields:
        fields.missing("cases", "steps by the text that chooses them")
    cases = [Case(value=name, steps=steps) for name, steps in _lists(reader, fields, path, "cases", "a case")]
    default = reader.steps_of(fields, "default", reader.sites.at, f"{path}/default")
    return SwitchStep(
        path=path,
        condition=condition,
        value=value,
        cases=tuple(cases),
        default=default,
        continue_on_error=continues(fields),
    )


def _lists(
    reader: "StepReader", fields: Fields, path: str, key: str, what: str
) -> list[tuple[str, tuple[Step, ...]]]:
    """A map of lists of steps, in the order of the file."""
    value = fields.map(key)
    if value is None:
        return []
    if not value.data:
        reader.problems.error(value.mark, f"`{key}` has no steps", f"write {what} and its steps below it")
    chosen = tuple(Key(name, "list of steps", "") for name in value.data)
    inner = Fields(value, Section(fields.section.title, chosen), reader.problems)
    return [
        (name, reader.steps_of(inner, name, reader.sites.at, f"{path}/{key}/{name}")) for name in value.data
    ]
