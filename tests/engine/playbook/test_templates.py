"""Text with placeholders, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.playbook.templates import Placeholder, TemplateError, parse


def expressions(text: str) -> list[str]:
    return [part.text for part in parse(text) if isinstance(part, Placeholder)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain }} { $ {{ x }}", ("plain }} { $ {{ x }}",)),
        ("${{ a }}", (Placeholder("a", 4),)),
        ("${{a}}", (Placeholder("a", 3),)),
        ("x ${{ a }} y ${{ b }}", ("x ", Placeholder("a", 6), " y ", Placeholder("b", 17))),
        ("${{ a }}${{ b }}", (Placeholder("a", 4), Placeholder("b", 12))),
        ("${{\n  a\n}}", (Placeholder("a", 6),)),
        ("${{ }}", (Placeholder("", 4),)),
        ("$${{ a }}", ("$", Placeholder("a", 5))),
    ],
)
def test_a_text_is_literal_pieces_and_placeholders(text: str, parts: tuple[str | Placeholder, ...]) -> None:
    assert parse(text) == parts


@pytest.mark.parametrize(
    "expression",
    [
        "'}}'",
        '"}}"',
        "'it\\'s }}'",
        "r'\\' + '}}'",
        "'''it's }} here'''",
        "{'a': {'b': 1}}",
        "{'a': {'b': {'c': '}}'}}}.a",
        "{'a': 1}.a + size({})",
        "a // it's }} a comment\n + b",
        "'${{ b }}'",
    ],
)
def test_an_expression_ends_at_the_first_closing_outside_its_strings_and_braces(expression: str) -> None:
    assert expressions(f"x ${{{{ {expression} }}}} y }}}}") == [expression]


@pytest.mark.parametrize(
    ("text", "offset"),
    [("${{ a", 0), ("x ${{ a }", 2), ("${{ a }} ${{ 'b }}", 9), ("${{ {'a': 1 }}", 0), ("${{ a // }}", 0)],
)
def test_a_placeholder_that_is_not_closed_is_refused(text: str, offset: int) -> None:
    with pytest.raises(TemplateError, match="is not closed") as caught:
        parse(text)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("expression", "secret"),
    [
        ("secrets.TOKEN", "TOKEN"),
        ("secrets.a_1", "a_1"),
        ("secrets.TOKEN + ''", ""),
        ("secrets", ""),
        ("x", ""),
    ],
)
def test_a_secret_is_told_apart(expression: str, secret: str) -> None:
    assert Placeholder(expression, 0).secret == secret


QUOTED = st.text(st.sampled_from("ab}{$'\" "), max_size=8).map(
    lambda text: "'" + text.replace("'", "\\'") + "'"
)
EXPRESSION = st.recursive(
    st.sampled_from(["a", "b.c", "1", "f(x)"]) | QUOTED,
    lambda inner: (
        st.builds(lambda one, two: "{" + one + ": " + two + "}", inner, inner)
        | st.builds(lambda one, two: f"{one} + {two}", inner, inner)
    ),
    max_leaves=6,
)
LITERAL = st.text(st.sampled_from("xy$} \n"), min_size=1, max_size=6).filter(
    lambda text: not text.endswith("$")
)


@given(st.lists(st.one_of(LITERAL, EXPRESSION.map(lambda text: Placeholder(text, 0))), max_size=6))
def test_whatever_is_put_together_is_taken_apart_again(parts: list[str | Placeholder]) -> None:
    text = "".join(part if isinstance(part, str) else f"${{{{ {part.text} }}}}" for part in parts)
    found = parse(text)
    assert [part.text for part in found if isinstance(part, Placeholder)] == [
        part.text for part in parts if isinstance(part, Placeholder)
    ]
    assert "".join(part for part in found if isinstance(part, str)) == "".join(
        part for part in parts if isinstance(part, str)
    )
    for part in found:
        if isinstance(part, Placeholder):
            assert text.startswith(part.text, part.offset)


@given(st.text(st.sampled_from("${}'\"\\ra/\n "), max_size=30))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    try:
        parts = parse(text)
    except TemplateError as error:
        assert text.startswith("${{", error.offset)
        return
    assert all(part for part in parts if isinstance(part, str))
