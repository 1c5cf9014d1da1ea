"""A playbook ready to run: blocks, steps, expressions that are compiled once."""

from typing import Any

import msgspec
import pytest

from engine.expressions import ExpressionError
from engine.playbook.canonical import canonical_json, digest, from_canonical
from engine.playbook.model import ActionStep, ExitStep, PublishStep, Retry
from tests.engine.playbook.builders import a_book, a_playbook

PAGE = ActionStep(path="page", action="log", retry=Retry(attempts=2), select={"id": "output.id"})
UNLOCK = PublishStep(path="#4", title="done", tags=("a",))


def test_steps_are_found_by_path_and_know_their_block() -> None:
    book = a_book(on_failure=(PAGE,), finally_=(UNLOCK,))
    assert list(book.steps) == ["pods", "#2", "page", "#4"]
    assert book.steps["page"] is PAGE
    assert [book.block_of(path) for path in book.steps] == ["steps", "steps", "on_failure", "finally"]
    assert book.blocks["finally"] == (UNLOCK,)
    with pytest.raises(KeyError):
        book.block_of("nope")


def test_every_kind_of_name_of_the_playbook_is_known() -> None:
    book = a_book(on_failure=(PAGE,))
    scope: dict[str, Any] = {
        "vars.healthy": [1],
        "failure.kind": "timeout",
        "run.status": "failed",
        "inputs.api": "x",
    }
    text = "[vars.healthy, failure.kind, run.status, inputs.api, steps.page.error.kind, steps.pods.skipped]"
    assert book.evaluate(text, scope) == [[1], "timeout", "failed", "x", "", False]


def test_an_expression_is_compiled_once() -> None:
    book = a_book()
    assert book.program("alert.title == ''") is book.program("alert.title == ''")


def test_a_condition_must_be_true_or_false() -> None:
    book = a_book()
    assert book.boolean("alert.title == ''", {}) is True
    assert book.boolean("steps.pods.output.ok", {"steps.pods.output": {"ok": False}}) is False
    for output in ({"ok": "true"}, {"ok": 1}, {"ok": None}, {}, None):
        with pytest.raises(ExpressionError, match=r"^`steps\.pods\.output\.ok`: "):
            book.boolean("steps.pods.output.ok", {"steps.pods.output": output})


def test_a_plan_is_not_taken_for_another_value_with_the_same_place_in_memory() -> None:
    book = a_book()
    for at in range(5_000):
        assert book.render({"a": "${{ inputs.replicas }}", "at": at}, {"inputs.replicas": at}).value == {
            "a": at,
            "at": at,
        }


def test_the_canonical_form_is_read_back_and_names_the_revision() -> None:
    playbook = a_playbook(ExitStep(path="#3"), on_failure=(PAGE,), finally_=(UNLOCK,))
    text = canonical_json(playbook)
    assert from_canonical(text) == playbook
    assert digest(from_canonical(text)) == digest(playbook)
    assert len(digest(playbook)) == 64
    assert digest(a_playbook()) != digest(a_playbook(description="x"))
    with pytest.raises(msgspec.DecodeError):
        from_canonical("{}")


def test_the_digest_of_a_known_playbook_never_changes() -> None:
    # Recorded: runs and the catalog name revisions by it. A new field of the model changes it; then say so.
    assert digest(a_playbook(PAGE, UNLOCK))[:16] == "e7ce67538d360216"


def test_the_order_of_keys_does_not_count() -> None:
    one = a_playbook(labels={"a": "1", "b": "2"}, outputs={"x": {"b": 1, "a": 2}})
    two = a_playbook(labels={"b": "2", "a": "1"}, outputs={"x": {"a": 2, "b": 1}})
    assert digest(one) == digest(two)
