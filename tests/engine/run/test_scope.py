"""What expressions see of a run, as a mapping: whatever it lists can be looked up, and nothing else."""

import pytest

from engine.playbook.model import InputSpec, SetStep
from engine.playbook.names import names_of
from engine.run.scope import Scope
from tests.engine.run.given import Life, a_playbook, a_step

BOOK = a_playbook(
    a_step("one", continue_on_error=True),
    SetStep(path="#2", values={"v": 1}),
    a_step("two"),
    finally_=(a_step("last"), a_step("never")),
    inputs={"n": InputSpec(type="int", default=3), "none": InputSpec()},
)


def a_failing_life() -> Life:
    life = Life(BOOK)
    life.fail("http_4xx")
    life.fail("http_4xx")
    return life


def test_every_name_that_is_listed_has_a_value_and_is_known_to_the_language() -> None:
    scope = Scope(a_failing_life().live)
    named = {name for name in scope if not name.startswith("steps.#")}
    assert all(scope[name] is not None for name in named if not name.endswith(".output"))
    assert named <= set(names_of(BOOK))
    assert len(scope) == len(list(scope)) == len(set(scope))


def test_every_name_of_the_language_is_there_once_it_has_a_value() -> None:
    scope = Scope(a_failing_life().live)
    missing = set(names_of(BOOK)) - set(scope)
    assert {name.split(".")[0] for name in missing} == {"inputs", "steps"}
    assert {name for name in missing if name.startswith("inputs.")} == {"inputs.none"}
    assert {name.split(".")[1] for name in missing if name.startswith("steps.")} == {"never"}


def test_failure_has_values_only_once_the_run_has_failed() -> None:
    assert "failure.kind" not in Scope(Life(BOOK).live)
    assert Scope(a_failing_life().live)["failure.step"] == "two"


@pytest.mark.parametrize(
    "name",
    ["", "alert.nope", "inputs.x", "inputs.none", "vars.x", "steps.x.output", "steps.one.x", "run.x", "x.y"],
)
def test_what_is_not_known_is_missing(name: str) -> None:
    scope = Scope(a_failing_life().live)
    assert name not in scope
    assert scope.get(name, "neutral") == "neutral"


def test_a_run_without_an_alert_has_no_names_of_it() -> None:
    scope = Scope(Life(BOOK, alert=None).live)
    assert "alert.title" not in scope


def test_an_ended_run_can_see_nothing() -> None:
    life = Life(a_playbook())
    life.succeed()
    with pytest.raises(AssertionError, match="has ended"):
        Scope(life.live)
