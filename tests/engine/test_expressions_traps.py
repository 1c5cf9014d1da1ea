"""What docs/playbooks.md warns of is so, and the way out that it names works."""

from pathlib import Path

import pytest

from engine.expressions import Environment, ExpressionError

DOCS = (Path(__file__).parents[2] / "docs" / "playbooks.md").read_text(encoding="utf-8")
ENVIRONMENT = Environment({"t": "string", "steps.pods.output": "dyn", "steps.pods.status": "string"})
NULL = {"steps.pods.output": None, "steps.pods.status": "skipped"}


def test_a_substring_up_to_the_very_end_is_an_error_and_the_rest_of_the_text_is_not() -> None:
    with pytest.raises(ExpressionError, match="greater than"):
        ENVIRONMENT.compile("t.substring(0, size(t))").evaluate({"t": "abc"})
    assert ENVIRONMENT.compile("t.substring(1)").evaluate({"t": "abc"}) == "bc"


@pytest.mark.parametrize("text", ["", "x" * 79, "x" * 80, "x" * 81, "é" * 200])
def test_text_is_cut_as_the_docs_say(text: str) -> None:
    cut = "size(t) > 80 ? t.substring(0, 80) : t"
    assert f"`{cut}`" in DOCS
    assert ENVIRONMENT.compile(cut).evaluate({"t": text}) == text[:80]


@pytest.mark.parametrize(
    "asks",
    ["steps.pods.output.?items.orValue([])", "has(steps.pods.output.items)", "steps.pods.output.items"],
)
def test_null_has_no_fields_whatever_asks_for_them(asks: str) -> None:
    with pytest.raises(ExpressionError):
        ENVIRONMENT.compile(asks).evaluate(NULL)


@pytest.mark.parametrize(
    "asks",
    [
        "steps.pods.output == null ? [] : steps.pods.output.items",
        "steps.pods.status == 'succeeded' ? steps.pods.output.items : []",
    ],
)
def test_asking_before_is_the_way_out(asks: str) -> None:
    assert asks.partition(" ?")[0] in DOCS
    assert ENVIRONMENT.compile(asks).evaluate(NULL) == []
    given = {"steps.pods.output": {"items": [1]}, "steps.pods.status": "succeeded"}
    assert ENVIRONMENT.compile(asks).evaluate(given) == [1]
