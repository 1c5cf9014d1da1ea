"""The demo endpoint of `up`: made once, its address kept, and never a wrong one told."""

import json
from pathlib import Path

import httpx
import pytest

from cli import demo_endpoint as module
from cli.demo_endpoint import FILE, WHY, demo_endpoint
from schemas.catalog import EndpointSet
from schemas.topics import CATALOG
from tests.cli.conftest import Pulsebook, Served


async def path_of(web: Served, folder: Path, own_log: bool = True) -> str:
    return await demo_endpoint(folder, web.url, {}, own_log)


async def test_it_is_made_at_the_first_start_and_the_same_at_the_next(web: Served, tmp_path: Path) -> None:
    path = await path_of(web, tmp_path)
    assert path.startswith("/hooks/demo/")
    assert await path_of(web, tmp_path) == path
    async with httpx.AsyncClient(base_url=web.url, trust_env=False) as client:
        assert (await client.post(path, json={"title": "x"})).status_code == 202


async def test_one_that_was_rotated_elsewhere_is_not_told_with_its_old_address(
    web: Served, tmp_path: Path, pulsebook: Pulsebook
) -> None:
    await path_of(web, tmp_path)
    assert pulsebook("endpoint", "rotate", "demo").exit_code == 0
    assert await path_of(web, tmp_path) == ""


async def test_one_that_was_deleted_is_made_again(web: Served, tmp_path: Path, pulsebook: Pulsebook) -> None:
    old = await path_of(web, tmp_path)
    assert pulsebook("endpoint", "delete", "demo").exit_code == 0
    assert await path_of(web, tmp_path) not in ("", old)


async def test_a_start_that_was_cut_off_before_the_address_was_kept_is_mended(
    web: Served, tmp_path: Path
) -> None:
    old = await path_of(web, tmp_path)
    (tmp_path / FILE).unlink()
    assert await path_of(web, tmp_path) not in ("", old)


async def test_one_that_somebody_else_made_on_a_shared_kafka_is_left_alone(
    web: Served, tmp_path: Path, pulsebook: Pulsebook
) -> None:
    made = json.loads(pulsebook("endpoint", "create", "demo", "--json").stdout)
    assert await path_of(web, tmp_path, own_log=False) == ""
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(made["url"], json={"title": "x"})).status_code == 202


async def test_a_web_that_does_not_come_to_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_AFTER_S", 0.001)
    with pytest.raises(httpx.ConnectError):
        await demo_endpoint(tmp_path, "http://127.0.0.1:9", {}, True)


async def test_the_audit_log_can_say_why_it_is_there(web: Served, tmp_path: Path) -> None:
    await path_of(web, tmp_path)
    (change,) = [one for one in web.records(CATALOG) if isinstance(one, EndpointSet)]
    assert (change.name, change.reason) == ("demo", WHY)
