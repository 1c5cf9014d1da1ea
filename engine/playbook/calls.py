"""Playbooks of one folder that call each other with `run:` steps: in a circle, one that is not there, one
that may not be called, one that takes other inputs; and two files of one playbook.

Looks at files as YAML, not as playbooks, so that a file with an error elsewhere still counts as there.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from engine.playbook.model import InputSpec, Playbook
from engine.playbook.problems import Problem, Severity, nearest
from engine.playbook.reading_trigger import has_placeholder
from engine.run.inputs import WrongInput, checked
from engine.yaml_values import START, Mark, Value

_BLOCKS = ("steps", "on_failure", "finally")
_NO_STEPS_INSIDE = frozenset({"with", "publish", "set", "select", "exit"})
"""Keys of a step whose lists and maps are values, not steps."""


class Call(NamedTuple):
    """One step that runs another playbook."""

    playbook: str
    mark: Mark
    """Where its name stands."""
    given: Value | None
    """`with`."""


class Caller(NamedTuple):
    """What other files need to know of one."""

    file: str
    name: str
    """Empty where the file does not say it."""
    name_mark: Mark
    may_be_called: bool
    """Whether it has `on.call`."""
    calls: Mapping[str, Mark]
    """Playbooks that its steps run, by name, and where it is said first."""
    every: tuple[Call, ...] = ()
    """Each of these steps."""
    inputs: Mapping[str, InputSpec] | None = None
    """What it takes; None: nobody knows, for something is wrong with it."""


def caller_of(value: Value | None, file: str, playbook: Playbook | None = None) -> Caller | None:
    """One file, as YAML and, where nothing is wrong with it, as a playbook. None where it is no map, so that
    nothing is known of it.
    """
    if value is None or not isinstance(value.data, dict):
        return None
    named, on = value.data.get("playbook"), value.data.get("on")
    every = [call for block in _BLOCKS for call in _runs(value.data.get(block))]
    calls: dict[str, Mark] = {}
    for call in every:
        calls.setdefault(call.playbook, call.mark)
    return Caller(
        file,
        named.data if named is not None and isinstance(named.data, str) else "",
        START if named is None else named.mark,
        on is not None and isinstance(on.data, dict) and "call" in on.data,
        calls,
        tuple(every),
        None if playbook is None else playbook.inputs,
    )


def check_calls(
    callers: Sequence[Caller], whole: bool, *, place: str = "among these files", settled: bool = True
) -> list[Problem]:
    """What is wrong between these files.

    `whole`: nothing is known to be missing from them. `place`: where a playbook is not that is missing.
    `settled`: what cannot be called now will not be later, either.
    """
    found: list[Problem] = []
    first_of: dict[str, Caller] = {}
    for one in callers:
        if one.name and (first := first_of.setdefault(one.name, one)) is not one:
            message = (
                f"`{one.name}` is the playbook of {first.file} too: only the one applied last would be active"
            )
            found.append(Problem(one.file, *one.name_mark, message, "give one of them another name"))
    on_circles = circles({name: one.calls for name, one in first_of.items()})
    for one in callers:
        for name, mark in one.calls.items():
            called = first_of.get(name)
            circle = on_circles.get((one.name, name)) if first_of.get(one.name) is one else None
            if circle:
                message = f"playbooks that call each other in a circle: {' → '.join((one.name, *circle))}"
                found.append(Problem(one.file, *mark, message, "leave out one of these calls"))
            elif called is None and whole:
                message = f"the playbook `{name}` is not {place}"
                fix = nearest(name, sorted(first_of), "apply it before this one runs")
                found.append(Problem(one.file, *mark, message, fix, "warning"))
            elif called is not None and not called.may_be_called:
                message = f"the playbook `{name}` cannot be called: it has no `on.call`"
                fix = f"write `call: {{}}` below `on` in {called.file}"
                severity: Severity = "error" if settled else "warning"
                found.append(Problem(one.file, *mark, message, fix, severity))
        for call in one.every:
            inputs = first_of[call.playbook].inputs if call.playbook in first_of else None
            if inputs is not None:
                found += _wrong_inputs(one.file, call, inputs, "error" if settled else "warning")
    return found


def _wrong_inputs(
    file: str, call: Call, inputs: Mapping[str, InputSpec], severity: Severity
) -> Iterator[Problem]:
    """What the called playbook would refuse of what it is given, as far as that stands in the file."""
    given: list[tuple[str, Mark, Value]] = []
    if call.given is not None and isinstance(call.given.data, dict):
        given = [(name, call.given.keys[name], value) for name, value in call.given.data.items()]
    for name, mark, value in given:
        if name not in inputs:
            fix = nearest(name, inputs, "" if inputs else "it takes none")
            message = f"the playbook `{call.playbook}` has no input `{name}`"
            yield Problem(file, *mark, message, fix, severity)
        elif not has_placeholder(value):
            try:
                checked(value.plain(), inputs[name])
            except WrongInput as error:
                message = f"the input `{name}` of `{call.playbook}` {error}"
                yield Problem(file, *value.mark, message, "", severity)
    for name, spec in inputs.items():
        if spec.required and name not in {each for each, _, _ in given}:
            message = f"the playbook `{call.playbook}` needs the input `{name}`"
            yield Problem(file, *call.mark, message, "give it below `with`", severity)


def circles(calls: Mapping[str, Collection[str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Each call that lies on a circle, as (caller, called), and the shortest way from the called one back to
    the caller, both included.
    """
    found = {}
    for caller, every in calls.items():
        for called in every:
            way = _way(calls, called, caller)
            if way:
                found[caller, called] = way
    return found


def _way(calls: Mapping[str, Collection[str]], begin: str, end: str) -> tuple[str, ...]:
    """The shortest way along calls, of several the first by name; empty where there is none."""
    ways: dict[str, tuple[str, ...]] = {begin: (begin,)}
    waiting = deque([begin])
    while waiting and end not in ways:
        name = waiting.popleft()
        for called in sorted(calls.get(name, ())):
            if called not in ways:
                ways[called] = (*ways[name], called)
                waiting.append(called)
    return ways.get(end, ())


def _runs(value: Value | None) -> Iterator[Call]:
    """Steps with `run`: maps that are items of a list, however deep."""
    if value is None:
        return
    if isinstance(value.data, tuple):
        for item in value.data:
            if isinstance(item.data, dict) and (run := item.data.get("run")) and isinstance(run.data, str):
                yield Call(run.data, run.mark, item.data.get("with"))
            yield from _runs(item)
    elif isinstance(value.data, dict):
        for key, item in value.data.items():
            if key not in _NO_STEPS_INSIDE:
                yield from _runs(item)
