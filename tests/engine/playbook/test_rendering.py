"""Values with placeholders, filled in."""

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import ExpressionError
from engine.playbook.rendering import Rendered
from schemas.actions import SecretSlot
from tests.engine.playbook.builders import a_book

BOOK = a_book()
SCOPE: dict[str, Any] = {
    "alert.title": "p95 is high",
    "alert.tags": {"service": "check/out"},
    "inputs.api": "https://api.internal",
    "inputs.replicas": 3,
    "steps.pods.output": {"count": 2, "ratio": 1.0, "none": None, "ok": True, "names": ["b", "a"]},
}


def rendered(value: Any, *url_inputs: str) -> Any:
    return BOOK.render(value, SCOPE, url_inputs=url_inputs).value


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${{ inputs.replicas }}", 3),
        (" ${{ inputs.replicas }}", " 3"),
        ("${{ steps.pods.output.ok }}", True),
        ("is ${{ steps.pods.output.ok }}", "is true"),
        ("${{ steps.pods.output.none }}", None),
        ("[${{ steps.pods.output.none }}]", "[]"),
        ("${{ steps.pods.output.names }}", ["b", "a"]),
        ("of ${{ steps.pods.output.names }}", 'of ["b","a"]'),
        ("${{ steps.pods.output.ratio }}", 1.0),
        ("x${{ steps.pods.output.ratio }}", "x1"),
        ("${{ inputs.api }}/${{ alert.tags.service }}", "https://api.internal/check/out"),
        ("${{ '${{' }}", "${{"),
        ({"a": [{"b": "${{ inputs.replicas }}", "c": 1}], "d": "x"}, {"a": [{"b": 3, "c": 1}], "d": "x"}),
        ((1, "${{ inputs.replicas }}"), [1, 3]),
    ],
)
def test_a_whole_placeholder_keeps_its_type_and_inside_text_becomes_text(template: Any, value: Any) -> None:
    found = rendered(template)
    assert found == value
    assert type(found) is type(value)


def test_a_literal_is_handed_on_as_it_is() -> None:
    literal = {"a": [1, {"b": "text"}]}
    assert BOOK.render(literal, {}).value is literal


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("${{ inputs.api }}/pods/${{ alert.tags.service }}", "https://api.internal/pods/check%2Fout"),
        ("${{ inputs.api }}${{ alert.title }}", "https://api.internalp95%20is%20high"),
        ("https://x/?q=${{ steps.pods.output.names }}", "https://x/?q=%5B%22b%22%2C%22a%22%5D"),
        ("${{ inputs.api }}", "https://api.internal"),
        ("https://x/${{ 'a b&c=ü?#%' }}", "https://x/a%20b%26c%3D%C3%BC%3F%23%25"),
    ],
)
def test_in_a_url_what_is_filled_in_is_percent_encoded_but_not_what_begins_it(
    template: str, url: str
) -> None:
    assert rendered({"url": template, "body": template}, "url")["url"] == url
    assert rendered({"url": template})["url"] == unquote(url)


def test_what_comes_out_of_an_alert_is_never_looked_at_again() -> None:
    evil = "${{ secrets.TOKEN }} ${{ inputs.api }} }}"
    found = BOOK.render({"a": "${{ alert.title }}", "b": "<${{ alert.title }}>"}, {"alert.title": evil})
    assert found == Rendered({"a": evil, "b": f"<{evil}>"}, ())


def test_a_secret_leaves_null_and_a_slot() -> None:
    arguments = {
        "url": "https://x",
        "auth": {"bearer": "${{ secrets.TOKEN }}"},
        "list": ["a", "${{secrets.B}}"],
    }
    found = BOOK.render(arguments, SCOPE, url_inputs=("url",))
    assert found.value == {"url": "https://x", "auth": {"bearer": None}, "list": ["a", None]}
    assert found.secrets == (
        SecretSlot(path=("auth", "bearer"), name="TOKEN"),
        SecretSlot(path=("list", "1"), name="B"),
    )


def test_an_error_names_the_place_and_the_expression() -> None:
    with pytest.raises(ExpressionError) as caught:
        rendered({"a": {"b": ["x", "y ${{ steps.pods.output.nope }}"]}})
    assert caught.value.message == 'a.b.1: `steps.pods.output.nope`: there is no key "nope"'
    with pytest.raises(ExpressionError, match=r"^a: `alert\.titel`: unknown name"):
        rendered({"a": "${{ alert.titel }}"})
    with pytest.raises(ExpressionError, match=r"^a: .* is not closed"):
        rendered({"a": "${{ alert.title"})


def test_a_long_expression_is_cut_in_the_error() -> None:
    long = "steps.pods.output.nope" + " " * 300
    with pytest.raises(ExpressionError) as caught:
        rendered("${{ " + long + "+ 1 }}")
    assert len(caught.value.message) < 260


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@given(TEXT)
def test_any_text_comes_through_as_it_is(text: str) -> None:
    scope = {"alert.title": text}
    found = BOOK.render(["${{ alert.title }}", "<${{ alert.title }}>"], scope).value
    assert found == [text, f"<{text}>"]


@given(TEXT, TEXT)
def test_nothing_filled_in_can_change_the_shape_of_a_url(one: str, two: str) -> None:
    scope = {"alert.title": one, "alert.body": two}
    template = {"url": "https://host/a/${{ alert.title }}?q=${{ alert.body }}"}
    url = BOOK.render(template, scope, url_inputs=("url",)).value["url"]
    path, _, query = url.removeprefix("https://host/a/").partition("?q=")
    assert (unquote(path), unquote(query)) == (one, two)
    assert url.isascii()
    assert not set("/?#&= ") & set(path + query)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT.map(lambda text: text.replace("${{", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_any_value_without_placeholders_stays_the_same_object(value: Any) -> None:
    assert BOOK.render(value, {}).value is value
