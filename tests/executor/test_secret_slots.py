"""Secrets get where the playbook declared them, and nowhere else."""

import pytest

from executor.secret_slots import SlotProblem, filled
from schemas.actions import SecretSlot
from schemas.secrets import Secret

TOKEN = Secret("TOKEN", "hunter22", ("api.example.com",))
SECRETS = {"TOKEN": TOKEN, "KEY": Secret("KEY", "k3y")}


def slot(name: str, *path: str) -> SecretSlot:
    return SecretSlot(path=path, name=name)


def test_a_slot_is_filled_and_what_was_given_stays_as_it_was() -> None:
    arguments = {"auth": {"bearer": None}, "parts": [1, {"key": None}]}
    given = filled(
        arguments, [slot("TOKEN", "auth", "bearer"), slot("KEY", "parts", "1", "key")], SECRETS.get
    )
    assert given.arguments == {"auth": {"bearer": "hunter22"}, "parts": [1, {"key": "k3y"}]}
    assert arguments == {"auth": {"bearer": None}, "parts": [1, {"key": None}]}
    assert given.secrets == (TOKEN, SECRETS["KEY"])


def test_text_that_looks_like_a_placeholder_is_just_text() -> None:
    arguments = {"text": "${{ secrets.TOKEN }}"}
    assert filled(arguments, [], SECRETS.get).arguments == arguments


def test_a_secret_used_twice_is_listed_once() -> None:
    given = filled({"a": None, "b": None}, [slot("KEY", "a"), slot("KEY", "b")], SECRETS.get)
    assert given.arguments == {"a": "k3y", "b": "k3y"}
    assert len(given.secrets) == 1


def test_a_secret_that_is_not_set_is_named_with_the_way_out() -> None:
    with pytest.raises(SlotProblem, match=r"MISSING is not set .*pulsebook secret set MISSING"):
        filled({"a": None}, [slot("MISSING", "a")], SECRETS.get)


@pytest.mark.parametrize("path", [("b",), ("a", "x"), ("list", "7"), ("list", "-1"), ("list", "x")])
def test_a_place_that_is_not_there_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(SlotProblem, match=r"no place"):
        filled({"a": 1, "list": [1]}, [slot("KEY", *path)], SECRETS.get)


def test_arguments_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(SlotProblem, match="no mapping"):
        filled([1], [], SECRETS.get)


def test_no_repr_shows_a_secret() -> None:
    given = filled({"a": None}, [slot("TOKEN", "a")], SECRETS.get)
    assert "hunter22" not in repr(given) + repr(TOKEN) + str(TOKEN) + f"{TOKEN}"
