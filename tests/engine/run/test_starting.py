"""How a run begins, and why it may fail before its first step."""

from typing import Any

import pytest

from engine.playbook.model import ActionStep, ExitStep, InputSpec, Playbook, PublishStep
from engine.run.inputs import WrongInput, checked
from engine.run.number import ENGINE_NUMBER
from engine.run.starting import uses_alert
from schemas.events import RunStarted
from tests.engine.run.given import NOON_MS, Life, a_playbook, a_step, an_alert, compiled, names


def started(life: Life) -> RunStarted:
    event = life.journal[0].events[0]
    assert isinstance(event, RunStarted)
    return event


def with_input(**spec: Any) -> Playbook:
    return a_playbook(a_step(arguments={"x": "${{ inputs.x }}"}), inputs={"x": InputSpec(**spec)})


def test_the_first_event_pins_all_that_later_decisions_look_at() -> None:
    life = Life(a_playbook(timeout_ms=60_000), via="api", actor="ann", key="k", run_url="u")
    event = started(life)
    assert (event.engine, event.revision, event.key) == (ENGINE_NUMBER, life.book.digest, "k")
    assert (event.via, event.actor, event.run_url) == ("api", "ann", "u")
    assert event.due_ms == NOON_MS + 1_000 + 60_000
    assert life.live.timers["timeout"] == event.due_ms


def test_defaults_see_the_alert() -> None:
    book = with_input(default="${{ alert.host }}:${{ run.playbook }}")
    life = Life(book, alert=an_alert(host="web-1"))
    assert started(life).inputs == {"x": "web-1:demo"}
    assert life.asked.arguments == {"x": "web-1:demo"}


def test_what_the_caller_gives_wins_over_the_default() -> None:
    life = Life(with_input(default="a"), inputs={"x": "b"})
    assert life.asked.arguments == {"x": "b"}


@pytest.mark.parametrize(
    ("spec", "given", "taken"),
    [
        ({"type": "int"}, 3, 3),
        ({"type": "int"}, "3", 3),
        ({"type": "int"}, "-7", -7),
        ({"type": "float"}, 3, 3.0),
        ({"type": "float"}, "2.5e1", 25.0),
        ({"type": "bool"}, True, True),
        ({"type": "bool"}, "false", False),
        ({"type": "list"}, [1, "a"], [1, "a"]),
        ({"type": "list"}, "[1]", [1]),
        ({"type": "map"}, {"a": 1}, {"a": 1}),
        ({"type": "map"}, '{"a": 1}', {"a": 1}),
        ({"type": "string"}, " 3 ", " 3 "),
        ({"type": "int", "minimum": 1, "maximum": 5}, 5, 5),
        ({"type": "string", "choices": ("a", "b")}, "b", "b"),
    ],
)
def test_inputs_are_taken_as_their_declared_type(spec: Any, given: Any, taken: Any) -> None:
    life = Life(with_input(**spec, required=True), inputs={"x": given})
    value = started(life).inputs["x"]
    assert (value, type(value)) == (taken, type(taken))


@pytest.mark.parametrize(
    ("spec", "given", "says"),
    [
        ({"type": "int"}, 3.5, "is 3.5, but should be a whole number"),
        ({"type": "int"}, True, "but should be a whole number"),
        ({"type": "int"}, "three", "is 'three', but should be"),
        ({"type": "int"}, 2**63, "but should be a whole number of at most 64 bits"),
        ({"type": "float"}, "nan", "should be a number"),
        ({"type": "float"}, "1e999", "should be a number"),
        ({"type": "bool"}, "yes", "should be true or false"),
        ({"type": "bool"}, 1, "should be true or false"),
        ({"type": "string"}, 3, "is 3, but should be text"),
        ({"type": "list"}, {"a": 1}, "is dict, but should be a list"),
        ({"type": "list"}, "[1", "should be a list"),
        ({"type": "map"}, "[1]", "should be a map"),
        ({"type": "int", "minimum": 1}, 0, "is 0, less than its minimum 1"),
        ({"type": "float", "maximum": 0.5}, 1, "is 1.0, more than its maximum 0.5"),
        ({"type": "string", "choices": ("a", "b")}, "c", "not one of a, b"),
        ({"type": "string"}, None, "should be text"),
    ],
)
def test_a_wrong_input_fails_the_run_before_its_first_step(spec: Any, given: Any, says: Any) -> None:
    life = Life(with_input(**spec, required=True), inputs={"x": given})
    assert names(life.events) == ["RunStarted", "Reported", "RunFinished"]
    assert (life.finished.status, life.finished.kind) == ("failed", "bad_input")
    assert says in life.finished.message


def test_a_number_beyond_all_floats_is_wrong_and_no_crash() -> None:
    with pytest.raises(WrongInput, match="out of range"):
        checked(10**400, InputSpec(type="float"))


@pytest.mark.parametrize("inputs", [None, [1], "text", 3])
def test_inputs_that_are_no_object_fail_the_run(inputs: Any) -> None:
    life = Life(a_playbook(), inputs=inputs)
    assert life.finished.kind == "bad_input"
    assert "should be an object of name and value" in life.finished.message


def test_all_problems_of_the_inputs_are_told_at_once() -> None:
    book = a_playbook(
        inputs={
            "replicas": InputSpec(type="int", required=True),
            "zone": InputSpec(default="${{ alert.tags['zone'] }}"),
            "size": InputSpec(type="int", default="${{ alert.title }}"),
        }
    )
    life = Life(book, inputs={"replica": 3})
    message = life.finished.message
    assert "no input `replica` (did you mean `replicas`?)" in message
    assert "input `replicas` is missing" in message
    assert "the default of input `zone`" in message
    assert "input `size` is 'latency is high'" in message


def test_an_input_that_the_playbook_does_not_have_is_refused_with_those_it_has() -> None:
    life = Life(with_input(default="a"), inputs={"other": 1})
    assert "no input `other` (it takes x)" in life.finished.message


def test_a_default_that_json_cannot_say_fails_the_run() -> None:
    life = Life(with_input(type="list", default=[float("nan")]))
    assert (life.finished.kind, started(life).inputs) == ("bad_input", {})
    assert "not finite" in life.finished.message


def test_a_default_of_null_stays_null_and_is_neutral_in_expressions() -> None:
    life = Life(with_input(default=None))
    assert started(life).inputs == {"x": None}
    assert life.asked.arguments == {"x": ""}


def test_a_long_wrong_value_is_not_repeated_in_full() -> None:
    life = Life(with_input(type="int"), inputs={"x": "y" * 10_000})
    assert len(life.finished.message) < 300


def test_a_playbook_that_uses_the_alert_is_refused_without_one() -> None:
    life = Life(a_playbook(a_step(arguments={"q": "${{ alert.title }}"})), alert=None)
    assert (life.finished.kind, life.finished.status) == ("bad_input", "failed")
    assert "uses `alert`" in life.finished.message


def test_a_playbook_that_uses_no_alert_runs_without_one() -> None:
    life = Life(a_playbook(), alert=None)
    assert life.status == "running"


def test_a_default_made_of_the_alert_is_no_matter_where_the_caller_gives_the_input() -> None:
    book = with_input(default="${{ alert.host }}")
    assert Life(book, alert=None, inputs={"x": "a"}).status == "running"
    assert Life(book, alert=None).status == "failed"


@pytest.mark.parametrize("broken", ["${{ nope( }}", "${{ 1", "${{ alert.titel }}"])
def test_an_expression_that_no_longer_compiles_fails_its_step_with_or_without_an_alert(broken: str) -> None:
    for alert in (None, an_alert()):
        life = Life(a_playbook(a_step(arguments={"x": broken})), alert=alert)
        assert (life.finished.kind, life.finished.step) == ("step", "pods")


@pytest.mark.parametrize(
    ("playbook", "uses"),
    [
        (a_playbook(ExitStep(path="stop", reason="${{ alert.id }}")), True),
        (a_playbook(a_step(condition="alert.host == ''")), True),
        (a_playbook(PublishStep(path="#1", title="x", tags=("a:${{ alert.host }}",))), True),
        (a_playbook(PublishStep(path="#1", title="alert.title in prose")), False),
        (a_playbook(outputs={"x": ["${{ alert.tags }}"]}), True),
        (
            a_playbook(finally_=(ActionStep(path="u", action="look", arguments={"a": "${{ alert.id }}"}),)),
            True,
        ),
        (a_playbook(a_step(arguments={"a": "${{ 'alert.title' }}"})), False),
        (a_playbook(a_step(arguments={"a": "${{ secrets.alert }}"})), False),
    ],
)
def test_where_an_alert_is_used(playbook: Any, uses: Any) -> None:
    assert uses_alert(compiled(playbook)) is uses
