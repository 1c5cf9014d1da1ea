"""`pulsebook playbook new` and `schema`: a playbook that is right as it is, and what editors need."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Pulsebook


def test_a_new_playbook_is_right_as_it_is_and_names_its_schema(pulsebook: Pulsebook, tmp_path: Path) -> None:
    made = pulsebook("playbook", "new", "checkout-latency", "--dir", "books")
    assert made.exit_code == 0
    assert "wrote books/checkout-latency.yaml" in made.stdout
    first, second, *_ = (tmp_path / "books" / "checkout-latency.yaml").read_text().splitlines()
    assert second == "playbook: checkout-latency"
    place = first.removeprefix("# yaml-language-server: $schema=")
    assert json.loads((tmp_path / "books" / place).read_text()) == json.loads(
        pulsebook("playbook", "schema").stdout
    )
    assert pulsebook("playbook", "lint", "books").stdout == "1 playbook file, 0 errors, 0 warnings\n"


def test_a_second_playbook_brings_the_schema_up_to_date(pulsebook: Pulsebook, tmp_path: Path) -> None:
    assert pulsebook("playbook", "new", "one").exit_code == 0
    schema = tmp_path / ".pulsebook" / "playbook.schema.json"
    schema.write_text("{}")
    done = pulsebook("playbook", "new", "two", "--json")
    assert json.loads(done.stdout) == {"wrote": ["two.yaml", ".pulsebook/playbook.schema.json"]}
    assert json.loads(schema.read_text())["title"] == "Pulsebook playbook"


def test_a_playbook_is_not_written_over(pulsebook: Pulsebook, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("mine")
    done = pulsebook("playbook", "new", "one")
    assert (done.exit_code, "one.yaml is there already" in done.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["one.yaml"]


@pytest.mark.parametrize("name", ["Bad Name", "../up", "x" * 65, ""])
def test_a_name_that_no_playbook_can_have_is_wrong_use(pulsebook: Pulsebook, name: str) -> None:
    done = pulsebook("playbook", "new", name)
    assert (done.exit_code, "cannot be called" in done.stderr) == (2, True)


def test_a_folder_that_cannot_be_written_is_named(pulsebook: Pulsebook, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = pulsebook("playbook", "new", "one", "--dir", "file")
    assert (done.exit_code, "cannot write to file" in done.stderr) == (2, True)
