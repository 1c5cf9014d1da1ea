"""YAML that is written reads as the value that it was, and looks as if a person had written it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.yaml_text import read_yaml
from engine.yaml_writing import WIDTH, Commented, bare, write_yaml

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        *(
            "",
            "yes",
            "on",
            "1_000",
            "0x1F",
            "12",
            "1.5",
            "null",
            "~",
            ".inf",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "'",
        ),
        *("a\nb", "a\nb\n", "a\n\nb\n\n", "\na\nb", " a\nb", "a\n b", "a \nb", "\n", "\n\n", "---", "..."),
        *(
            "${{ inputs.a }}",
            "{a}",
            "[a",
            "*a",
            "&a",
            "!a",
            "%a",
            "@a",
            "`a",
            "a:",
            "a\tb",
            "\\n",
            "a,b",
            "? a",
        ),
        *("=", "<<", '"', "5m", "1e5", "2026-01-01", "0o7", "+1"),
    ]
)
_SCALARS = _TEXTS | st.none() | st.booleans() | st.integers(-(2**40), 2**40)


def _below(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return (
        st.lists(inner, max_size=4)
        | st.dictionaries(_TEXTS.filter(lambda key: key != "<<"), inner, max_size=4)
        | st.builds(Commented, inner, st.tuples(_TEXTS))
    )


_VALUES = st.recursive(_SCALARS, _below, max_leaves=12)


@given(st.dictionaries(_TEXTS.filter(lambda key: key != "<<"), _VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_as_the_same_value(value: dict[str, Any]) -> None:
    assert read_yaml(write_yaml(value)).plain() == bare(value)


def test_it_looks_as_a_person_would_write_it() -> None:
    value = {
        "playbook": "a",
        "on": {"call": {}},
        "choices": ["Restart", "leave it"],
        "with": {"text": "one\ntwo\n", "tag": "a: b", "said": 'a "word": b', "flag": True, "number": "5"},
        "steps": [
            Commented({"id": "one", "action": "log"}, ("First.", "note: look")),
            {"id": "two", "list": [["a"], {}]},
        ],
    }
    assert write_yaml(value) == (
        "playbook: a\n"
        "on:\n"
        "  call: {}\n"
        "choices: [Restart, leave it]\n"
        "with:\n"
        "  text: |\n"
        "    one\n"
        "    two\n"
        '  tag: "a: b"\n'
        "  said: 'a \"word\": b'\n"
        "  flag: true\n"
        '  number: "5"\n'
        "steps:\n"
        "  # First.\n"
        "  # note: look\n"
        "  - id: one\n"
        "    action: log\n"
        "  - id: two\n"
        "    list:\n"
        "      - [a]\n"
        "      - {}\n"
    )


def test_a_long_comment_goes_on_in_the_next_line() -> None:
    lines = write_yaml({"a": Commented(1, ("word " * 60,))}).splitlines()
    assert len(lines) == 4
    assert all(len(line) <= WIDTH and line.startswith("#") for line in lines[:-1])


@pytest.mark.parametrize(
    "text", ["yes", "No", "on", "null", "12", "1_000", "1.5", ".inf", "~", "0x10", "12:30"]
)
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert write_yaml({"a": text}) == f'a: "{text}"\n'
