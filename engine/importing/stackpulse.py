"""A playbook of StackPulse (`apiVersion: stackpulse.io/v1`, `kind: Playbook`) as one of ours.

Text in; text, notes and problems out. Nothing is guessed silently: what has no counterpart is a note, in the
source's order and as a comment at its place. docs/importing.md has the table of counterparts.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from engine.importing.names import InputName
from engine.importing.notes import Note
from engine.importing.programs import NOWHERE, PROGRAMS_INPUT
from engine.importing.source import Source, below, scalar_text, text_below
from engine.importing.steps import StepImporter
from engine.playbook.problems import Problem, Problems
from engine.playbook.reading import read
from engine.yaml_text import read_yaml
from engine.yaml_values import START, Value, YamlFault
from engine.yaml_writing import Commented, write_yaml
from schemas.actions import ActionSpec

_TOP = ("apiVersion", "kind", "metadata", "parameters", "steps")
_PARAMETER = ("name", "type", "description", "Description", "default", "options")
_TYPES = ("var", "secret", "integration", "spd")
_GONE = {
    "integration": "actions carry their own secrets: what this integration held is a secret here",
    "spd": "a runner is an executor here: steps do not choose one",
}


class Imported(NamedTuple):
    """What an import came to. `playbook` is empty where there is a problem in the source.

    `lint`: what our own reader says against the playbook, places in the new text.
    """

    playbook: str
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()
    lint: tuple[Problem, ...] = ()


def imported(text: str, filename: str, known: Mapping[str, ActionSpec]) -> Imported:
    """Imports one file. `known`: actions by name."""
    problems = Problems(filename)
    try:
        value = read_yaml(text)
    except YamlFault as fault:
        problems.error(fault.mark, str(fault), fault.fix)
        return Imported("", problems=problems.sorted())
    if not _is_playbook(value, problems):
        return Imported("", problems=problems.sorted())
    source = Source(text, problems)
    made = _playbook(value, source)
    if problems.fatal:
        return Imported("", source.notes.sorted(), problems.sorted())
    written = write_yaml(made)
    found = read(written, filename, known).problems
    return Imported(
        written, source.notes.sorted(), lint=tuple(each for each in found if each.severity == "error")
    )


def _is_playbook(value: Value, problems: Problems) -> bool:
    """Whether this is a playbook of StackPulse; says what it is otherwise."""
    if not isinstance(value.data, dict):
        problems.error(value.mark, "this is no StackPulse playbook: it is not a map", "see docs/importing.md")
        return False
    version, kind = text_below(value, "apiVersion"), text_below(value, "kind")
    if not version.startswith("stackpulse.io/"):
        at = value.data["apiVersion"].mark if "apiVersion" in value.data else START
        message = "this is no StackPulse playbook: it has no `apiVersion: stackpulse.io/v1`"
        fix = "a playbook of Pulsebook needs no import" if "playbook" in value.data else "add it if it is one"
        problems.error(at, message, fix)
    elif kind != "Playbook":
        at = value.data["kind"].mark if "kind" in value.data else START
        fix = "import the playbook that it names, and write `on.alert` for it" if kind == "Trigger" else ""
        problems.error(at, f"only `kind: Playbook` can be imported, and this is {kind or 'of no kind'}", fix)
    elif "steps" not in value.data or not isinstance(value.data["steps"].data, tuple):
        at = value.keys.get("steps", START)
        problems.error(at, "`steps` should be a list of steps", "a playbook without steps does nothing")
    elif not value.data["steps"].data:
        problems.error(
            value.data["steps"].mark, "a playbook without steps does nothing", "write at least one"
        )
    return not problems.fatal


def _playbook(value: Value, source: Source) -> dict[str, Any]:
    inputs, gone = _inputs(below(value, "parameters"), source)
    steps = StepImporter(source).block(value.data["steps"])
    name, above = _name(value, source)
    above += source.ignored(value, _TOP, "the playbook")
    made: dict[str, Any] = {"playbook": Commented(name, above)}
    description = " ".join(text_below(below(value, "metadata"), "description").split())
    if description:
        made["description"] = description
    made["on"] = _on(value, source)
    posted = any("step_programs" in str(step) for step in steps)
    kept = {key: item for key, (item, needed) in inputs.items() if needed(source)}
    if posted:
        kept[PROGRAMS_INPUT] = _programs_input(value, source)
    if kept:
        made["inputs"] = Commented(kept, gone)
    made["steps"] = steps if kept else Commented(steps, gone)
    return made


def _name(value: Value, source: Source) -> tuple[str, tuple[str, ...]]:
    given = text_below(below(value, "metadata"), "name").strip()
    name = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:64].strip("-") or "imported"
    comments = ["Imported from StackPulse. What became of what: docs/importing.md."]
    if name != given:
        comments.append(source.notes.add(value.mark, f"the name was `{given}`"))
    return name, tuple(comments)


def _on(value: Value, source: Source) -> Commented:
    message = "which alerts start it was said in a trigger there: write `alert:` here, beside `call`"
    notes = [source.notes.add(value.mark, message)]
    if source.names.alert_used:
        message = "it uses the alert: started by hand it wants `--alert`"
        notes.append(source.notes.add(value.mark, message))
    return Commented({"call": {}}, tuple(notes))


def _programs_input(value: Value, source: Source) -> Commented:
    message = (
        "step programs are posted here, as {env, args}, and their JSON output is the answer; this address "
        "never answers, so such a step fails until you give one or replace the step"
    )
    item = {"default": NOWHERE, "description": "Where the step programs run."}
    return Commented(item, (source.notes.add(value.mark, message),))


def _inputs(parameters: Value | None, source: Source) -> tuple[dict[str, tuple[Any, Any]], tuple[str, ...]]:
    """Each input with a test, made after the steps, whether anything names it; notes of what is none here."""
    found: dict[str, tuple[Any, Any]] = {}
    gone: list[str] = []
    if parameters is None or parameters.data is None:
        return found, ()
    if not isinstance(parameters.data, tuple):
        source.problems.error(parameters.mark, "`parameters` should be a list", "begin each with `- name:`")
        return found, ()
    taken: set[str] = {PROGRAMS_INPUT}
    for parameter in parameters.data:
        given = text_below(parameter, "name")
        if not given:
            message = "a parameter has a `name`"
            source.problems.error(parameter.mark, message, "a parameter is a map with `name` and `type`")
            continue
        name = _input_name(given, taken)
        kind = text_below(parameter, "type") or "var"
        if kind == "secret":
            gone.append(_secret(parameter, given, source))
            continue
        if kind in _GONE:
            gone.append(source.notes.add(parameter.mark, f"`{given}`: {_GONE[kind]}"))
        found[name] = _input(parameter, kind, given, name, source)
    return found, tuple(gone)


def _input_name(given: str, taken: set[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", given).strip("_")[:60] or "input"
    plain = f"input_{plain}" if plain[0].isdigit() or plain in ("true", "false", "null", "in") else plain
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    taken.add(name)
    return name


def _secret(parameter: Value, given: str, source: Source) -> str:
    default = text_below(parameter, "default").strip()
    wanted = default if default.isidentifier() and default.isascii() else _snake(given)
    source.names.inputs[given] = InputName(wanted, secret=wanted)
    message = f"the parameter `{given}` is the secret {wanted} here: `pulsebook secret set {wanted}`"
    return source.notes.add(parameter.mark, message)


def _snake(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    plain = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").upper()[:100] or "SECRET"
    return f"SECRET_{plain}" if plain[0].isdigit() else plain


def _input(parameter: Value, kind: str, given: str, name: str, source: Source) -> tuple[Any, Any]:
    comments = source.comments_above(parameter)
    comments += source.ignored(parameter, _PARAMETER, "a parameter")
    item: dict[str, Any] = {}
    default = below(parameter, "default")
    source.names.inputs[given] = InputName(name)
    if kind in _GONE:
        item["default"] = scalar_text(default)
    elif kind not in _TYPES:
        comments += (source.notes.add(parameter.mark, f"its type was `{kind}`"),)
    if kind not in _GONE and default is not None:
        item["default"] = source.text(default)
    said = " ".join((text_below(parameter, "description") or text_below(parameter, "Description")).split())
    if said:
        item["description"] = said
    if not item:
        item["type"] = "string"
    gone = kind in _GONE
    return Commented(item, comments), lambda seen: not gone or given in seen.names.used
