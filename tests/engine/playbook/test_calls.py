"""What is wrong between the playbooks of a folder: circles, calls of what is not there or not for calls."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.playbook.calls import Caller, caller_of, check_calls, circles
from engine.yaml_text import read_yaml
from tests.engine.playbook.builders import read_text

NAMES = st.sampled_from("abcdef")


def a_file(name: str, *calls: str, on: str = "{call: {}}") -> Caller:
    steps = "".join(f"  - {{id: s{at}, run: {called}}}\n" for at, called in enumerate(calls))
    text = f"playbook: {name}\non: {on}\nsteps:\n  - exit: {{}}\n{steps}"
    found = caller_of(read_yaml(text), f"{name}.yaml")
    assert found is not None
    return found


def problems(*files: Caller, whole: bool = True) -> list[str]:
    return [str(one) for one in check_calls(files, whole)]


def test_playbooks_that_call_what_is_there_and_may_be_called_are_right() -> None:
    assert problems(a_file("a", "b", "c"), a_file("b", "c"), a_file("c")) == []


def test_a_circle_is_an_error_at_each_of_its_calls_and_nowhere_else() -> None:
    fix = "(leave out one of these calls)"
    assert problems(
        a_file("a", "b"), a_file("b", "x", "c"), a_file("c", "a"), a_file("x", "y"), a_file("y")
    ) == [
        f"a.yaml:5:19: playbooks that call each other in a circle: a → b → c → a {fix}",
        f"b.yaml:6:19: playbooks that call each other in a circle: b → c → a → b {fix}",
        f"c.yaml:5:19: playbooks that call each other in a circle: c → a → b → c {fix}",
    ]


def test_a_playbook_that_calls_itself_is_a_circle() -> None:
    (said,) = problems(a_file("a", "a"))
    assert "in a circle: a → a" in said


def test_a_called_playbook_that_is_not_there_is_a_warning_with_the_nearest_name() -> None:
    assert problems(a_file("a", "notifi"), a_file("notify")) == [
        "a.yaml:5:19: warning: the playbook `notifi` is not among these files (did you mean `notify`?)"
    ]


def test_nothing_is_said_of_what_may_be_in_a_file_that_cannot_be_read() -> None:
    assert problems(a_file("a", "notify"), whole=False) == []


def test_a_called_playbook_without_on_call_is_an_error() -> None:
    assert problems(a_file("a", "b"), a_file("b", on="{alert: {kind: x}}")) == [
        "a.yaml:5:19: the playbook `b` cannot be called: it has no `on.call` "
        "(write `call: {}` below `on` in b.yaml)"
    ]


INPUTS = "inputs: {who: {}, n: {type: int, default: 1, maximum: 9}, m: {required: false}}"


def calling(given: str, inputs: str = INPUTS) -> list[str]:
    """What is said of a call with this `with`."""
    texts = (
        f"playbook: a\non: {{call: {{}}}}\nsteps:\n  - {{id: s, run: b, with: {given}}}\n",
        f"playbook: b\non: {{call: {{}}}}\n{inputs}\nsteps: [{{exit: {{}}}}]\n",
    )
    files = []
    for text, name in zip(texts, ("a.yaml", "b.yaml"), strict=True):
        found = read_text(text)
        files.append(caller_of(found.value, name, found.playbook))
    return problems(*filter(None, files))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{who: ann}", []),
        ("{who: ann, n: 9, m: x}", []),
        ('{who: "${{ run.id }}", n: "${{ run.id }}"}', []),
        ('{who: ann, n: "3"}', []),
        ("{}", ["4:18: the playbook `b` needs the input `who` (give it below `with`)"]),
        ("{who: ann, nn: 1}", ["4:38: the playbook `b` has no input `nn` (did you mean `n`?)"]),
        ("{who: ann, n: many}", ["4:41: the input `n` of `b` is 'many', but should be a whole number"]),
        ("{who: ann, n: 10}", ["4:41: the input `n` of `b` is 10, more than its maximum 9"]),
        ("{who: 3}", ["4:33: the input `who` of `b` is 3, but should be text"]),
    ],
)
def test_what_a_called_playbook_would_refuse_is_an_error_at_its_place(given: str, said: list[str]) -> None:
    found = calling(given)
    assert len(found) == len(said)
    assert all(one.startswith(f"a.yaml:{wanted}") for one, wanted in zip(found, said, strict=True)), found


def test_of_a_called_playbook_with_an_error_nobody_knows_what_it_takes() -> None:
    assert calling("{what: 1}", "inputs: {who: {typ: int}}") == []
    assert calling("{what: 1}", "") == ["a.yaml:4:28: the playbook `b` has no input `what` (it takes none)"]


def test_two_files_of_one_playbook_are_an_error_where_the_second_says_its_name() -> None:
    assert problems(a_file("a"), a_file("a")) == [
        "a.yaml:1:11: `a` is the playbook of a.yaml too: only the one applied last would be active "
        "(give one of them another name)"
    ]


def test_calls_are_found_however_deep_they_stand_but_not_in_values() -> None:
    text = """\
playbook: a
on: {call: {}}
steps:
  - parallel:
      one: [{run: b}]
  - switch: alert.title
    cases: {"0": [{repeat: {times: 2}, steps: [{run: c}]}]}
    default: [{run: d}]
  - {id: x, action: http.request, with: {json: [{run: not-this}]}}
  - set: {values: [{run: nor-this}]}
on_failure: [{run: e}]
finally: [{run: f}, {run: {x: 1}}, text]
"""
    found = caller_of(read_yaml(text), "a.yaml")
    assert found is not None
    assert list(found.calls) == ["b", "c", "d", "e", "f"]


def test_of_a_file_that_is_no_map_nothing_is_known() -> None:
    assert caller_of(read_yaml("- a"), "a.yaml") is None
    assert caller_of(None, "a.yaml") is None
    unnamed = caller_of(read_yaml("steps: []"), "a.yaml")
    assert unnamed is not None
    assert (unnamed.name, problems(unnamed, unnamed)) == ("", [])


@given(st.dictionaries(NAMES, st.sets(NAMES)))
def test_a_call_is_on_a_circle_exactly_where_there_is_a_way_back(calls: dict[str, set[str]]) -> None:
    found = circles(calls)
    reach = {name: set(called) for name, called in calls.items()}
    for _ in calls:
        for ways in reach.values():
            ways |= {further for name in ways for further in reach.get(name, ())}
    assert set(found) == {
        (caller, called)
        for caller, every in calls.items()
        for called in every
        if called == caller or caller in reach.get(called, ())
    }
    for (caller, called), way in found.items():
        assert (way[0], way[-1]) == (called, caller)
        assert all(after in calls[before] for before, after in pairwise(way))
