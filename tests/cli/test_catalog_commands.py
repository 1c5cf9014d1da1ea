"""`pulsebook endpoint`, `token`: what they make, show once, list and remove."""

import json

import pytest

from cli.endpoint import payload
from schemas.catalog import EndpointSet, TokenSet
from schemas.topics import CATALOG
from tests.cli.conftest import Pulsebook, Served


def test_an_endpoint_is_made_with_instructions_and_its_address_last(
    web: Served, pulsebook: Pulsebook
) -> None:
    done = pulsebook("endpoint", "create", "ops")
    assert done.exit_code == 0
    url = done.stdout.splitlines()[-1]
    assert url.startswith(f"{web.url}/hooks/ops/")
    assert "@webhook-pulsebook-ops" in done.stdout
    assert payload().rstrip() in done.stdout
    assert url.rsplit("/", 1)[1] not in str(web.records(CATALOG))


def test_an_endpoint_for_machines_is_one_document_with_the_payload(web: Served, pulsebook: Pulsebook) -> None:
    made = json.loads(pulsebook("endpoint", "create", "ops", "--json").stdout)
    assert made["url"].startswith(f"{web.url}/hooks/ops/")
    assert made["payload"] == json.loads(payload())


def test_an_endpoint_that_is_there_cannot_be_made_again(web: Served, pulsebook: Pulsebook) -> None:
    pulsebook("endpoint", "create", "ops")
    done = pulsebook("endpoint", "create", "ops")
    assert done.exit_code == 1
    assert "there is an endpoint ops already" in done.stderr


@pytest.mark.parametrize("name", ["Ops", "a b", "x" * 65])
def test_a_name_that_cannot_be_one_is_wrong_use(web: Served, pulsebook: Pulsebook, name: str) -> None:
    assert pulsebook("endpoint", "create", name).exit_code == 2


def test_a_rotated_endpoint_has_a_new_address_and_says_until_when_the_old_one_works(
    web: Served, pulsebook: Pulsebook
) -> None:
    old = json.loads(pulsebook("endpoint", "create", "ops", "--json").stdout)["url"]
    new = pulsebook("endpoint", "rotate", "ops", "--keep-old", "1h").stdout.splitlines()[-1]
    assert new != old
    (listed,) = map(json.loads, pulsebook("endpoint", "list", "--json").stdout.splitlines())
    assert listed["old_valid_until_ms"] - listed["at_ms"] == pytest.approx(3_600_000, abs=1_000)
    assert pulsebook("endpoint", "rotate", "ops", "--keep-old", "soon").exit_code == 2


def test_a_deleted_endpoint_is_gone(web: Served, pulsebook: Pulsebook) -> None:
    pulsebook("endpoint", "create", "ops")
    assert pulsebook("endpoint", "delete", "ops").stdout == "endpoint ops deleted\n"
    assert "no endpoints yet" in pulsebook("endpoint", "list").stdout
    assert pulsebook("endpoint", "delete", "ops").exit_code == 1


def test_a_token_is_shown_once_as_the_last_line(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("token", "create", "ci", "--role", "operator")
    assert done.exit_code == 0
    token = done.stdout.splitlines()[-1]
    assert token not in str(web.records(CATALOG))
    _, row = pulsebook("token", "list").stdout.splitlines()
    assert row.split()[:2] == ["ci", "operator"]
    assert token not in pulsebook("token", "list", "--json").stdout
    assert pulsebook("token", "delete", "ci").stdout == "token ci deleted\n"
    assert "no tokens yet" in pulsebook("token", "list").stdout


def test_a_role_that_does_not_exist_is_wrong_use(web: Served, pulsebook: Pulsebook) -> None:
    done = pulsebook("token", "create", "ci", "--role", "king")
    assert done.exit_code == 2
    assert "operator" in done.stderr


def test_every_change_of_an_endpoint_or_token_keeps_the_reason_that_was_given(
    web: Served, pulsebook: Pulsebook
) -> None:
    for line in (
        "endpoint create ops",
        "endpoint rotate ops",
        "endpoint delete ops",
        "token create ci --role viewer",
        "token delete ci",
    ):
        assert pulsebook(*line.split(), "--reason", f"for {line}").exit_code == 0
    changes = [one for one in web.records(CATALOG) if isinstance(one, EndpointSet | TokenSet)]
    assert [one.reason for one in changes if one.reason] == [
        "for endpoint create ops",
        "for endpoint rotate ops",
        "for endpoint delete ops",
        "for token create ci --role viewer",
        "for token delete ci",
    ]
