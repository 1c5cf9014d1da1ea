"""The playbook folder of `up`: what is new or changed is applied; what is broken, gone or away is told."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.watching import PlaybookFolder
from tests.cli.conftest import Pulsebook, Served
from tests.cli.test_playbook import GOOD


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "playbooks").mkdir()
    return tmp_path / "playbooks"


@pytest.fixture
def watched(web: Served, files: Path, said: list[str]) -> PlaybookFolder:
    return PlaybookFolder(files, httpx.URL(web.url), {}, said.append)


def active(pulsebook: Pulsebook) -> dict[str, Any]:
    documents = map(json.loads, pulsebook("playbook", "list", "--json").stdout.splitlines())
    return {each["name"]: each for each in documents}


async def test_a_file_is_applied_once_and_again_when_it_changed(
    watched: PlaybookFolder, files: Path, said: list[str], pulsebook: Pulsebook
) -> None:
    (files / "one.yaml").write_text(GOOD.format(name="one", says="first"))
    await watched.apply_changed()
    await watched.apply_changed()
    first = active(pulsebook)["one"]["digest"]
    assert said == [f"playbook one: applied, revision {first[:12]}"]
    (files / "one.yaml").write_text(GOOD.format(name="one", says="second, longer"))
    await watched.apply_changed()
    second = active(pulsebook)["one"]["digest"]
    assert second != first
    assert said[1:] == [f"playbook one: applied, revision {second[:12]}"]


async def test_a_broken_file_is_told_once_and_changes_nothing(
    watched: PlaybookFolder, files: Path, said: list[str], pulsebook: Pulsebook
) -> None:
    (files / "one.yaml").write_text("playbook: one\nstebs: []\n")
    await watched.apply_changed()
    await watched.apply_changed()
    assert any(line.startswith(f"{files / 'one.yaml'}:2:1: error: ") for line in said)
    assert [line for line in said if "refused" in line] == [f"{files / 'one.yaml'}: refused, nothing changed"]
    assert active(pulsebook) == {}


async def test_a_file_that_is_gone_is_told_and_its_playbook_stays(
    watched: PlaybookFolder, files: Path, said: list[str], pulsebook: Pulsebook
) -> None:
    (files / "one.yaml").write_text(GOOD.format(name="one", says="first"))
    await watched.apply_changed()
    (files / "one.yaml").unlink()
    await watched.apply_changed()
    await watched.apply_changed()
    (gone,) = [
        line for line in said if line.startswith(f"{files / 'one.yaml'} is gone; its playbook one stays")
    ]
    assert f"pulsebook playbook apply {files} --prune" in gone
    assert "pulsebook playbook disable one" in gone
    assert set(active(pulsebook)) == {"one"}


async def test_of_a_refused_file_that_is_gone_no_playbook_is_named(
    watched: PlaybookFolder, files: Path, said: list[str]
) -> None:
    (files / "one.yaml").write_text("playbook: one\nstebs: []\n")
    await watched.apply_changed()
    (files / "one.yaml").unlink()
    await watched.apply_changed()
    assert said[-1] == f"{files / 'one.yaml'} is gone"


async def test_a_folder_that_is_not_there_yet_is_told_and_taken_when_it_comes(
    web: Served, tmp_path: Path, said: list[str], pulsebook: Pulsebook
) -> None:
    later = tmp_path / "later"
    watched = PlaybookFolder(later, httpx.URL(web.url), {}, said.append)
    await watched.apply_changed()
    await watched.apply_changed()
    assert said == [f"no folder {later}: no playbooks applied (try: pulsebook init {later})"]
    assert pulsebook("init", str(later)).exit_code == 0
    await watched.apply_changed()
    assert set(active(pulsebook)) == {"hello"}


async def test_a_web_that_is_away_is_asked_again(
    files: Path, said: list[str], web: Served, pulsebook: Pulsebook
) -> None:
    (files / "one.yaml").write_text(GOOD.format(name="one", says="first"))
    away = PlaybookFolder(files, httpx.URL("http://127.0.0.1:9"), {}, said.append)
    await away.apply_changed()
    assert said == []
    away._url = httpx.URL(web.url)
    await away.apply_changed()
    assert set(active(pulsebook)) == {"one"}
