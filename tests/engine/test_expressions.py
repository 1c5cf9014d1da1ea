"""Expressions: what they give, and that an error is never a value."""

import subprocess
import sys
from typing import Any

import pytest

from engine.expressions import Environment, ExpressionError, select

NAMES = {
    "alert.title": "string",
    "alert.monitor_id": "string",
    "alert.test": "bool",
    "alert.tags": "tags",
    "alert.tag_list": "list<string>",
    "alert.metadata": "map<string, dyn>",
    "inputs.replicas": "int",
    "inputs.ratio": "double",
    "steps.pods.output": "dyn",
    "steps.pods.attempts": "int",
}
SCOPE: dict[str, Any] = {
    "alert.title": "Checkout p95 is high",
    "alert.monitor_id": "12345",
    "alert.tags": {"service": "checkout", "env": ["prod", "staging"], "urgent": ""},
    "alert.tag_list": ["service:checkout", "env:prod", "env:staging", "urgent"],
    "alert.metadata": {"z": 1, "a": {"b": None}},
    "inputs.replicas": 3,
    "inputs.ratio": 0.5,
    "steps.pods.output": {
        "items": [{"name": "p1", "ready": True}, {"name": "p2", "ready": False}],
        "count": 2,
        "at": 1.0,
    },
}
ENVIRONMENT = Environment(NAMES)


def value_of(text: str, **more: Any) -> Any:
    return ENVIRONMENT.compile(text).evaluate(SCOPE | more)


def error_of(text: str, **more: Any) -> str:
    with pytest.raises(ExpressionError) as caught:
        value_of(text, **more)
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alert.title.contains('p95')", True),
        ("'env:prod' in alert.tag_list", True),
        ("alert.tags['service']", "checkout"),
        ("alert.tags.service", "checkout"),
        ("alert.tags[?'team'].orValue('none')", "none"),
        ("alert.tags.?service.orValue('none')", "checkout"),
        ("alert.tags['urgent']", ""),
        ("'env' in alert.tags", True),
        ("has(alert.tags.env)", True),
        ("keys(alert.tags)", ["env", "service", "urgent"]),
        ("keys(steps.pods.output)", ["at", "count", "items"]),
        ("entries(alert.metadata)", [{"key": "a", "value": {"b": None}}, {"key": "z", "value": 1}]),
        ("entries({'b': 1, 'a': 2}).map(e, e.key)", ["a", "b"]),
        ("json(steps.pods.output.items[0])", '{"name":"p1","ready":true}'),
        ("json('ü\\n')", '"ü\\n"'),
        ("json(null) + json(true) + json(1.5) + json([1])", "nulltrue1.5[1]"),
        ("steps.pods.output.items.filter(p, p.ready).map(p, p.name)", ["p1"]),
        ("steps.pods.output.items.map(p, p.ready, p.name)", ["p1"]),
        ("steps.pods.output.items.exists(p, !p.ready)", True),
        ("steps.pods.output.exists(k, k == 'at')", True),
        ("alert.tags.all(k, k != '')", True),
        ("steps.pods.output.?nope.orValue(7)", 7),
        ("steps.pods.output.?count.optMap(c, c + 1).orValue(0)", 3),
        ("[?steps.pods.output.?nope, 1]", [1]),
        ("size(steps.pods.output.items) + inputs.replicas", 5),
        ("inputs.ratio * 2.0", 1.0),
        ("math.greatest(1, 2)", 2),
        ("'a,b'.split(',')", ["a", "b"]),
        ("'%s is %d'.format([alert.title, 3])", "Checkout p95 is high is 3"),
        ("9223372036854775807", 9223372036854775807),
        ("7u", 7),
        ("{'b': [1, 2.5], 'a': null}", {"a": None, "b": [1, 2.5]}),
        ("alert.test", False),
        ("steps.pods.attempts", 0),
        ("string(timestamp('2026-01-31T12:00:00Z') + duration('1h'))", "2026-01-31T13:00:00Z"),
    ],
)
def test_an_expression_gives_a_json_value(text: str, expected: object) -> None:
    found = value_of(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_map_comes_out_with_its_keys_sorted_at_every_level() -> None:
    found = value_of("{'b': {'d': 1, 'c': 2}, 'a': [{'z': 1, 'y': 2}]}")
    assert str(found) == "{'a': [{'y': 2, 'z': 1}], 'b': {'c': 2, 'd': 1}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps.pods.output.nope", 'there is no key "nope"'),
        ("[1, steps.pods.output.nope]", 'there is no key "nope"'),
        ("{'a': [steps.pods.output.nope]}", 'there is no key "nope"'),
        ("json(steps.pods.output.nope)", 'there is no key "nope"'),
        ("alert.tags['team']", 'there is no key "team"'),
        ("alert.tag_list[9]", "there is no item 9 in a list of 4"),
        ("1 / 0", "divide by zero"),
        ("int('x')", "cannot convert string to int"),
        ("steps.pods.output.count + 'x'", "`+` cannot be used on (int, string)"),
        ("steps.pods.output.at + 1", "`+` cannot be used on (double, int)"),
        ("steps.pods.output.count.deeper", "only a map has fields, and this is none"),
        ("1.0 / 0.0", "the result is inf, which JSON does not know"),
        ("duration('1s')", "the result is a duration: make text of it with string()"),
        ("timestamp('2026-01-31T12:00:00Z')", "the result is a timestamp: make text of it with string()"),
        ("b'x'", "the result is bytes: make text of it with string()"),
        ("{1: 2}", "the result is a map whose keys are not text"),
        (
            "[alert.tags[?'team']]",
            "an optional value cannot stand here: say what it is otherwise with .orValue()",
        ),
        (
            "steps.pods.output.?nope",
            "the result is an optional value: say what it is otherwise with .orValue()",
        ),
        ("steps.pods.output.optMap(x, x).orValue(1)", "`hasValue` cannot be called on (map)"),
        ("steps.pods.output.count.all(x, true)", "only a list or a map can be gone over"),
        ("steps.pods.output.items.join('')", "`join` cannot be used on these values"),
        ("type(1)", "the result is a type: make text of it with string()"),
        ("optional.none().value() == 1", "there is no value: say what it is then with .orValue()"),
        ("alert.title.matches('[')", "invalid regular expression: missing ]: ["),
    ],
)
def test_what_fails_is_an_error_and_never_a_value(text: str, message: str) -> None:
    assert error_of(text) == message


@pytest.mark.parametrize(
    "lookup",
    [
        "alert.tags['env']",
        "alert.tags[?'env'].orValue('x')",
        "alert.tags.env",
        "alert.tags.?env.orValue('x')",
    ],
)
def test_looking_up_a_tag_with_several_values_says_so(lookup: str) -> None:
    assert error_of(lookup) == 'the tag "env" has several values: look for one of them in alert.tag_list'
    assert error_of(f"[{lookup}]") == error_of(lookup)
    assert value_of(f"alert.title == '' && {lookup} == 'prod'") is False


def test_a_computed_tag_key_is_guarded_too() -> None:
    assert "several values" in error_of("['service', 'env'].map(k, alert.tags[k])")
    assert value_of("['service'].map(k, alert.tags[k])") == ["checkout"]


def test_a_tag_map_as_a_whole_shows_several_values_with_commas() -> None:
    assert value_of("alert.tags") == {"env": "prod,staging", "service": "checkout", "urgent": ""}


@pytest.mark.parametrize("loop", ["map(k, k)", "filter(k, true)", "map(k, k != '', k)"])
def test_map_and_filter_over_a_map_are_refused_when_the_type_is_known(loop: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        ENVIRONMENT.compile(f"size(alert.metadata.{loop})")
    assert "a map has no order" in caught.value.message
    assert (caught.value.line, caught.value.column) == (1, 11)


@pytest.mark.parametrize("loop", ["map(k, k)", "filter(k, true)", "map(k, k != '', k)"])
def test_map_and_filter_over_a_map_are_refused_when_it_turns_out_to_be_one(loop: str) -> None:
    assert "a map has no order" in error_of(f"steps.pods.output.{loop}")
    assert "a map has no order" in error_of(f"[1].map(x, steps.pods.output.{loop})")
    assert (
        error_of(f"steps.pods.output.{loop}", **{"steps.pods.output": 3})
        == "a list is needed here, and this is int"
    )


def test_the_first_error_of_a_loop_over_a_map_is_the_same_in_every_process() -> None:
    program = (
        "from engine.expressions import Environment, ExpressionError\n"
        "kinds = {'a': 1, 'b': 'x', 'c': [1], 'd': 1.5, 'e': True, 'f': None}\n"
        "try:\n"
        "    Environment({'d': 'dyn'}).compile('d.exists(k, d[k] > {})').evaluate({'d': kinds})\n"
        "except ExpressionError as error:\n"
        "    print(error.message)\n"
    )
    said = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(4)
    }
    assert len(said) == 1
    assert said != {b""}


def test_too_many_rounds_end_with_an_error() -> None:
    many = list(range(1_000))
    nested = "steps.pods.output.map(a, steps.pods.output.map(b, b)).size()"
    assert "too many rounds" in error_of(nested, **{"steps.pods.output": many})
    assert value_of("size(steps.pods.output.map(a, a))", **{"steps.pods.output": many}) == 1_000


def test_a_text_that_outgrows_the_memory_is_an_error() -> None:
    program = (
        "import resource\n"
        "from engine.expressions import ExpressionError, select\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))\n"
        "try:\n"
        "    select({'x': 'output.replace(\"a\", output)'}, 'a' * 40_000)\n"
        "except ExpressionError as error:\n"
        "    print(error.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"needs more memory than there is" in done.stdout, done.stderr


def test_only_the_names_an_expression_uses_are_asked_for() -> None:
    class Scope(dict[str, Any]):
        asked: list[str] = []  # noqa: RUF012 - one scope, one test

        def get(self, name: str, default: Any = None) -> Any:
            self.asked.append(name)
            return super().get(name, default)

    scope = Scope(SCOPE)
    ENVIRONMENT.compile("alert.title == '' || alert.title.contains(alert.monitor_id)").evaluate(scope)
    assert scope.asked == ["alert.title", "alert.monitor_id"]


def test_what_nobody_gives_is_neutral() -> None:
    empty: dict[str, Any] = {}
    for name, expected in {
        "alert.title": "",
        "alert.tags": {},
        "alert.tag_list": [],
        "alert.metadata": {},
        "inputs.replicas": 0,
        "inputs.ratio": 0.0,
        "alert.test": False,
        "steps.pods.output": None,
    }.items():
        assert ENVIRONMENT.compile(name).evaluate(empty) == expected
        assert ENVIRONMENT.compile(name).evaluate({name: None}) == expected


def test_a_value_of_another_type_than_declared_is_an_error() -> None:
    assert (
        error_of("inputs.replicas", **{"inputs.replicas": "3"})
        == "`inputs.replicas` is given as str where int is declared"
    )
    assert error_of("alert.tag_list", **{"alert.tag_list": {}}).startswith(
        "`alert.tag_list` is given as dict"
    )
    assert error_of("alert.tags", **{"alert.tags": [1]}) == "tags are list, not a map"


def test_select_sees_the_output_alone_and_names_the_key_that_failed() -> None:
    output = {"pods": [{"name": "a"}, {"name": "b"}], "big": "x" * 10}
    assert select({"names": "output.pods.map(p, p.name)", "n": "size(output.pods)"}, output) == {
        "names": ["a", "b"],
        "n": 2,
    }
    assert select({}, output) == {}
    with pytest.raises(ExpressionError, match=r'^select\.second: there is no key "nope"$'):
        select({"first": "output.big", "second": "output.nope"}, output)
    with pytest.raises(ExpressionError, match=r"^select\.one: unknown name `alert\.title`$"):
        select({"one": "alert.title"}, output)
