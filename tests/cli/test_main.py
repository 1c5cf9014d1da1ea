"""The command as a whole: every part says what it does, wrong use is 2, a closed pipe is quiet."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import Pulsebook, Served
from tests.cli.test_playbook import GOOD


@pytest.mark.parametrize("arguments", [("nosuch",), ("run", "nosuch"), ("run", "list", "--limit", "0")])
def test_what_does_not_exist_is_wrong_use(pulsebook: Pulsebook, arguments: tuple[str, ...]) -> None:
    done = pulsebook(*arguments)
    assert done.exit_code == 2
    assert "Error" in done.stderr


@pytest.mark.parametrize("group", [(), ("run",), ("playbook",), ("alert",)])
def test_a_group_by_itself_says_what_it_has(pulsebook: Pulsebook, group: tuple[str, ...]) -> None:
    done = pulsebook(*group)
    assert "Usage:" in done.output
    assert "Commands" in done.output


def test_the_version_is_told(pulsebook: Pulsebook) -> None:
    assert re.fullmatch(r"pulsebook \d+\.\d+\.\d+\S*\n", pulsebook("--version").stdout)


def test_the_sandbox_is_no_command_for_people(pulsebook: Pulsebook) -> None:
    assert not re.search(r"\bsandbox\b", pulsebook("--help").stdout)


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_goes_away_is_no_error(
    web: Served, pulsebook: Pulsebook, tmp_path: Path, more: tuple[str, ...]
) -> None:
    for number in range(40):
        (tmp_path / f"{number}.yaml").write_text(GOOD.format(name=f"p{number}", says="x"))
    assert pulsebook("playbook", "apply", str(tmp_path)).exit_code == 0
    command = [sys.executable, "-m", "cli.main", "playbook", "list", *more]
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = subprocess.run(
            command, stdout=write_end, stderr=subprocess.PIPE, env=dict(os.environ), timeout=60, check=False
        )
    finally:
        os.close(write_end)
    assert done.stderr == b""


def test_a_token_with_too_small_a_role_is_told_what_to_set(
    make_served: Callable[..., Served], pulsebook: Pulsebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = "pb_owner"
    served = make_served(auth=True, owner_token_sha256=sha256(owner.encode()).hexdigest())
    monkeypatch.setenv("PULSEBOOK_URL", served.url)
    nobody = pulsebook("playbook", "list")
    assert (nobody.exit_code, "PULSEBOOK_TOKEN" in nobody.stderr) == (2, True)
    made = pulsebook("token", "create", "reader", "--role", "viewer", env={"PULSEBOOK_TOKEN": owner})
    assert made.exit_code == 0, made.stderr
    viewer = {"PULSEBOOK_TOKEN": made.stdout.splitlines()[-1]}
    assert pulsebook("playbook", "list", env=viewer).exit_code == 0
    refused = pulsebook("endpoint", "create", "ops", env=viewer)
    assert (refused.exit_code, "PULSEBOOK_TOKEN" in refused.stderr) == (2, True)


def test_url_and_token_may_stand_in_the_file_of_settings(
    web: Served, pulsebook: Pulsebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULSEBOOK_URL")
    (tmp_path / "pulsebook.toml").write_text(f'url = "{web.url}"\n')
    assert pulsebook("playbook", "list").exit_code == 0
