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
VALUES = ["1", "'x'", "null", "true", "b'y'", "alert.title", "alert.tags", "alert.tag_list", "alert.metadata"]
VALUES += ["inputs.n", "steps.a.output", "steps.a.output.items", "{}", "[1]", "timestamp(0)", "type(1)", "v"]
OPTIONALS = [
    "optional.none()",
    "optional.of(1)",
    "steps.a.output.?x",
    "steps.a.output[?'no']",
    "alert.tags[?'team']",
]
AROUND_ONE = [
    "[{}]",
    "{{'k': {}}}",
    "[?{}]",
    "dyn({})",
    "json({})",
    "keys({})",
    "entries({})",
    "size({})",
    "!{}",
    "-{}",
]
AROUND_ONE += [
    "{}.x",
    "{}.?x",
    "{}[0]",
    "{}[?0]",
    "{}.orValue(1)",
    "{}.hasValue()",
    "{}.value()",
    "optional.of({})",
]
AROUND_TWO = [
    "{}.map(v, {})",
    "{}.filter(v, {})",
    "{}.exists(v, {})",
    "{}.all(v, {})",
    "{}.optMap(v, {})",
    "({} + {})",
]
AROUND_TWO += [
    "({} == {})",
    "({} in {})",
    "(true ? {} : {})",
    "{}.or({})",
    "{}.optFlatMap(v, {})",
    "[{}, {}][0]",
]
AROUND_TWO += ["'%s %s'.format([{}, {}])", "{{'a': {}, 'b': {}}}", "{{'a': {}}}.a.orValue({})", "({} && {})"]
EXPRESSIONS = st.recursive(
    st.sampled_from([*VALUES, *OPTIONALS]),
    lambda inner: (
        st.builds(str.format, st.sampled_from(AROUND_ONE), inner)
        | st.builds(str.format, st.sampled_from(AROUND_TWO), inner, inner)
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(EXPRESSIONS)
def test_an_expression_of_any_shape_gives_json_or_an_error(text: str) -> None:
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
