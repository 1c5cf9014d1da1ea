"""The processes of one machine: settings of a small machine, and what each child is told."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli.composing import settings_for_up
from cli.local_ports import Ports
from cli.local_stack import STOP_STEPS_S, Stack
from cli.supervisor import Child
from cli.up import _with_owner
from settings import Settings
from settings_reading import SecretText
from tests.e2e.machine import five_free_ports


def stack(folder: Path, **settings: Any) -> Stack:
    given = {"kafka": "127.0.0.1:1", "auth": False, **settings}
    return Stack(folder, Ports(8080), Settings(**given), lambda _: None, None)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Stack]:
    made = stack(tmp_path)
    yield made
    await made.stop()


def test_a_small_machine_has_few_partitions_one_copy_and_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = settings_for_up(Path("data"), "")
    assert (settings.partitions, settings.replication, settings.auth) == (4, 1, False)
    assert settings.data_dir == tmp_path / "data"


def test_what_is_given_wins_over_the_small_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pulsebook.toml").write_text("partitions = 8\n")
    monkeypatch.setenv("PULSEBOOK_AUTH", "on")
    monkeypatch.setenv("PULSEBOOK_KAFKA", "elsewhere:9092")
    settings = settings_for_up(Path("data"), "named:9092")
    assert (settings.partitions, settings.replication, settings.auth) == (8, 1, True)
    assert settings.kafka == "named:9092"


async def test_every_child_can_read_what_it_is_told(tmp_path: Path) -> None:
    made = stack(tmp_path, public_url="https://pulsebook.example.com")
    made.servers = "127.0.0.1:9092"
    for name, port in Ports(8080).all().items():
        told = Settings.read(made._environment(name))
        assert told.kafka == "127.0.0.1:9092"
        assert told.health_port == port
        assert told.web_port == 8080
        assert told.stop_grace_s < STOP_STEPS_S
        assert told.data_dir == tmp_path
    await made.stop()


async def test_runs_have_their_page_on_the_port_of_up_unless_there_is_a_public_url(tmp_path: Path) -> None:
    made, public = stack(tmp_path), stack(tmp_path, public_url="https://pulsebook.example.com")
    for name in made.names:
        assert Settings.read(made._environment(name)).public_url == f"http://127.0.0.1:{made.ports.web}"
        assert Settings.read(public._environment(name)).public_url == "https://pulsebook.example.com"
    for each in (made, public):
        await each.stop()


async def test_without_a_key_events_go_to_the_sandbox_and_with_one_there_is_none(tmp_path: Path) -> None:
    sandboxed = stack(tmp_path)
    assert "sandbox" in sandboxed.names
    assert sandboxed._environment("sink")["PULSEBOOK_DD_URL"] == "http://127.0.0.1:8081"
    real = stack(tmp_path, dd_api_key=SecretText("key"))
    assert "sandbox" not in real.names
    assert not {"PULSEBOOK_DD_URL", "PULSEBOOK_DD_API_KEY"} & set(real._environment("sink"))
    for each in (sandboxed, real):
        await each.stop()


async def test_where_auth_is_asked_for_there_is_an_owner_whose_token_stays_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(auth=True, data_dir=tmp_path)
    first, second = _with_owner(settings), _with_owner(settings)
    assert first.owner_token is not None
    assert second.owner_token is not None
    assert first.owner_token.reveal() == second.owner_token.reveal()
    said = capsys.readouterr().out
    assert str(tmp_path / "owner-token") in said
    assert first.owner_token.reveal() not in said
    made = stack(tmp_path, auth=True, owner_token=first.owner_token)
    assert made._environment("web")["PULSEBOOK_OWNER_TOKEN"] == first.owner_token.reveal()
    assert _with_owner(Settings(auth=False, data_dir=tmp_path)).owner_token is None
    await made.stop()


async def test_a_broker_that_came_back_elsewhere_is_told_to_everybody(opened: Stack, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    child = Child("sink", command, opened._environment("sink"), tmp_path / "sink.log")
    child.delay_s = 0.01
    await opened.supervisor.start(child)
    assert child.process is not None
    first = child.process
    opened._moved("127.0.0.1:7777")
    assert await first.wait() == -15
    assert child.environment["PULSEBOOK_KAFKA"] == "127.0.0.1:7777"


async def test_a_process_that_never_gets_ready_is_named(opened: Stack) -> None:
    opened.ports = Ports(five_free_ports())
    assert await opened.wait_ready(("processor", "sink"), 0.2) == ["processor", "sink"]


async def test_who_asks_twice_to_stop_need_not_wait(opened: Stack, tmp_path: Path) -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    child = Child("web", [sys.executable, "-c", program], {}, tmp_path / "web.log")
    await opened.supervisor.start(child)
    opened.supervisor.stopping = True
    opened.hurry()
    assert child.process is not None
    assert await child.process.wait() == -9
