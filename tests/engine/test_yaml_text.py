"""YAML text to values: the core schema, the places, and every refusal."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.yaml_text import SIZE_MAX_BYTES, read_yaml
from engine.yaml_values import Value, YamlFault

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 9)}]" for at in range(9)
)


def entry(text: str, key: str = "a") -> Value:
    found: Value = read_yaml(text).data[key]
    return found


@pytest.mark.parametrize(
    ("written", "data"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("2020-01-01", "2020-01-01"),
        ("12:30", "12:30"),
        ("1.2.3", "1.2.3"),
        ("'true'", "true"),
        ('"12"', "12"),
        ("plain\n  folded", "plain folded"),
        ("|\n  one\n  two", "one\ntwo\n"),
        (">-\n  one\n  two", "one two"),
        ("[1, a, [true]]", [1, "a", [True]]),
        ("{b: 1, on: x}", {"b": 1, "on": "x"}),
    ],
)
def test_a_value_is_what_the_core_schema_says(written: str, data: Any) -> None:
    assert entry(f"a: {written}\n").plain() == data


def test_a_scalar_keeps_what_was_written_and_keys_are_text() -> None:
    assert entry("a: 1.50").text == "1.50"
    assert read_yaml("on: x\n1: y\ntrue: z").plain() == {"on": "x", "1": "y", "true": "z"}


def test_every_value_and_key_knows_its_place() -> None:
    document = read_yaml("a:\n  - b: 1\n    c: [x,  y]\n")
    inner = document.data["a"].data[0]
    assert tuple(inner.keys["c"]) == (3, 5)
    assert tuple(inner.data["c"].data[1].mark) == (3, 13)


def test_an_anchor_may_be_used_in_bounds() -> None:
    assert read_yaml("a: &x {b: 1}\nc: [*x, *x]").plain() == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}


@pytest.mark.parametrize(
    ("written", "word", "line", "column"),
    [
        ("a: plain X", "X", 1, 10),
        ("a: 'it''s X'", "X", 1, 11),
        ('a: "q\\"\\u0041 \\n X"', "X", 1, 18),
        ("a: |\n    one\n      two X\n", "X", 3, 11),
        ("a: >-\n   one\n   two X\n   three\n", "X", 3, 8),
        ("a: one\n   two X", "X", 2, 8),
        ("a: 'one\n\n  two X'", "X", 3, 7),
        ('a: "one\\\n  two X"', "X", 2, 7),
        ("a: X", "X", 1, 4),
    ],
)
def test_the_place_of_a_character_inside_a_text_is_known(
    written: str, word: str, line: int, column: int
) -> None:
    value = entry(written)
    assert tuple(value.place(value.data.index(word))) == (line, column)


@pytest.mark.parametrize(
    ("text", "message", "fix", "line", "column"),
    [
        ("", "the file is empty", "write at least `playbook`, `on` and `steps`", 1, 1),
        ("# nothing\n", "the file is empty", "write at least `playbook`, `on` and `steps`", 1, 1),
        ("a:\n\tb: 1", "a tab where YAML wants spaces", "indent with spaces", 2, 1),
        ("a: b: c", "a `:` followed by a blank inside plain text", "put the whole text in quotes", 1, 5),
        (
            "a: x == 'b: c'",
            "a `:` followed by a blank inside plain text",
            "put the whole text in quotes",
            1,
            11,
        ),
        (
            "a\nb: 1",
            "a key does not fit here",
            "check the indentation, and that the line above has its `:`",
            2,
            2,
        ),
        (
            "a: 1\n  b: 2",
            "a key does not fit here",
            "check the indentation, and that the line above has its `:`",
            2,
            4,
        ),
        ("- a: b\n  c d\n  e: f", "a key without its `:`", "write `key: value`", 2, 3),
        (
            "a: 'env:prod' in alert.tag_list",
            "text that begins with a quote ends at the next one, and more follows",
            "put all of it in the other kind of quotes, or below a `|`",
            1,
            15,
        ),
        ("a: 'b\nc: d", "this quote is not closed", "close it; a quote inside is written twice", 1, 4),
        ("a: {b: ${{ c }}}", "`${{ }}` inside { } or [ ]", "put the text that holds it in quotes", 1, 9),
        ("a: [1, 2", "this bracket is not closed", "close it", 1, 4),
        (
            "a: ['x' y]",
            "text that does not fit inside { } or [ ]",
            "put it in quotes, or separate it with a comma",
            1,
            9,
        ),
        ("a: @x", "a value cannot begin with @", "put the whole text in quotes", 1, 4),
        ("a: !steps.b.output", "YAML takes a leading `!` for a tag", "put the text in quotes", 1, 4),
        ("a: !!str b", "YAML takes a leading `!` for a tag", "put the text in quotes", 1, 4),
        ("!a: b", "YAML takes a leading `!` for a tag", "put the text in quotes", 1, 1),
        ("a: 1\n!b c: d", "YAML takes a leading `!` for a tag", "put the key in quotes", 2, 1),
        ("a: *b", "`*b` names an anchor that does not exist", "put the text in quotes", 1, 4),
        ("a: &b [*b]", "`*b` stands inside its own anchor", "write it out", 1, 8),
        (BOMB, "more than 20000 values, counting each use of an anchor", "use fewer", 5, 4),
        ("a: 1\nb: 2\na: 3", "the key `a` is given twice", "first in line 1", 3, 1),
        (
            "a: &x {b: 1}\nc:\n  <<: *x",
            "merge keys (`<<`) are not part of YAML 1.2",
            "write the keys out",
            3,
            3,
        ),
        ("? [a]\n: b", "a key that is no text", "keys are text", 1, 3),
        ("a: 1\n---\nb: 2", "a second document", "one file is one playbook", 2, 1),
        ("%YAML 1.1\n---\na: 1", "directives other than %YAML 1.2", "remove them", 2, 1),
        ("a: \x07", "a character that YAML does not allow", "remove it, or escape it in double quotes", 1, 4),
        (
            "a: \ud800",
            "a character that YAML does not allow",
            "remove it, or escape it in double quotes",
            1,
            4,
        ),
        ("a: .inf", ".inf is no number that JSON knows", "put it in quotes if it is text", 1, 4),
        ("a: 1e999", "a number out of range", "put it in quotes if it is text", 1, 4),
        (
            "a: 9223372036854775808",
            "a whole number of more than 64 bits",
            "put it in quotes if it is text",
            1,
            4,
        ),
        ("a: " + "9" * 5_000, "a whole number of more than 64 bits", "put it in quotes if it is text", 1, 4),
        (
            'a: "\\q"',
            "an unknown escape in double quotes",
            "write `\\\\` for one backslash, or use '…'",
            1,
            6,
        ),
        (
            "a:\n  - b\n c: d",
            "this does not fit here",
            "check the indentation, and brackets and quotes before it",
            3,
            2,
        ),
        (
            "a: |x\n  b",
            "this is not YAML: expected chomping or indentation indicators, but found 'x'",
            "see https://yaml.org",
            1,
            5,
        ),
        ("[" * 50, "more than 40 levels", "make it flatter", 1, 41),
        (
            "a: " + "x" * SIZE_MAX_BYTES,
            f"the file has {SIZE_MAX_BYTES + 3} bytes, more than {SIZE_MAX_BYTES}",
            "make two of it",
            1,
            1,
        ),
    ],
)
def test_a_wrong_file_says_what_is_wrong_where_and_what_would_be_right(
    text: str, message: str, fix: str, line: int, column: int
) -> None:
    with pytest.raises(YamlFault) as caught:
        read_yaml(text)
    assert (str(caught.value), caught.value.fix, *caught.value.mark) == (message, fix, line, column)


def test_a_byte_order_mark_is_nothing() -> None:
    assert read_yaml("\ufeffa: 1").plain() == {"a": 1}


@given(st.text(st.sampled_from("ab:-[]{}'\"!&*|>#%@` \n\t,?0~\\$"), max_size=40))
def test_any_text_is_a_value_or_a_fault(text: str) -> None:
    try:
        read_yaml(text).plain()
    except YamlFault as fault:
        assert fault.mark.line >= 1
        assert fault.mark.column >= 1


@pytest.mark.slow
def test_a_deep_or_a_long_file_does_not_take_long() -> None:
    began = time.process_time()
    for text in ("[" * 100_000, "{a: " * 50_000, "- " * 100_000, "a: [" + "1, " * 80_000 + "1]"):
        with pytest.raises(YamlFault):
            read_yaml(text)
    assert time.process_time() - began < 20
