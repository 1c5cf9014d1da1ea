"""A Kafka that is not there: every process and command says so in a clear sentence and ends, or waits."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.machine import ROOT, eventually, five_free_ports

pytestmark = pytest.mark.slow

NOBODY = "127.0.0.1:9"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    port = five_free_ports()
    return {
        **os.environ,
        "PULSEBOOK_KAFKA": NOBODY,
        "PULSEBOOK_DATA_DIR": str(tmp_path),
        "PULSEBOOK_DD_API_KEY": "sandbox",
        "PULSEBOOK_AUTH": "off",
        "PULSEBOOK_WEB_PORT": str(port),
        "PULSEBOOK_HEALTH_PORT": str(port + 1),
    }


def run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextlib.contextmanager
def running(environment: dict[str, str], log: Path, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    "command", [("processor",), ("sink",), ("topics", "create"), ("topics", "check")], ids=" ".join
)
def test_what_cannot_do_without_kafka_says_so_and_ends_with_3(
    environment: dict[str, str], command: tuple[str, ...]
) -> None:
    done = run(environment, *command)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert f"cannot reach Kafka at {NOBODY}" in done.stderr.splitlines()[-1]


def test_the_executor_waits_says_so_and_is_not_ready(environment: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "executor.log"
    health = f"http://127.0.0.1:{environment['PULSEBOOK_HEALTH_PORT']}"
    with running(environment, log, "executor") as executor:
        eventually(lambda: "cannot reach Kafka" in log.read_text())
        answer = httpx.get(f"{health}/readyz", trust_env=False)
        assert answer.status_code == 503
        assert "cannot reach Kafka" in answer.text
        assert httpx.get(f"{health}/healthz", trust_env=False).status_code == 200
        executor.send_signal(signal.SIGTERM)
        assert executor.wait(15) == 0
    assert "Traceback" not in log.read_text()


def test_web_answers_503_so_that_datadog_sends_again_and_ends_when_asked(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "web.log"
    url = f"http://127.0.0.1:{environment['PULSEBOOK_WEB_PORT']}"
    with running(environment, log, "web") as web:
        eventually(lambda: _answers(url))
        began = time.monotonic()
        answer = httpx.post(f"{url}/hooks/demo/any", content=b"{}", trust_env=False, timeout=30)
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        assert time.monotonic() - began < 12
        ready = httpx.get(f"{url}/readyz", trust_env=False)
        assert (ready.status_code, "catalog" in ready.text) == (503, True)
        web.send_signal(signal.SIGTERM)
        assert web.wait(15) == 0
    assert "Traceback" not in log.read_text()


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    return False


def test_doctor_says_what_is_wrong_and_how_to_mend_it(environment: dict[str, str]) -> None:
    done = run(environment, "doctor")
    assert done.returncode == 3
    assert f"{NOBODY}: Connection refused" in done.stdout
    assert "mend: start it, or correct PULSEBOOK_KAFKA" in done.stdout


@pytest.mark.parametrize("name", ["web", "processor", "executor", "sink"])
def test_a_process_without_any_kafka_named_says_what_to_set(environment: dict[str, str], name: str) -> None:
    done = run({**environment, "PULSEBOOK_KAFKA": ""}, name)
    assert done.returncode == 2
    (sentence,) = done.stderr.splitlines()
    assert "PULSEBOOK_KAFKA" in sentence
