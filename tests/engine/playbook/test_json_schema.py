"""The schema for editors: refuses what its means can say, and nothing that reading accepts."""

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from cli.init import PLAYBOOK as FIRST
from cli.playbook_files import is_playbook
from connectors.actions.registry import specs
from engine.playbook import keys
from engine.playbook.json_schema import FORMS, playbook_schema
from engine.yaml_text import read_yaml
from engine.yaml_values import YamlFault
from schemas.actions import ActionSpec, PinnedAction
from tests.engine.playbook.builders import ACTIONS, read_text
from tests.engine.playbook.test_docs import EXAMPLES
from tests.engine.playbook.test_refusals import Case, cases

ROOT = Path(__file__).parents[3]
SHIPPED = [
    path
    for folder in ("playbooks", "examples/playbooks")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
    if is_playbook(path)
]
SCHEMA = Draft7Validator(playbook_schema(ACTIONS.values()))
REAL = Draft7Validator(playbook_schema(specs().values()))
BEYOND_A_SCHEMA = {
    r"cannot be used (in|on)|this must be|unknown name|has no `titel`": "names and types of expressions",
    r"`\$\{\{` is not closed": "where an expression ends",
    r"is \d+[a-z]+, out of range": "the length of a duration",
    r"must not be done twice": "whether an action can be repeated with these inputs",
    r"this default|this choice|default is not required|is for numbers": "an input against its own type",
    r"has no default, so that no alert": "inputs against what starts the playbook",
    r"the id `\w+` is taken|calls its item|which means something else": "names that mean something already",
    r"has not run yet here|has run any number of times|is known in its loop": "what is known where",
    r"is not in a loop|has no `output`": "what a loop has",
    r"which is not a choice|a choice cannot be called": "answers against the choices",
    r"`ask` needs the key `on_skip`": "a question against its `if`",
}
"""Errors of reading that JSON Schema cannot express, or only at a length that nobody could read."""


def plain(text: str) -> Any:
    return read_yaml(text).plain()


def faults(schema: Draft7Validator, text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(plain(text))]


def structural() -> list[Case]:
    """The refusals that a schema could know of: the file is YAML, and more is wrong than its expressions."""
    found = []
    for case in cases():
        errors = [one for one in case.problems if " warning: " not in one]
        beyond = [one for one in errors if any(re.search(known, one) for known in BEYOND_A_SCHEMA)]
        try:
            plain(case.text)
        except YamlFault:
            continue
        if len(beyond) < len(errors) and not case.name.startswith("expressions: "):
            found.append(case)
    return found


@pytest.mark.parametrize("case", structural(), ids=lambda case: case.name)
def test_what_is_wrong_with_the_structure_of_a_playbook_is_refused_by_the_schema_too(case: Case) -> None:
    assert faults(SCHEMA, case.text)


def test_most_refusals_are_of_the_structure() -> None:
    assert len(structural()) > 90


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_what_reading_accepts_the_schema_accepts(case: Case) -> None:
    if read_text(case.text, endpoints=["prod"], secrets=["A"]).playbook is not None:
        assert faults(SCHEMA, case.text) == []


@pytest.mark.parametrize(
    "text",
    [FIRST, *EXAMPLES, *(path.read_text() for path in SHIPPED)],
    ids=lambda text: text.partition("playbook: ")[2].partition("\n")[0],
)
def test_every_playbook_that_we_show_is_right_by_the_schema(text: str) -> None:
    assert faults(REAL, text) == []


@pytest.mark.parametrize(
    "given",
    [
        "{url: x, method: '${{ inputs.m }}'}",
        "{url: x, method: 'P${{ inputs.m }}'}",
        "{url: x, expect: '${{ inputs.codes }}'}",
        "{url: x, expect: [200, '${{ inputs.code }}']}",
        "{url: x, headers: '${{ inputs.headers }}'}",
        "{url: x, headers: {a: 'x ${{ inputs.a }}'}}",
        "{url: x, follow: '${{ inputs.follow }}'}",
        "{url: x, auth: '${{ inputs.auth }}'}",
        "{url: x, auth: {bearer: '${{ secrets.A }}'}}",
        "{url: x, auth: null}",
        "{url: x, json: [{deep: 1}]}",
    ],
)
def test_a_placeholder_may_make_any_input_of_an_action(given: str) -> None:
    text = f"playbook: a\non: {{call: {{}}}}\nsteps:\n  - {{id: a, action: http.request, with: {given}}}\n"
    assert faults(SCHEMA, text) == []


def test_what_a_new_action_takes_is_in_the_schema_at_once() -> None:
    size = {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer"}}}
    spec = ActionSpec(
        name="pool.resize",
        description="Resizes.",
        category="mitigate",
        inputs=size,
        outputs={},
        pinned=PinnedAction(name="pool.resize", repeatable=True),
    )
    schema = Draft7Validator(playbook_schema([spec]))
    step = "playbook: a\non: {call: {}}\nsteps: [{id: a, action: pool.resize, with: {size: %s}}]\n"
    assert faults(schema, step % "3") == []
    assert faults(schema, step % "big") != []
    assert faults(schema, "playbook: a\non: {call: {}}\nsteps: [{id: a, action: pool.resize}]\n") != []
    assert faults(schema, "playbook: a\non: {call: {}}\nsteps: [{id: a, action: log}]\n") != []


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(SCHEMA.schema)
    Draft7Validator.check_schema(REAL.schema)


def test_every_key_takes_something_that_the_schema_knows() -> None:
    known = [(section.title, key) for section in keys.SECTIONS for key in section.keys]
    titles = {section.title for section in keys.SECTIONS}
    assert [(title, key.name) for title, key in known if key.takes not in FORMS] == []
    assert [(title, key.name) for title, key in known if key.inside and key.inside not in titles] == []
    assert [(title, key.name) for title, key in known if key.takes == "word" and not key.choices] == []


def test_every_section_stands_somewhere_in_a_playbook() -> None:
    inside = {key.inside for section in keys.SECTIONS for key in section.keys}
    kinds = {section.title for section in keys.STEPS.values()}
    assert {section.title for section in keys.SECTIONS} == inside - {""} | kinds | {keys.PLAYBOOK.title}


def test_every_key_has_a_description_that_an_editor_can_show() -> None:
    definitions: dict[str, Any] = playbook_schema(ACTIONS.values())["definitions"]
    for name, definition in definitions.items():
        for key, schema in definition.get("properties", {}).items():
            assert name.startswith("with_") or schema["description"], (name, key)
