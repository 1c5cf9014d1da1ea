"""What cannot be imported is said with line and column; nothing that is written breaks the importer."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.actions.registry import specs
from engine.importing.stackpulse import Imported, imported
from engine.yaml_text import read_yaml

HEAD = "apiVersion: stackpulse.io/v1\nkind: Playbook\nmetadata: {name: a}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in ("ab", "bc", "cd", "de")
)


def importing(text: str) -> Imported:
    return imported(text, "a.yaml", specs())


def steps_of(text: str) -> Any:
    found = importing(HEAD + text)
    assert found.problems == ()
    return read_yaml(found.playbook).plain()["steps"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "1:1: the file is empty"),
        ("- a", "1:1: this is no StackPulse playbook: it is not a map"),
        (
            "playbook: a\nsteps: []",
            "1:1: this is no StackPulse playbook: it has no `apiVersion: stackpulse.io/v1`",
        ),
        ("kind: Playbook\napiVersion: v1", "2:13: this is no StackPulse playbook"),
        ("apiVersion: stackpulse.io/v1\nkind: Trigger", "2:7: only `kind: Playbook` can be imported"),
        ("apiVersion: stackpulse.io/v1\nkind: Playbook", "1:1: `steps` should be a list of steps"),
        (HEAD + "steps: {}", "4:1: `steps` should be a list of steps"),
        (HEAD + "steps: []", "4:8: a playbook without steps does nothing"),
        (HEAD + "steps: [a]", "4:9: a step is a map"),
        (HEAD + "steps: [{id: a}]", "4:9: this step says not what to do"),
        (HEAD + "steps: [{foreach: {steps: []}}]", "4:10: a `foreach` has `in` and `steps`"),
        (HEAD + "steps: [{foreach: {in: a, steps: []}}]", "4:19: a loop without steps"),
        (HEAD + "parameters: {}\nsteps: [{name: a}]", "4:13: `parameters` should be a list"),
        (HEAD + "parameters: [{type: var}]\nsteps: [{name: a}]", "4:14: a parameter has a `name`"),
        (HEAD + "steps: [\n  - a", "5:3: this does not fit here"),
        (HEAD + "steps: &a\n  - name: b\n    steps: *a", "6:12: `*a` stands inside its own anchor"),
        (HEAD + "steps: !!python/object [a]", "4:8: YAML takes a leading `!` for a tag"),
        (HEAD + "steps: []\nsteps: []", "5:1: the key `steps` is given twice"),
        (HEAD + "steps: []\n---\na: 1", "a second document"),
        (HEAD + f"description: {'x' * 300_000}\nsteps: []", "1:1: the file has 3000"),
        (HEAD + "steps:\n" + "".join(f"{'  ' * n}- steps:\n" for n in range(1, 30)), ": more than "),
        (HEAD + BOMB + "steps: [{name: a}]", "values, counting each use of an anchor"),
    ],
)
def test_what_is_no_playbook_of_stackpulse_is_said_with_its_place(text: str, says: str) -> None:
    found = importing(text)
    assert found.playbook == ""
    assert says in str(found.problems[0])
    assert re.match(r"a\.yaml:\d+:\d+: .", str(found.problems[0]))


def test_a_trigger_is_told_the_way() -> None:
    problem = importing("apiVersion: stackpulse.io/v1\nkind: Trigger\nsteps: []").problems[0]
    assert problem.fix == "import the playbook that it names, and write `on.alert` for it"


def test_ids_become_names_of_expressions_and_stay_apart() -> None:
    steps = steps_of(
        "steps:\n"
        "  - {id: get-it, name: example/a}\n"
        "  - {id: get_it, name: example/b}\n"
        "  - {name: example/b}\n"
        "  - {id: 1st, name: example/c}\n"
        '  - {id: "true", name: example/c}\n'
        "  - {id: last, name: example/d, env: {A: \"{{ $.'get-it'.x }}\", B: '{{ $.get_it.x }}'}}\n"
    )
    assert [step["id"] for step in steps] == [
        "get_it",
        "get_it_2",
        "example_b",
        "step_1st",
        "step_true",
        "last",
    ]
    assert steps[-1]["with"]["json"]["env"] == {
        "A": "${{ steps.get_it.output.body.x }}",
        "B": "${{ steps.get_it_2.output.body.x }}",
    }


def test_what_is_left_out_is_said() -> None:
    found = importing(
        HEAD + "labels: {}\nparameters: [{name: a, type: odd, size: 3}]\n"
        "steps: [{name: example/a, retries: 3}, {when: 'true', name: x, steps: [{name: b}], every: 1}]"
    )
    said = " ".join(note.message for note in found.notes)
    for word in ("`labels`", "`size`", "type was `odd`", "`retries`", "`every`"):
        assert word in said


def test_an_image_is_named_without_registry_and_tag() -> None:
    steps = steps_of("steps: [{name: 'localhost:5000/a/b:1.2'}, {name: 'busybox@sha256:0abc'}]")
    urls = [step["with"]["url"].rpartition("}}/")[2] for step in steps]
    assert urls == ["localhost-5000/a/b", "busybox"]


def test_conditions_that_are_plain_words() -> None:
    steps = steps_of("steps: [{name: a, when: true}, {name: b, when: false}, {name: c, when: maybe}]")
    assert ["if" in step for step in steps] == [False, True, True]
    assert steps[1]["if"] == "false"


def test_switches_of_yaml_1_1_are_understood() -> None:
    steps = steps_of("steps: [{name: a, ignoreFailure: yes}, {name: b, ignoreFailure: no}]")
    assert [step.get("continue_on_error") for step in steps] == [True, None]


_PUBLIC = "us-docker.pkg.dev/stackpulse/public/"
_WORDS = st.sampled_from(
    [
        *("name", "steps", "foreach", "in", "when", "env", "break", "id", "range", "args", "default", "type"),
        *("secret", "parameters", "SECONDS", "RESPONSES", "$.a.b", "{{ .a }}", "{{ if }}", "a: b"),
        *(f"{_PUBLIC}slack/message/interactive", f"{_PUBLIC}utils/wait"),
    ]
)
_VALUES = st.recursive(
    _WORDS | st.none() | st.booleans() | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(_VALUES, min_size=1, max_size=3), _VALUES)
def test_whatever_stands_in_it_the_outcome_is_a_playbook_or_a_problem(
    steps: list[Any], parameters: Any
) -> None:
    text = HEAD + f"parameters: {json.dumps(parameters)}\nsteps: {json.dumps(steps)}\n"
    found = importing(text)
    assert bool(found.playbook) != bool(found.problems)
    if found.playbook:
        assert read_yaml(found.playbook).plain()["playbook"] == "a"
