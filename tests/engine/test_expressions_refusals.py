"""Expressions that do not compile: the message, and the line and column inside the expression."""

import pytest

from engine.expressions import TEXT_MAX, Environment, ExpressionError, UnknownName

ENVIRONMENT = Environment(
    {
        "alert.title": "string",
        "alert.monitor_id": "string",
        "alert.tags": "tags",
        "steps.pods.output": "dyn",
        "inputs.namespace": "string",
    }
)
DEEP = "the expression is nested too deeply: give parts of it a name with `set` first"
OPTIONAL = "the result is an optional value: say what it is otherwise with .orValue()"


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("alert.titel == 'x'", "unknown name `alert.titel` (did you mean `alert.title`?)", 1, 1),
        ("true && alert.titel == 'x'", "unknown name `alert.titel` (did you mean `alert.title`?)", 1, 9),
        ("alert.title == 'x' &&\n  zzz", "unknown name `zzz`", 2, 3),
        (
            "steps.nope.output.x == 1",
            "unknown name `steps.nope.output.x` (did you mean `steps.pods.output`?)",
            1,
            1,
        ),
        (
            "alert.monitor_id == 12",
            "`==` cannot be used on (string, int): text is compared with text in quotes",
            1,
            18,
        ),
        ("alert.title && true", "`&&` cannot be used on (string, bool)", 1, 13),
        ("'x' in alert.title", "`in` cannot be used on (string, string)", 1, 5),
        ("!alert.title", "`!` cannot be used on (string)", 1, 1),
        ("-alert.title", "`-` cannot be used on (string)", 1, 1),
        ("alert.tags[1]", "`[ ]` cannot be used on (map(string, string), int)", 1, 11),
        ("true ? 1 : 'a'", "`? :` cannot be used on (bool, int, string)", 1, 6),
        ("json(alert.title, 1)", "`json` is not called like this", 1, 1),
        ("keys(alert.title)", "`keys` cannot be called with (string)", 1, 5),
        ("now()", "there is no function `now`", 1, 1),
        ("alert.title.shout()", "there is no function `shout`", 1, 13),
        ("size(1, 2)", "`size` is not called like this", 1, 1),
        ("@sorted_keys(alert.tags)", "'@' does not belong here, or a text is not closed", 1, 1),
        ("1 +", "the expression ends too early", 1, 4),
        ("(1", "a `)` is missing", 1, 3),
        ("1 2", "`2` does not belong here", 1, 3),
        ("alert.title == 'x", "''x' does not belong here, or a text is not closed", 1, 16),
        ("alert.title = 'x'", "'= ' does not belong here, or a text is not closed", 1, 13),
        ("inputs.in", "this does not belong here", 1, 8),
        ("for", "`for` is a reserved word", 1, 1),
        ("99999999999999999999", "invalid int literal", 1, 1),
        ("optional.none()", OPTIONAL, 1, 1),
        ("alert.tags[?'x']", OPTIONAL, 1, 1),
        ("", "the expression is empty", 1, 1),
        ("  \n ", "the expression is empty", 1, 1),
        ("'a\0b'", "it holds a NUL character", 1, 1),
        ("x" * (TEXT_MAX + 1), f"the expression has {TEXT_MAX + 1} characters, more than {TEXT_MAX}", 1, 1),
        ("(" * 100 + "1" + ")" * 100, DEEP, 1, 1),
        ("+".join(["1"] * 500), DEEP, 1, 1),
        ("[" * 2_000, DEEP, 1, 1),
        ("steps.pods.output" + ".x" * 500, DEEP, 1, 1),
    ],
)
def test_a_wrong_expression_says_what_is_wrong_and_where(
    text: str, message: str, line: int, column: int
) -> None:
    with pytest.raises(ExpressionError) as caught:
        ENVIRONMENT.compile(text)
    assert (caught.value.message, caught.value.line, caught.value.column) == (message, line, column)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("[1, alert.tags[?'x']]", 15),
        ("{'a': steps.pods.output.?b}", 24),
        ("{'a': 1, 'b': steps.pods.output[?'x']}", 32),
        ("dyn(steps.pods.output.?b)", 22),
        ("json([steps.pods.output.?b])", 24),
        ("[1].map(k, steps.pods.output.?b)", 29),
        ("steps.pods.output.?b.optMap(x, steps.pods.output.?c).hasValue()", 28),
        ("optional.of(steps.pods.output.?b).hasValue()", 30),
        ("steps.pods.output.?b.orValue(steps.pods.output.?c)", 47),
        ("[steps.pods.output[?'b'][0]]", 25),
        ("[true ? steps.pods.output.?b : optional.none()]", 7),
    ],
)
def test_an_optional_value_may_not_stand_where_only_a_value_may(text: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        ENVIRONMENT.compile(text)
    message = "an optional value cannot stand here: say what it is otherwise with .orValue()"
    assert (caught.value.message, caught.value.line, caught.value.column) == (message, 1, column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("steps.pods.output.?a.?b.orValue(0)", 0),
        ("steps.pods.output.?x.y.orValue(0)", 1),
        ("steps.pods.output[?'x'][?'y'].orValue(0)", 1),
        ("steps.pods.output.?a.or(optional.of(2)).value()", 2),
        ("steps.pods.output.?x.optFlatMap(x, x.?y).orValue(0)", 1),
        ("(true ? steps.pods.output.?a : optional.of(3)).hasValue()", False),
        ("steps.pods.output.?a == optional.none()", True),
        ("[?steps.pods.output.?a, ?steps.pods.output.?x.y]", [1]),
        ("{?'k': steps.pods.output.?a, 'l': 1}", {"l": 1}),
        ("has(steps.pods.output.?x.y)", True),
    ],
)
def test_an_optional_value_may_be_unwrapped_chained_compared_chosen_and_put_in(
    text: str, value: object
) -> None:
    assert ENVIRONMENT.compile(text).evaluate({"steps.pods.output": {"x": {"y": 1}}}) == value


def test_an_unknown_name_is_told_apart_and_given_whole() -> None:
    with pytest.raises(UnknownName) as caught:
        ENVIRONMENT.compile("1 + steps.nope.output.x")
    assert caught.value.name == "steps.nope.output.x"


def test_many_conditions_in_a_row_are_no_depth() -> None:
    assert ENVIRONMENT.compile(" && ".join(["true"] * 1_000)).evaluate({}) is True


def test_where_each_name_is_used_is_known() -> None:
    program = ENVIRONMENT.compile("alert.title == '' ||\n inputs.namespace + alert.tags['x'] == alert.title")
    names = [use.name for use in program.uses]
    assert names == ["alert.title", "inputs.namespace", "alert.tags", "alert.title"]
    assert [use.offset for use in program.uses] == [0, 22, 41, 60]


def test_a_declared_name_may_be_a_reserved_word_after_its_dot() -> None:
    assert ENVIRONMENT.compile("inputs.namespace").evaluate({"inputs.namespace": "prod"}) == "prod"
