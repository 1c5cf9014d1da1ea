"""`pulsebook secret`: stored where only the owner reads, listed without values, removed."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Pulsebook

VALUE = "s3cr3t-value"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULSEBOOK_SECRETS_DIR", str(tmp_path / "secrets"))
    return tmp_path / "secrets"


def test_a_value_from_standard_input_is_kept_for_its_owner_alone(folder: Path, pulsebook: Pulsebook) -> None:
    done = pulsebook("secret", "set", "API_TOKEN", "--host", "api.example.com", stdin=f"{VALUE}\n")
    assert done.exit_code == 0
    assert VALUE not in done.output
    assert (folder / "API_TOKEN").read_text() == VALUE
    assert stat.S_IMODE((folder / "API_TOKEN").stat().st_mode) == 0o600


def test_secrets_are_listed_by_name_and_host_and_never_by_value(folder: Path, pulsebook: Pulsebook) -> None:
    assert "no secrets yet" in pulsebook("secret", "list").stdout
    pulsebook("secret", "set", "API_TOKEN", "--host", "a.example.com", "--host", "b.example.com", stdin=VALUE)
    listed = pulsebook("secret", "list")
    assert listed.stdout.splitlines()[1].split() == ["API_TOKEN", "a.example.com,", "b.example.com"]
    document = json.loads(pulsebook("secret", "list", "--json").stdout)
    assert document == {"name": "API_TOKEN", "hosts": ["a.example.com", "b.example.com"]}
    assert VALUE not in listed.output


def test_a_secret_is_removed_once(folder: Path, pulsebook: Pulsebook) -> None:
    pulsebook("secret", "set", "API_TOKEN", stdin=VALUE)
    assert pulsebook("secret", "delete", "API_TOKEN").exit_code == 0
    again = pulsebook("secret", "delete", "API_TOKEN")
    assert again.exit_code == 1
    assert "there is no secret API_TOKEN" in again.stderr


def test_where_no_up_has_its_data_it_is_said_that_nobody_may_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pulsebook: Pulsebook
) -> None:
    monkeypatch.setenv("PULSEBOOK_DATA_DIR", str(tmp_path / "data"))
    done = pulsebook("secret", "set", "API_TOKEN", stdin=VALUE)
    assert done.exit_code == 0
    assert str(tmp_path / "data" / "secrets" / "API_TOKEN") in done.stdout
    assert "set PULSEBOOK_DATA_DIR to its data folder" in done.stderr
    (tmp_path / "data" / "up.lock").touch()
    assert pulsebook("secret", "set", "API_TOKEN", stdin=VALUE).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (("API_TOKEN",), "", "the value is empty"),
        (("../escape",), VALUE, "cannot be the name of a secret"),
        (("API_TOKEN", "--host", "a b"), VALUE, "is no host"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    folder: Path, pulsebook: Pulsebook, arguments: tuple[str, ...], stdin: str, says: str
) -> None:
    done = pulsebook("secret", "set", *arguments, stdin=stdin)
    assert done.exit_code == 2
    assert says in done.stderr
    assert VALUE not in done.output
    assert not list(folder.glob("*"))


def test_a_folder_that_cannot_be_written_is_named(folder: Path, pulsebook: Pulsebook) -> None:
    folder.write_text("a file in the way")
    done = pulsebook("secret", "set", "API_TOKEN", stdin=VALUE)
    assert done.exit_code == 2
    assert "cannot store it" in done.stderr
