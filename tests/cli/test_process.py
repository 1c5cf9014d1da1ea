"""What every process has: an end when asked, an exit code that says why, a clear word on a busy port."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer

from cli.process import done_before, run_process
from settings import Settings
from streams.ending import EXIT_BROKEN
from tests.cli.test_supervisor import WITHIN_S

KAFKA_OF_NOBODY = "127.0.0.1:9"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def environment(folder: Path, **more: str) -> dict[str, str]:
    ours = {
        "PULSEBOOK_KAFKA": KAFKA_OF_NOBODY,
        "PULSEBOOK_DATA_DIR": str(folder),
        "PULSEBOOK_DD_API_KEY": "sandbox",
        "PULSEBOOK_AUTH": "off",
    }
    return {**os.environ, **ours, **more}


def run(folder: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_work_that_is_done_in_time_is_done() -> None:
    assert await done_before(asyncio.Event(), asyncio.sleep(0))


async def test_work_is_called_off_when_the_process_is_to_stop() -> None:
    stop, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    asyncio.get_running_loop().call_later(0.01, stop.set)
    assert not await done_before(stop, work())
    assert ended.is_set()


async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise LookupError("no topic")

    with pytest.raises(LookupError, match="no topic"):
        await done_before(asyncio.Event(), work())


@pytest.mark.parametrize("failure", [ValueError("odd"), OSError("odd")])
def test_a_fault_of_ours_ends_the_process_as_broken_with_all_we_know(
    failure: Exception, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(stop: asyncio.Event) -> int:
        raise failure

    monkeypatch.setattr("logging.basicConfig", lambda **_: None)  # the test's own handler must stay
    with pytest.raises(typer.Exit) as ended:
        run_process(Settings(), body)
    assert ended.value.exit_code == EXIT_BROKEN
    assert "the process broke: " in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.slow
def test_a_busy_health_port_is_one_sentence_with_the_way_out(taken: int, tmp_path: Path) -> None:
    done = run(tmp_path, "executor", PULSEBOOK_HEALTH_PORT=str(taken))
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert str(taken) in last
    assert "PULSEBOOK_HEALTH_PORT" in last
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_busy_web_port_is_one_sentence_with_the_way_out(taken: int, tmp_path: Path) -> None:
    done = run(tmp_path, "web", PULSEBOOK_WEB_PORT=str(taken))
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert f"port {taken}" in sentence
    assert "PULSEBOOK_WEB_PORT" in sentence


@pytest.mark.slow
def test_a_busy_sandbox_port_is_one_sentence(taken: int, tmp_path: Path) -> None:
    done = run(tmp_path, "sandbox", "--port", str(taken))
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert f"cannot listen on 127.0.0.1:{taken}" in sentence


@pytest.mark.slow
@pytest.mark.parametrize("name", ["executor", "sink"])
def test_without_a_datadog_key_it_is_said_what_to_set(name: str, tmp_path: Path) -> None:
    done = run(tmp_path, name, PULSEBOOK_DD_API_KEY="")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("DD_API_KEY is not set")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_sandbox_keeps_its_events_and_ends_with_0_when_asked(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, key = f"http://127.0.0.1:{port}", {"DD-API-KEY": "any"}
    for round_number in (1, 2):
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "sandbox", "--port", str(port)], env=environment(tmp_path)
        )
        try:
            _until_it_answers(url)
            event = {"title": f"round {round_number}", "text": "x"}
            httpx.post(f"{url}/api/v1/events", json=event, headers=key, trust_env=False).raise_for_status()
            listed = httpx.get(f"{url}/api/v1/events", trust_env=False).json()["events"]
            assert len(listed) == round_number
            process.send_signal(signal.SIGTERM)
            assert process.wait(WITHIN_S) == 0
        finally:
            process.kill()
            process.wait()


def _until_it_answers(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{url}/readyz", trust_env=False, timeout=1)
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")
