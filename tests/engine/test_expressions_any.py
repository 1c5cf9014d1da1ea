"""Whatever stands in an expression: it compiles or is refused, and gives a JSON value or an error."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import Environment, ExpressionError

ENVIRONMENT = Environment(
    {
        "alert.title": "string",
        "alert.tags": "tags",
        "alert.tag_list": "list<string>",
        "alert.metadata": "map<string, dyn>",
        "inputs.n": "int",
        "steps.a.output": "dyn",
    }
)
SCOPE: dict[str, Any] = {
    "alert.title": "é 😀",
    "alert.tags": {"env": ["a", "b"], "team": "x"},
    "alert.tag_list": ["env:a", "env:b"],
    "alert.metadata": {"k": [1.5, {}], "c": None},
    "inputs.n": 3,
    "steps.a.output": {"x": 1, "items": [1, {"q": None}, "s"]},
}
BEGIN = st.sampled_from(
    [*SCOPE, "steps.a.output.items", "[1, 'a']", "{'b': 1}", "optional.of(1)", "'x'", "2", "b'y'"]
)
LOOPS = (".map(k, k)", ".filter(k, true)", ".exists(k, k == 'x')", ".all(k, k != 1)", ".optMap(v, v)")
CALLS = (".orValue(1)", ".hasValue()", ".join('')", ".split('')", ".format([1])", ".matches('(a*)*')")
REST = (" == 1", " + 'a'", " in [1]", " ? 1 : 2", " && true", ".getHours()", "", ")", "]", "}")
MIDDLE = st.sampled_from([".x", ".?x", "[0]", "['env']", "[?'env']", *LOOPS, *CALLS, *REST])
AROUND = st.sampled_from(
    ["{}", "size({})", "json({})", "keys({})", "entries({})", "[{}]", "{{'k': {}}}", "!({})", "-{}"]
)


@settings(max_examples=300)
@given(AROUND, BEGIN, st.lists(MIDDLE, max_size=4))
def test_an_expression_of_any_shape_gives_json_or_an_error(around: str, begin: str, more: list[str]) -> None:
    text = around.format(begin + "".join(more))
    try:
        value = ENVIRONMENT.compile(text).evaluate(SCOPE)
    except ExpressionError as error:
        assert error.message
        return
    assert msgspec.json.decode(msgspec.json.encode(value)) == value


@given(st.text(max_size=40))
def test_any_text_compiles_or_is_refused_at_a_place_inside_it(text: str) -> None:
    try:
        ENVIRONMENT.compile(text)
    except ExpressionError as error:
        assert error.line >= 1
        assert error.column >= 1
        assert error.line <= text.count("\n") + 1
